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

void HeadWriter::Put(std::string_view text) {
  if (buffer_ != nullptr) {
    buffer_->Append(text);
  } else {
    string_->append(text);
  }
}

void HeadWriter::RequestLine(std::string_view method, std::string_view target) {
  CHECK(IsToken(method));
  CHECK(IsVisible(target));
  Put(method);
  Put(" ");
  Put(target);
  Put(" HTTP/1.1\r\n");
}

void HeadWriter::StatusLine(int status, std::string_view reason) {
  CHECK(status >= 100 && status <= 999);
  if (!IsFieldValue(reason)) reason = ReasonPhrase(status);
  char digits[3];
  std::to_chars(digits, digits + sizeof digits, status);
  Put("HTTP/1.1 ");
  Put({digits, sizeof digits});
  Put(" ");
  Put(reason);
  Put("\r\n");
}

bool HeadWriter::Field(std::string_view name, std::string_view value) {
  if (!IsToken(name) || !IsFieldValue(value)) return false;
  Put(name);
  Put(": ");
  Put(value);
  Put("\r\n");
  return true;
}

void HeadWriter::ContentLength(uint64_t length) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, length).ptr;
  Put("Content-Length: ");
  Put({digits, static_cast<size_t>(end - digits)});
  Put("\r\n");
}

void HeadWriter::Chunked() { Put("Transfer-Encoding: chunked\r\n"); }

}  // namespace gatebook::http
