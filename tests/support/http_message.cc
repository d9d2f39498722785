#include "tests/support/http_message.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace gatebook::support {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

BodyEnd TakeChunks(HttpMessage* message, std::string* bytes) {
  for (;;) {
    const size_t line_end = bytes->find("\r\n");
    if (line_end == std::string::npos) return BodyEnd::kMore;
    size_t size = 0;
    const auto [end, error] = std::from_chars(bytes->data(), bytes->data() + line_end, size, 16);
    if (error != std::errc() || end == bytes->data()) return BodyEnd::kBroken;
    if (size == 0) {
      const size_t trailer_end = bytes->find("\r\n\r\n", line_end);
      if (trailer_end == std::string::npos) return BodyEnd::kMore;
      bytes->erase(0, trailer_end + 4);
      message->complete = true;
      return BodyEnd::kComplete;
    }
    if (bytes->size() < line_end + 2 + size + 2) return BodyEnd::kMore;
    if (bytes->compare(line_end + 2 + size, 2, "\r\n") != 0) return BodyEnd::kBroken;
    message->body.append(*bytes, line_end + 2, size);
    bytes->erase(0, line_end + 2 + size + 2);
  }
}

}  // namespace

int HttpMessage::status() const {
  int status = 0;
  if (first_line.starts_with("HTTP/1.") && first_line.size() >= 12) {
    std::from_chars(first_line.data() + 9, first_line.data() + 12, status);
  }
  return status;
}

std::optional<std::string> HttpMessage::Field(std::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (field == name) return value;
  }
  return std::nullopt;
}

size_t HttpMessage::Count(std::string_view name) const {
  return static_cast<size_t>(
      std::count_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; }));
}

HttpMessage ParseHead(std::string head) {
  HttpMessage message;
  size_t at = head.find("\r\n");
  CHECK(at != std::string::npos);
  message.first_line = head.substr(0, at);
  for (at += 2; at + 2 < head.size();) {
    const size_t end = head.find("\r\n", at);
    if (end == std::string::npos || end == at) break;
    const std::string_view line(head.data() + at, end - at);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      message.fields.emplace_back(Lower(line.substr(0, colon)), Trim(line.substr(colon + 1)));
    }
    at = end + 2;
  }
  message.chunked = message.Field("transfer-encoding") == "chunked";
  message.head = std::move(head);
  return message;
}

BodyEnd TakeBody(HttpMessage* message, std::string* bytes, bool has_body) {
  if (!has_body) {
    message->complete = true;
    return BodyEnd::kComplete;
  }
  if (message->chunked) return TakeChunks(message, bytes);
  size_t length = 0;
  if (const auto text = message->Field("content-length")) {
    std::from_chars(text->data(), text->data() + text->size(), length);
  }
  const size_t taken = std::min(length - message->body.size(), bytes->size());
  message->body.append(*bytes, 0, taken);
  bytes->erase(0, taken);
  if (message->body.size() < length) return BodyEnd::kMore;
  message->complete = true;
  return BodyEnd::kComplete;
}

std::string Chunk(std::string_view data) {
  char size[17];
  const auto end = std::to_chars(size, size + sizeof size, data.size(), 16).ptr;
  std::string chunk(size, end);
  chunk += "\r\n";
  chunk += data;
  return chunk + "\r\n";
}

}  // namespace gatebook::support
