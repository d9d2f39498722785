// Unfold (logger/personal.h): all layers of encoding off in one pass.
//
// Decoding until nothing changes costs a pass a layer, and "%25252525…" makes as
// many layers as a client likes. Instead every octet is pushed on a stack, and when
// the top of the stack reads "%hh" those three become one octet, which may complete
// another "%hh" below it. Each such step takes two octets away for good, so the
// whole is linear however deep the nesting.
#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "logger/personal.h"
#include "logger/text.h"

namespace gatebook::logger {
namespace {

constexpr uint32_t HexValue(char c) {
  if (base::IsAsciiDigit(c)) return static_cast<uint32_t>(c - '0');
  return static_cast<uint32_t>(base::ToAsciiLower(c) - 'a' + 10);
}

// Where ten decimal digits of other scripts begin (Unicode general category Nd).
constexpr std::array<uint16_t, 24> kDigitZeros = {
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66,
    0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0xa620};

constexpr char kDrop = 0;
constexpr char kKeep = 1;

// The ASCII character that `code` (not ASCII itself) reads like, or kDrop, or kKeep.
char FoldOf(uint32_t code) {
  if (code >= 0xff01 && code <= 0xff5e) return static_cast<char>(code - 0xfee0);
  if (code >= 0x1d7ce && code <= 0x1d7ff) return static_cast<char>('0' + (code - 0x1d7ce) % 10);
  for (const uint32_t zero : kDigitZeros) {
    if (code >= zero && code < zero + 10) return static_cast<char>('0' + (code - zero));
  }
  if ((code >= 0x2010 && code <= 0x2015) || code == 0x2212 || code == 0xfe58 || code == 0xfe63) return '-';
  if (code == 0xa0 || (code >= 0x2000 && code <= 0x200a) || code == 0x202f || code == 0x205f ||
      code == 0x3000) {
    return ' ';
  }
  if (code == 0xb7 || code == 0x2022 || code == 0x2024) return '.';
  if (code == 0x2044 || code == 0x2215) return '/';
  if (code == 0xfe6b) return '@';
  if (code == 0xfe62) return '+';
  if (code == 0xad || (code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) ||
      (code >= 0x2060 && code <= 0x206f) || code == 0xfeff) {
    return kDrop;
  }
  return kKeep;
}

class Stack {
 public:
  explicit Stack(std::span<char> octets) : octets_(octets) {}

  void Push(char c) {
    octets_[size_++] = c;
    while (Collapse()) {
    }
  }
  size_t size() const { return size_; }

 private:
  char Top(size_t below) const { return octets_[size_ - 1 - below]; }

  bool Collapse() {
    if (size_ < 3 || !base::IsAsciiHex(Top(0)) || !base::IsAsciiHex(Top(1))) return false;
    const uint32_t low = HexValue(Top(1)) << 4 | HexValue(Top(0));
    if (Top(2) == '%') {
      size_ -= 3;
      octets_[size_++] = static_cast<char>(low);
      return true;
    }
    // %uhhhh of old scripts (ECMAScript escape()).
    if (size_ < 6 || !base::IsAsciiHex(Top(2)) || !base::IsAsciiHex(Top(3))) return false;
    if ((Top(4) != 'u' && Top(4) != 'U') || Top(5) != '%') return false;
    const uint32_t code = HexValue(Top(3)) << 12 | HexValue(Top(2)) << 8 | low;
    size_ -= 6;
    if (code < 0x80) {
      octets_[size_++] = static_cast<char>(code);
    } else if (code < 0x800) {
      octets_[size_++] = static_cast<char>(0xc0 | code >> 6);
      octets_[size_++] = static_cast<char>(0x80 | (code & 0x3f));
    } else {
      octets_[size_++] = static_cast<char>(0xe0 | code >> 12);
      octets_[size_++] = static_cast<char>(0x80 | (code >> 6 & 0x3f));
      octets_[size_++] = static_cast<char>(0x80 | (code & 0x3f));
    }
    return true;
  }

  std::span<char> octets_;
  size_t size_ = 0;
};

}  // namespace

std::string_view Unfold(std::string_view raw, std::span<char> out) {
  if (std::all_of(raw.begin(), raw.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != '%'; }))
    return raw;
  Stack stack(out);
  for (const char c : raw) stack.Push(c);

  const std::string_view decoded(out.data(), stack.size());
  size_t size = 0;
  for (size_t at = 0; at < decoded.size();) {
    const auto first = static_cast<uint8_t>(decoded[at]);
    if (first < 0x80) {
      if (first >= 0x20 && first != 0x7f) out[size++] = decoded[at];
      ++at;
      continue;
    }
    if ((first == 0xc0 || first == 0xc1) &&
        at + 1 < decoded.size()) {  // overlong ASCII, which careless decoders take
      out[size++] = static_cast<char>((first & 1) << 6 | (static_cast<uint8_t>(decoded[at + 1]) & 0x3f));
      at += 2;
      continue;
    }
    const Utf8Character character = ReadUtf8(decoded.substr(at));
    const size_t octets = std::max<size_t>(character.size, 1);
    const char fold = character.size == 0 ? kKeep : FoldOf(character.code);
    if (fold == kKeep) {
      for (size_t i = 0; i < octets; ++i) out[size + i] = decoded[at + i];
      size += octets;
    } else if (fold != kDrop) {
      out[size++] = fold;
    }
    at += octets;
  }
  return {out.data(), size};
}

}  // namespace gatebook::logger
