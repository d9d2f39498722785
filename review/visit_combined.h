// A visit as a line of the combined log format, which tools for web servers' logs read:
//
//   203.0.113.7 - - [23/Nov/2026:21:53:01 +0000] "GET /a?b=c HTTP/1.1" 200 512 "https://ref.example" "agent"
//
// Quotes, backslashes, control characters and octets that are no ASCII stand as \xHH, and a space in the
// request as \x20, so that nothing in a visit ends its field. What is not known is "-". The format has no
// words for some of what we know, and has to be told something:
//   - a client that left before there was a status: 499, as nginx writes;
//   - a shortened address: the network's first, 203.0.113.0 for 203.0.113.0/24;
//   - no address (sink.addresses = "none", clients of a Unix socket): 0.0.0.0;
//   - h1 and websockets: HTTP/1.1, h2: HTTP/2.0.
//
// Thread: any; pure.
#pragma once

#include <string>

#include "logger/visit_record.h"

namespace gatebook::review {

// One line, with its end.
void AppendCombined(std::string& line, const logger::StoredVisit& visit);

}  // namespace gatebook::review
