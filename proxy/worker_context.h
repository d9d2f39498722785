// WorkerContext: what a worker's connections and exchanges work with.
//
// Everything here is the worker's own but the limiter; all of it outlives every
// connection. Thread: the worker's.
#pragma once

#include <memory>
#include <vector>

#include "base/buffer.h"
#include "base/metrics.h"
#include "guard/connection_limiter.h"
#include "http/h2_end.h"
#include "http/h2_stream.h"
#include "http/refusal.h"
#include "http/request_parser.h"
#include "logger/objections.h"
#include "net/loop.h"
#include "proxy/close_reason.h"
#include "proxy/generation.h"
#include "proxy/object_pool.h"
#include "proxy/request_ids.h"
#include "proxy/tally.h"
#include "proxy/visit_book.h"

namespace gatebook::proxy {

class Exchange;
class Http2Stream;

struct WorkerContext {
  std::shared_ptr<Generation> generation;  // the one in force
  net::Loop& loop;
  base::BufferPool& buffers;
  base::MetricsBlock& metrics;
  VisitBook& book;
  RequestIds& request_ids;
  guard::ConnectionLimiter& limiter;
  Tally<http::Refusal>& refusals;
  Tally<CloseReason>& close_reasons;
  ObjectPool<http::RequestParser>& parsers;
  ObjectPool<Exchange>& exchanges;
  ObjectPool<Http2Stream>& h2_streams;
  http::H2Pool& h2_pool;
  Tally<http::H2End>& h2_ends;
  bool draining = false;
  std::shared_ptr<const logger::ObjectionList> objections = nullptr;  // null: nobody is in the register
  // Room for the fields of an answer that is being written.
  std::vector<http::Field> kept_fields = {};
  std::vector<http::Field> more_fields = {};
};

}  // namespace gatebook::proxy
