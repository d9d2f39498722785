#include "logger/text.h"

#include <algorithm>
#include <cstring>

namespace gatebook::logger {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

// Non-zero if any of eight bytes is below 0x20, is 0x7f or has its high bit set.
// Exact for "any"; which byte it was does not matter here.
constexpr uint64_t AnyUnprintable(uint64_t word) {
  const uint64_t below_space = (word - kOnes * 0x20) & ~word;
  const uint64_t without_delete = word ^ (kOnes * 0x7f);
  const uint64_t is_delete = (without_delete - kOnes) & ~without_delete;
  return (below_space | is_delete | word) & kHighs;
}

// Length of the leading part of `text` that is printable ASCII for certain.
size_t PrintablePrefix(std::string_view text) {
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    if (AnyUnprintable(word) != 0) break;
  }
  while (at < text.size() && text[at] >= 0x20 && text[at] < 0x7f) ++at;
  return at;
}

constexpr bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xc0) == 0x80; }

// Characters that change how others are shown without showing themselves.
constexpr bool IsHidden(uint32_t code) {
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;  // C0, DEL, C1
  if (code < 0x600) return code == 0xad;                           // soft hyphen
  if (code == 0x61c || code == 0x180e) return true;                // Arabic letter mark, Mongolian separator
  if (code >= 0x200b && code <= 0x200f) return true;               // zero width, direction marks
  if (code >= 0x2028 && code <= 0x202e) return true;               // line ends, embeddings, overrides
  if (code >= 0x2060 && code <= 0x206f) return true;               // joiners, isolates
  if (code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb)) return true;
  if ((code & 0xfffe) == 0xfffe) return true;  // never a character
  return code >= 0xe0000 && code <= 0xe007f;   // tags
}

// Writes the escape of `code` into `to` (12 octets are enough) and returns its size.
size_t WriteEscape(uint32_t code, bool byte, char* to) {
  constexpr char kDigits[] = "0123456789abcdef";
  const int digits = byte ? 2 : code > 0xffff ? 6 : 4;
  size_t size = 0;
  to[size++] = '\\';
  to[size++] = byte ? 'x' : digits == 6 ? 'U' : 'u';
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) to[size++] = kDigits[(code >> shift) & 15];
  return size;
}

}  // namespace

Utf8Character ReadUtf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  const uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {};
  uint32_t code = first & (0x7fU >> size);
  for (size_t i = 1; i < size; ++i) {
    if (!IsContinuation(text[i])) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  if (size == 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) return {};
  if (size == 4 && (code < 0x10000 || code > 0x10ffff)) return {};
  return {code, size};
}

std::string_view CleanText(std::string_view raw, size_t most, std::span<char> out) {
  const size_t plain = PrintablePrefix(raw.substr(0, most));
  if (plain == std::min(raw.size(), most)) return raw.substr(0, plain);

  most = std::min(most, out.size());
  size_t size = 0;
  const auto put = [&](const char* bytes, size_t count) {
    if (size + count > most) return false;
    std::memcpy(out.data() + size, bytes, count);
    size += count;
    return true;
  };
  bool changed = false;
  size_t at = 0;
  while (at < raw.size()) {
    const Utf8Character character = ReadUtf8(raw.substr(at));
    bool fits;
    if (character.size != 0 && !IsHidden(character.code)) {
      fits = put(raw.data() + at, character.size);
    } else {
      char escape[12];
      const bool byte = character.size == 0 || character.code < 0x80;
      const uint32_t code = character.size == 0 ? static_cast<uint8_t>(raw[at]) : character.code;
      fits = put(escape, WriteEscape(code, byte, escape));
      changed = true;
    }
    if (!fits) break;
    at += std::max<size_t>(character.size, 1);
  }
  return changed ? std::string_view(out.data(), size) : raw.substr(0, size);
}

}  // namespace gatebook::logger
