#include "proxy/request_writer.h"

#include <charconv>

#include "proxy/cookie.h"
#include "proxy/request_ids.h"

namespace gatebook::proxy {
namespace {

using http::FieldId;

// Fields that we write ourselves or that concern this hop alone.
bool IsOurs(FieldId id) {
  switch (id) {
    case FieldId::kHost:
    case FieldId::kContentLength:
    case FieldId::kTransferEncoding:
    case FieldId::kConnection:
    case FieldId::kExpect:
    case FieldId::kForwarded:
    case FieldId::kXForwarded:
    case FieldId::kXRequestId:
    case FieldId::kXSessionId:
    case FieldId::kXGatebook:
      return true;
    default:
      return false;
  }
}

void AppendField(base::Buffer& out, std::string_view name, std::string_view value) {
  out.Append(name);
  out.Append(": ");
  out.Append(value);
  out.Append("\r\n");
}

void AppendCookieField(base::Buffer& out, const http::Field& field, std::string_view cookie_name) {
  const size_t before = out.size();
  out.Append(field.name);
  out.Append(": ");
  if (AppendWithoutCookie(out, field.value, cookie_name)) {
    out.Append("\r\n");
  } else {
    out.Truncate(before);
  }
}

}  // namespace

bool IsLeftOut(const http::Field& field, const OutgoingRequest& request) {
  if (field.hop_by_hop || IsOurs(field.id)) return true;
  if (request.trace != nullptr) {
    if (field.id == FieldId::kTraceparent) return true;
    if (field.id == FieldId::kTracestate && !request.trace->continued) return true;
  }
  return request.rules != nullptr && request.rules->Drops(field.name);
}

void WriteRequestHead(base::Buffer& out, const OutgoingRequest& request, std::string_view websocket_key) {
  const http::RequestHead& head = request.head;
  const ClientFacts& facts = request.facts;
  out.Reserve(head.size + facts.forwarding_fields.size() + 512);
  out.Append(head.method_text);
  out.Append(" ");
  out.Append(head.target);
  out.Append(" HTTP/1.1\r\nHost: ");
  out.Append(head.authority);
  out.Append("\r\n");
  for (const http::Field& field : head.fields) {
    if (IsLeftOut(field, request)) continue;
    if (field.id == FieldId::kCookie) {
      AppendCookieField(out, field, request.cookie_name);
      continue;
    }
    AppendField(out, field.name, field.value);
  }
  if (request.rules != nullptr) out.Append(request.rules->lines());
  if (request.trace != nullptr) AppendField(out, "traceparent", request.trace->text());
  if (!request.upgrade.empty()) {
    out.Append("Connection: Upgrade\r\n");
    AppendField(out, "Upgrade", request.upgrade);
  }
  if (!websocket_key.empty()) AppendField(out, "Sec-WebSocket-Key", websocket_key);
  if (head.framing == http::Framing::kChunked) {
    out.Append("Transfer-Encoding: chunked\r\n");
  } else if (head.has_content_length) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, head.content_length).ptr;
    out.Append("Content-Length: ");
    out.Append({digits, static_cast<size_t>(end - digits)});
    out.Append("\r\n");
  }
  out.Append(facts.forwarding_fields);
  out.Append(";host=\"");
  out.Append(head.authority);
  out.Append("\"\r\nX-Forwarded-Host: ");
  out.Append(head.authority);
  out.Append(head.minor_version >= 1 ? "\r\nVia: 1.1 gatebook\r\nX-Request-ID: "
                                     : "\r\nVia: 1.0 gatebook\r\nX-Request-ID: ");
  const auto id = ToHexDigits(request.request_id);
  out.Append({id.data(), id.size()});
  out.Append("\r\nX-Session-ID: ");
  out.Append(logger::ToText(request.session));
  if (request.objection) out.Append("\r\nX-Gatebook-Objection: 1");
  out.Append("\r\n\r\n");
}

}  // namespace gatebook::proxy
