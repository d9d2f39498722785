// Heads: what a request or response says before its body, as views.
//
// Views point into the buffer that was given to the parser's last Parse() and
// are valid as long as it is. A head that a parser has called done has passed
// every check of its parser; nothing behind it checks again.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gatebook::http {

enum class Method : uint8_t { kGet, kHead, kPost, kPut, kDelete, kOptions, kPatch, kTrace, kConnect, kOther };

// RFC 9110 §9.2.1; what may be repeated on a fresh connection.
constexpr bool IsSafe(Method method) {
  return method == Method::kGet || method == Method::kHead || method == Method::kOptions;
}

// Methods are compared with case (RFC 9110 §9.1): "get" is kOther.
Method MethodOf(std::string_view text);

// Field names that some code here acts on.
enum class FieldId : uint8_t {
  kOther,
  kHost,
  kConnection,
  kContentLength,
  kTransferEncoding,
  kTe,
  kTrailer,
  kUpgrade,
  kKeepAlive,
  kProxyConnection,
  kProxyAuthenticate,
  kProxyAuthorization,
  kExpect,
  kCookie,
  kSetCookie,
  kReferer,
  kUserAgent,
  kAuthorization,
  kForwarded,
  kXForwarded,  // any X-Forwarded-*, X-Real-IP
  kXRequestId,
  kXSessionId,
  kSecWebSocket,  // any Sec-WebSocket-*
  kServer,
  kDate,
  kStrictTransportSecurity,
  kHttp2Settings,
  kSecGpc,
  kDnt,
  kTraceparent,
  kTracestate,
  kVia,
  kXGatebook,  // any X-Gatebook-*
};

struct Field {
  std::string_view name;   // as received, a token
  std::string_view value;  // trimmed of OWS
  FieldId id = FieldId::kOther;
  // Not to be copied: hop-by-hop (RFC 9110 §7.6.1), named by Connection, a name with an
  // underscore, or Content-Length, which is written anew from content_length.
  bool hop_by_hop = false;
};

enum class Framing : uint8_t {
  kNone,    // no body
  kLength,  // Content-Length, > 0
  kChunked,
  kToClose,  // responses only
};

struct RequestHead {
  Method method = Method::kOther;
  std::string_view method_text;
  std::string_view
      target;  // as received, for forwarding: origin-form or "*"; absolute-form has its origin cut off
  std::string_view path;       // of target, before '?'
  std::string_view query;      // of target, after '?'; empty if none
  std::string_view authority;  // of the absolute form, else Host: host[:port], valid
  std::string_view host;       // authority without port; case as received, IPv6 in its brackets
  int minor_version = 1;
  std::span<const Field> fields;  // with an absolute form, the value of Host is its authority
  Framing framing = Framing::kNone;
  uint64_t content_length = 0;  // kLength; also set to 0 with has_content_length
  bool has_content_length = false;
  bool keep_alive = true;
  bool expect_continue = false;
  bool websocket = false;  // a valid WebSocket handshake (RFC 6455 §4.2.1)
  // Of HTTP/1.1 without a body: the list of other protocols that it offers to go on with (RFC 9110 §7.8);
  // empty: none.
  std::string_view upgrade;
  // websocket, by extended CONNECT (RFC 8441): the stream carries the tunnel, and whoever writes the
  // handshake to an HTTP/1 upstream has to make its own Sec-WebSocket-Key. The method reads GET.
  bool extended_connect = false;
  size_t size = 0;  // bytes of the head in the buffer, with its empty line; of HTTP/2: as it would be in HTTP/1
};

struct ResponseHead {
  int status = 0;
  std::string_view reason;
  int minor_version = 1;
  std::span<const Field> fields;
  Framing framing = Framing::kNone;  // RFC 9112 §6.3, with the request's method known
  uint64_t content_length = 0;
  bool has_content_length = false;  // pass it on, also where there is no body (HEAD, 304)
  bool keep_alive = true;
  bool websocket = false;  // 101 with Upgrade: websocket and a Sec-WebSocket-Accept
  std::string_view upgrade;  // 101: the protocol that follows
  size_t size = 0;
};

}  // namespace gatebook::http
