// The request to the upstream, written from parsed fields.
//
// Hop-by-hop fields, those that Connection names, names with an underscore, every
// forwarding field of the client's and our own cookie are left out; Host, framing,
// X-Forwarded-*, Forwarded, Via, X-Request-ID and X-Session-ID are ours.
// Thread: any; pure.
#pragma once

#include <string_view>

#include "base/buffer.h"
#include "http/head.h"
#include "logger/visit.h"
#include "proxy/client_facts.h"

namespace gatebook::proxy {

void WriteRequestHead(base::Buffer& out, const http::RequestHead& head, const ClientFacts& facts,
                      const logger::SessionId& session, uint64_t request_id, std::string_view cookie_name);

}  // namespace gatebook::proxy
