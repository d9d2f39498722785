#include "http/framing_fields.h"

#include "base/ascii.h"
#include "http/characters.h"

namespace gatebook::http {
namespace {

constexpr uint64_t kLengthMost = INT64_MAX;

std::optional<uint64_t> ParseLength(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (!base::IsAsciiDigit(c)) return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (value > (kLengthMost - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace

std::optional<Refusal> FramingFields::TakeLength(std::string_view value) {
  if (chunked) return Refusal::kLengthWithCoding;
  const auto parsed = ParseLength(value);
  if (!parsed || has_length) return Refusal::kBadContentLength;
  has_length = true;
  length = *parsed;
  return std::nullopt;
}

std::optional<Refusal> FramingFields::TakeCoding(std::string_view value, int minor_version) {
  if (minor_version == 0) return Refusal::kCodingInHttp10;
  if (has_length) return Refusal::kLengthWithCoding;
  if (chunked) return Refusal::kRepeatedCoding;
  if (base::EqualsIgnoreCase(value, "chunked")) {
    chunked = true;
    return std::nullopt;
  }
  bool names_chunked = false;
  while (!value.empty()) {
    const std::string_view coding = TakeListElement(value);
    if (base::EqualsIgnoreCase(coding, "chunked")) {
      names_chunked = true;
    } else if (!coding.empty()) {
      return Refusal::kUnknownCoding;
    }
  }
  return names_chunked ? Refusal::kRepeatedCoding : Refusal::kUnknownCoding;
}

}  // namespace gatebook::http
