#include "proxy/request_fields.h"

#include <charconv>

#include "base/ascii.h"
#include "http/trailers.h"
#include "proxy/cookie.h"
#include "proxy/request_ids.h"

namespace gatebook::proxy {
namespace {

using http::FieldId;

// For a length, two ids and the punctuation between.
constexpr size_t kOwnText = 128;

size_t RoomFor(const OutgoingRequest& request) {
  size_t room = kOwnText + request.facts.forwarding_fields.size() + request.head.authority.size();
  for (const http::Field& field : request.head.fields) {
    if (field.id == FieldId::kCookie) room += field.value.size();
  }
  return room;
}

// Takes a line off the front, without its end.
std::string_view TakeLine(std::string_view& lines) {
  const size_t end = lines.find("\r\n");
  const std::string_view line = lines.substr(0, end);
  lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
  return line;
}

}  // namespace

std::string_view RequestFields::Keep(std::string_view text) {
  const size_t begin = text_.size();
  text_.Append(text);
  return text_.data().substr(begin);
}

void RequestFields::PutCookie(const http::Field& field, std::string_view cookie_name) {
  const size_t begin = text_.size();
  if (AppendWithoutCookie(text_, field.value, cookie_name)) Put(field.name, text_.data().substr(begin));
}

// All but the last line is ready; the last is completed with the host.
void RequestFields::PutForwarding(const OutgoingRequest& request) {
  std::string_view lines = request.facts.forwarding_fields;
  while (!lines.empty()) {
    const std::string_view line = TakeLine(lines);
    const size_t colon = line.find(": ");
    std::string_view value = line.substr(colon + 2);
    if (lines.empty()) {
      const size_t begin = text_.size();
      for (const std::string_view part :
           {value, std::string_view(";host=\""), request.head.authority, std::string_view("\"")}) {
        text_.Append(part);
      }
      value = text_.data().substr(begin);
    }
    Put(line.substr(0, colon), value);
  }
  Put("x-forwarded-host", request.head.authority);
}

http::H2Request RequestFields::Make(const OutgoingRequest& request, std::string_view scheme) {
  const http::RequestHead& head = request.head;
  const bool tunnel = !request.upgrade.empty();
  text_.Release();
  text_.Reserve(RoomFor(request));
  fields_.clear();
  for (const http::Field& field : head.fields) {
    if (IsLeftOut(field, request)) continue;
    if (field.id == FieldId::kCookie) {
      PutCookie(field, request.cookie_name);
    } else if (!tunnel || !base::EqualsIgnoreCase(field.name, "sec-websocket-key")) {
      fields_.push_back(field);
    }
  }
  if (request.rules != nullptr) {
    for (const auto& put : request.rules->puts()) Put(put.lower_name, put.value);
  }
  if (http::AcceptsTrailers(head.fields)) {
    fields_.push_back({.name = "te", .value = "trailers", .id = FieldId::kTe, .hop_by_hop = true});
  }
  if (request.trace != nullptr) Put("traceparent", request.trace->text());
  if (head.has_content_length) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, head.content_length).ptr;
    Put("content-length", Keep({digits, static_cast<size_t>(end - digits)}));
  }
  PutForwarding(request);
  Put("via", head.minor_version >= 1 ? "1.1 gatebook" : "1.0 gatebook");
  const auto id = ToHexDigits(request.request_id);
  Put("x-request-id", Keep({id.data(), id.size()}));
  Put("x-session-id", Keep(logger::ToText(request.session)));
  if (request.objection) Put("x-gatebook-objection", "1");
  return {.method = tunnel ? std::string_view("CONNECT") : head.method_text,
          .scheme = scheme,
          .authority = head.authority,
          .path = head.target,
          .fields = fields_,
          .more = {},
          .protocol = request.upgrade};
}

}  // namespace gatebook::proxy
