// The table of field names that some code here acts on: name -> FieldId, and
// whether a proxy may pass the field on.
//
// Thread: any; pure functions. Names are compared without case (RFC 9110 §5.1).
#pragma once

#include <string_view>

#include "http/head.h"

namespace gatebook::http {

struct FieldKind {
  FieldId id = FieldId::kOther;
  bool hop_by_hop = false;
};

// `name`: a token. Hop-by-hop are those of RFC 9110 §7.6.1, all of Proxy-*, "Proxy"
// (which CGI programs read as their HTTP_PROXY variable), HTTP2-Settings, and
// Content-Length: framing is written anew, never copied.
FieldKind KindOf(std::string_view name);

}  // namespace gatebook::http
