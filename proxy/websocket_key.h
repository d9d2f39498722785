// The key of a WebSocket handshake that we make ourselves, for a tunnel that came by
// extended CONNECT (RFC 8441 §5.1) and goes on over HTTP/1 (RFC 6455 §4.1).
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "http/head.h"

namespace gatebook::proxy {

// 16 random bytes in base64.
std::string MakeWebSocketKey();
// Whether a field is Sec-WebSocket-Accept, and whether such a value answers that key (RFC 6455 §4.2.2).
bool IsWebSocketAccept(const http::Field& field);
bool IsAcceptOf(std::string_view accept, std::string_view key);

}  // namespace gatebook::proxy
