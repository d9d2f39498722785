#include "http/characters.h"

#include <array>
#include <cstring>

#include "base/ascii.h"

namespace gatebook::http {
namespace {

constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> table{};
  for (size_t i = 0; i < 128; ++i) {
    const char c = static_cast<char>(i);
    table[i] = base::IsAsciiAlpha(c) || base::IsAsciiDigit(c);
  }
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

// Not zero when one of the eight bytes is below 0x20 or is 0x7f. Borrows can flag a
// byte wrongly only behind one that is rightly flagged, so zero means none.
uint64_t HasControl(uint64_t word) {
  const uint64_t low = (word - kOnes * 0x20) & ~word;
  const uint64_t differs_from_del = word ^ (kOnes * 0x7f);
  const uint64_t del = (differs_from_del - kOnes) & ~differs_from_del;
  return (low | del) & kHighs;
}

}  // namespace

bool IsTokenChar(char c) { return kTokenChars[static_cast<unsigned char>(c)]; }

bool IsToken(std::string_view text) {
  for (const char c : text) {
    if (!IsTokenChar(c)) return false;
  }
  return !text.empty();
}

size_t FindControl(std::string_view text, size_t from) {
  size_t at = from;
  while (at < text.size()) {
    if (text.size() - at >= sizeof(uint64_t)) {
      uint64_t word;
      std::memcpy(&word, text.data() + at, sizeof word);
      if (HasControl(word) == 0) {
        at += sizeof word;
        continue;
      }
    }
    // One by one over a word that holds a control byte (or HTAB), or the last few bytes.
    const size_t end = text.size() - at < sizeof(uint64_t) ? text.size() : at + sizeof(uint64_t);
    for (; at < end; ++at) {
      if (IsControl(text[at]) && text[at] != '\t') return at;
    }
  }
  return text.size();
}

std::string_view TakeListElement(std::string_view& list) {
  const size_t comma = list.find(',');
  const std::string_view element = base::TrimOws(list.substr(0, comma));
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return element;
}

}  // namespace gatebook::http
