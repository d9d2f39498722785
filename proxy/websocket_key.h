// Key and answer of a WebSocket handshake, which we make ourselves where a tunnel comes by
// extended CONNECT (RFC 8441 §5.1) and goes on over HTTP/1 (RFC 6455 §4.1), or the other way round.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "http/head.h"

namespace gatebook::proxy {

// 16 random bytes in base64.
std::string MakeWebSocketKey();
// Whether a field is Sec-WebSocket-Accept, and the value that answers a key (RFC 6455 §4.2.2).
bool IsWebSocketAccept(const http::Field& field);
std::string WebSocketAcceptOf(std::string_view key);

}  // namespace gatebook::proxy
