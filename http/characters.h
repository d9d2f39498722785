// Character classes of RFC 9110 §5.6 and a quick search for what may stand in no line.
//
// Thread: any; pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ascii.h"

namespace gatebook::http {

inline constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> table{};
  for (size_t i = 0; i < 128; ++i) {
    const char c = static_cast<char>(i);
    table[i] = base::IsAsciiAlpha(c) || base::IsAsciiDigit(c);
  }
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

// tchar: letters, digits and !#$%&'*+-.^_`|~
inline bool IsTokenChar(char c) { return kTokenChars[static_cast<unsigned char>(c)]; }
bool IsToken(std::string_view text);  // and not empty

constexpr bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// The place of the first control byte other than HTAB at or behind `from`, or
// text.size(). Eight bytes a step.
size_t FindControl(std::string_view text, size_t from);

// A field value as RFC 9110 §5.5 has it: SP, HTAB, visible ASCII and obs-text.
inline bool IsFieldValue(std::string_view text) { return FindControl(text, 0) == text.size(); }

// Takes the next element off a comma-separated list (RFC 9110 §5.6.1), trimmed; may be empty.
std::string_view TakeListElement(std::string_view& list);

}  // namespace gatebook::http
