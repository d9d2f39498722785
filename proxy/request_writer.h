// The request to the upstream, written from parsed fields.
//
// Hop-by-hop fields, those that Connection names, names with an underscore, every
// forwarding field of the client's and our own cookie are left out; Host, framing,
// X-Forwarded-*, Forwarded, Via, X-Request-ID, X-Session-ID and traceparent are ours.
// The route's rules are applied to the others.
// Thread: any; pure.
#pragma once

#include <string_view>

#include "base/buffer.h"
#include "http/head.h"
#include "http/header_rules.h"
#include "http/trace_context.h"
#include "logger/visit.h"
#include "proxy/client_facts.h"

namespace gatebook::proxy {

struct OutgoingRequest {
  const http::RequestHead& head;
  const ClientFacts& facts;
  const logger::SessionId& session;
  uint64_t request_id;
  std::string_view cookie_name;
  bool tunnel = false;                        // pass the WebSocket handshake on
  std::string_view websocket_key = {};        // for a tunnel that came by extended CONNECT, without a key
  const http::HeaderRules* rules = nullptr;   // null: none
  const http::TraceContext* trace = nullptr;  // null: traces are none of our business
};
void WriteRequestHead(base::Buffer& out, const OutgoingRequest& request);

}  // namespace gatebook::proxy
