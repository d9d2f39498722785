// Generation: what one loading of the configuration made (proxy/edition.h), as one worker uses it.
//
// A reload makes a new one aside and swaps it in whole. An exchange holds the one
// under which it began to its end, a tunnel for life; a connection between
// exchanges holds none. It ends with its last exchange, after the turn in which that ended:
// connections to upstreams that are its own may be on the call stack.
//
// Thread: made by the main thread, then the worker's. Immutable but for its
//   pools and the keeper's scratch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "http/header_rules.h"
#include "http/request_parser.h"
#include "net/loop.h"
#include "proxy/edition.h"
#include "proxy/router.h"
#include "proxy/session.h"
#include "proxy/upstream_pool.h"
#include "tls/tls_context.h"

namespace gatebook::proxy {

// A route's header rules; null where it has none.
struct RouteRules {
  std::unique_ptr<const http::HeaderRules> request;
  std::unique_ptr<const http::HeaderRules> response;
};

struct Generation final : net::Disposable {
  Generation(std::shared_ptr<const Edition> of, const SessionKey& session_key,
             std::shared_ptr<tls::TlsContext> tls_context);

  const std::shared_ptr<const Edition> edition;
  const config::Config& config;  // the edition's
  const RouteRules& RulesOf(const config::Route& route) const {
    return route_rules[static_cast<size_t>(&route - config.routes.data())];
  }

  const Router router;
  const std::vector<RouteRules> route_rules;             // by index in config.routes
  const std::shared_ptr<tls::TlsContext> tls;            // null if no listener has it
  std::vector<std::unique_ptr<UpstreamPool>> upstreams;  // by index in config.upstreams
  SessionKeeper sessions;
  const http::HeadLimits head_limits;
  const config::VisitFieldSet recorded;  // fields of visits
  const bool sends_proxy_headers;        // to any upstream
  const std::string hsts;                // value of Strict-Transport-Security; empty: none
  const std::string https_port_suffix;   // for redirects: "" or ":8443"
  const std::string policy_link;         // value of Link; empty: no policy is shown
  const std::string policy_notice;       // value of X-Gatebook-Policy-Notice; empty: sessions are not told
  const std::string policy_cookies[2];   // Set-Cookie that goes with it: on a plain connection, over TLS
};

}  // namespace gatebook::proxy
