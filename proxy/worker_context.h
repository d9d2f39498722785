// WorkerContext: what a worker's connections and exchanges work with.
//
// Everything here is the worker's own but the limiter; all of it outlives every
// connection. Thread: the worker's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/metrics.h"
#include "config/config.h"
#include "guard/connection_limiter.h"
#include "http/refusal.h"
#include "http/request_parser.h"
#include "net/loop.h"
#include "proxy/close_reason.h"
#include "proxy/object_pool.h"
#include "proxy/request_ids.h"
#include "proxy/router.h"
#include "proxy/session.h"
#include "proxy/tally.h"
#include "proxy/upstream_pool.h"
#include "proxy/visit_book.h"

namespace gatebook::proxy {

class Exchange;

struct WorkerContext {
  const config::Config& config;
  net::Loop& loop;
  base::BufferPool& buffers;
  base::MetricsBlock& metrics;
  const Router& router;
  std::vector<std::unique_ptr<UpstreamPool>>& upstreams;  // by index in config.upstreams
  VisitBook& book;
  SessionKeeper& sessions;
  RequestIds& request_ids;
  guard::ConnectionLimiter& limiter;
  Tally<http::Refusal>& refusals;
  Tally<CloseReason>& close_reasons;
  ObjectPool<http::RequestParser>& parsers;
  ObjectPool<Exchange>& exchanges;
  http::HeadLimits head_limits;
  std::string hsts_field;         // a whole line, or nothing
  std::string https_port_suffix;  // for redirects: "" or ":8443"
  bool draining = false;
};

}  // namespace gatebook::proxy
