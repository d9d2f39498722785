// The request to the upstream, written from parsed fields.
//
// Hop-by-hop fields, those that Connection names, names with an underscore, every
// forwarding field of the client's and our own cookie are left out; Host, framing,
// X-Forwarded-*, Forwarded, Via, X-Request-ID, X-Session-ID, X-Gatebook-* and traceparent are ours.
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
  std::string_view upgrade = {};              // the protocol to offer; empty: none
  const http::HeaderRules* rules = nullptr;   // null: none
  const http::TraceContext* trace = nullptr;  // null: traces are none of our business
  bool objection = false;                     // the visitor has objected to statistics
};

// As HTTP/1. `websocket_key`: for a tunnel that came by extended CONNECT, without a key.
void WriteRequestHead(base::Buffer& out, const OutgoingRequest& request, std::string_view websocket_key = {});

// Whether a field of the client's stays behind, or is written by us; for every protocol.
bool IsLeftOut(const http::Field& field, const OutgoingRequest& request);

}  // namespace gatebook::proxy
