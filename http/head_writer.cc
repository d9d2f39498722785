#include "http/head_writer.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "http/characters.h"
#include "http/refusal.h"

namespace gatebook::http {
namespace {

bool IsVisible(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

void HeadWriter::RequestLine(std::string_view method, std::string_view target) {
  CHECK(IsToken(method));
  CHECK(IsVisible(target));
  out_.append(method).append(1, ' ').append(target).append(" HTTP/1.1\r\n");
}

void HeadWriter::StatusLine(int status, std::string_view reason) {
  CHECK(status >= 100 && status <= 999);
  if (!IsFieldValue(reason)) reason = ReasonPhrase(status);
  char digits[3];
  std::to_chars(digits, digits + sizeof digits, status);
  out_.append("HTTP/1.1 ").append(digits, sizeof digits).append(1, ' ').append(reason).append("\r\n");
}

bool HeadWriter::Field(std::string_view name, std::string_view value) {
  if (!IsToken(name) || !IsFieldValue(value)) return false;
  out_.append(name).append(": ").append(value).append("\r\n");
  return true;
}

void HeadWriter::ContentLength(uint64_t length) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, length).ptr;
  out_.append("Content-Length: ").append(digits, static_cast<size_t>(end - digits)).append("\r\n");
}

void HeadWriter::Chunked() { out_.append("Transfer-Encoding: chunked\r\n"); }

}  // namespace gatebook::http
