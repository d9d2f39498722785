#include "http/characters.h"

#include <bit>
#include <cstring>

#include "base/ascii.h"

namespace gatebook::http {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

static_assert(std::endian::native == std::endian::little, "the lowest byte of a word is its first");

// The high bit of the first control byte among the eight; zero when there is none. Borrows
// can flag a byte wrongly only behind one that is rightly flagged.
uint64_t FlagControls(uint64_t word) {
  const uint64_t low = (word - kOnes * 0x20) & ~word;
  const uint64_t differs_from_del = word ^ (kOnes * 0x7f);
  const uint64_t del = (differs_from_del - kOnes) & ~differs_from_del;
  return (low | del) & kHighs;
}

}  // namespace

bool IsToken(std::string_view text) {
  for (const char c : text) {
    if (!IsTokenChar(c)) return false;
  }
  return !text.empty();
}

size_t FindControl(std::string_view text, size_t from) {
  size_t at = from;
  while (at + sizeof(uint64_t) <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    const uint64_t flags = FlagControls(word);
    if (flags == 0) {
      at += sizeof word;
      continue;
    }
    at += static_cast<size_t>(std::countr_zero(flags)) / 8;
    if (text[at] != '\t') return at;
    ++at;
  }
  while (at < text.size() && (!IsControl(text[at]) || text[at] == '\t')) ++at;
  return at;
}

std::string_view TakeListElement(std::string_view& list) {
  const size_t comma = list.find(',');
  const std::string_view element = base::TrimOws(list.substr(0, comma));
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return element;
}

}  // namespace gatebook::http
