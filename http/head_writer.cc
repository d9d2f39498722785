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

void HeadWriter::Put(std::initializer_list<std::string_view> parts) {
  size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  char* to = nullptr;
  if (buffer_ != nullptr) {
    buffer_->Reserve(size);
    to = buffer_->room().data();
    buffer_->Commit(size);
  } else {
    const size_t before = string_->size();
    string_->resize(before + size);
    to = string_->data() + before;
  }
  for (const std::string_view part : parts) to = std::ranges::copy(part, to).out;
}

void HeadWriter::RequestLine(std::string_view method, std::string_view target) {
  CHECK(IsToken(method));
  CHECK(IsVisible(target));
  Put({method, " ", target, " HTTP/1.1\r\n"});
}

void HeadWriter::StatusLine(int status, std::string_view reason) {
  CHECK(status >= 100 && status <= 999);
  if (!IsFieldValue(reason)) reason = ReasonPhrase(status);
  char digits[3];
  std::to_chars(digits, digits + sizeof digits, status);
  Put({"HTTP/1.1 ", {digits, sizeof digits}, " ", reason, "\r\n"});
}

bool HeadWriter::Field(std::string_view name, std::string_view value) {
  if (!IsToken(name) || !IsFieldValue(value)) return false;
  Put({name, ": ", value, "\r\n"});
  return true;
}

void HeadWriter::ContentLength(uint64_t length) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, length).ptr;
  Put({"Content-Length: ", {digits, static_cast<size_t>(end - digits)}, "\r\n"});
}

void HeadWriter::Chunked() { Put({"Transfer-Encoding: chunked\r\n"}); }

}  // namespace gatebook::http
