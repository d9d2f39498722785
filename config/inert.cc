#include "config/inert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/check.h"

namespace gatebook::config {
namespace {

bool IsContinuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }

// The length of the well-formed sequence at the front (Unicode 15 table 3-7) and its code point; 0: none.
size_t Decode(std::string_view text, uint32_t& code_point) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) {
    code_point = first;
    return 1;
  }
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  code_point = first & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
    code_point = (code_point << 6) | (static_cast<uint8_t>(text[i]) & 0x3F);
  }
  const bool overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  return overlong || surrogate || code_point > 0x10FFFF ? 0 : length;
}

bool IsActive(uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F) ||  // controls
         code_point == 0x061C || (code_point >= 0x200B && code_point <= 0x200F) ||
         (code_point >= 0x2028 && code_point <= 0x202E) ||  // separators, embeddings, overrides
         (code_point >= 0x2060 && code_point <= 0x206F) || code_point == 0xFEFF ||
         (code_point >= 0xE0000 && code_point <= 0xE007F);  // tags
}

}  // namespace

std::string TakeInert(std::string_view& text) {
  CHECK(!text.empty());
  uint32_t code_point = 0;
  const size_t length = Decode(text, code_point);
  std::string inert;
  if (length == 0) {
    inert = fmt::format("\\x{:02x}", static_cast<uint8_t>(text[0]));
  } else if (code_point == '\t') {
    inert = ' ';
  } else if (IsActive(code_point)) {
    inert = fmt::format("\\u{{{:x}}}", code_point);
  } else {
    inert = text.substr(0, length);
  }
  text.remove_prefix(std::max<size_t>(length, 1));
  return inert;
}

std::string Inert(std::string_view text, size_t most) {
  std::string inert;
  size_t characters = 0;
  while (!text.empty()) {
    if (characters >= most) return inert + "…";
    const std::string next = TakeInert(text);
    characters += CountCharacters(next);
    inert += next;
  }
  return inert;
}

std::optional<size_t> FindNotUtf8(std::string_view text) {
  uint32_t code_point = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t length = Decode(text.substr(at), code_point);
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

size_t CountCharacters(std::string_view text) {
  return text.size() - static_cast<size_t>(std::count_if(text.begin(), text.end(), IsContinuation));
}

}  // namespace gatebook::config
