#include "base/hex.h"

namespace gatebook::base {
namespace {

constexpr char kDigits[] = "0123456789abcdef";
constexpr char kUrlAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int UrlValue(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  if (c == '_') return 63;
  return -1;
}

}  // namespace

std::string ToHex(std::span<const uint8_t> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

bool FromHex(std::string_view text, std::span<uint8_t> out) {
  if (text.size() != out.size() * 2) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    const int high = HexValue(text[2 * i]);
    const int low = HexValue(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

std::string ToBase64Url(std::span<const uint8_t> bytes) {
  std::string text;
  AppendBase64Url(bytes, text);
  return text;
}

void AppendBase64Url(std::span<const uint8_t> bytes, std::string& text) {
  text.reserve(text.size() + (bytes.size() * 4 + 2) / 3);
  uint32_t bits = 0;
  int count = 0;
  for (const uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += kUrlAlphabet[bits >> count & 63];
    }
  }
  if (count > 0) text += kUrlAlphabet[bits << (6 - count) & 63];
}

bool FromBase64Url(std::string_view text, std::span<uint8_t> out) {
  if (text.size() != (out.size() * 4 + 2) / 3) return false;
  uint32_t bits = 0;
  int count = 0;
  size_t filled = 0;
  for (const char c : text) {
    const int value = UrlValue(c);
    if (value < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out[filled++] = static_cast<uint8_t>(bits >> count);
    }
  }
  // Left-over bits must be zero, or two texts would name the same bytes.
  return filled == out.size() && (bits & ((1U << count) - 1)) == 0;
}

}  // namespace gatebook::base
