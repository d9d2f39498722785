// Base 16 and base64url (RFC 4648 §8 and §5, the latter without padding).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gatebook::base {

std::string ToHex(std::span<const uint8_t> bytes);  // lower case
// Fills all of `out`; false unless `text` has exactly two digits a byte.
bool FromHex(std::string_view text, std::span<uint8_t> out);

std::string ToBase64Url(std::span<const uint8_t> bytes);
void AppendBase64Url(std::span<const uint8_t> bytes, std::string& text);
// Fills all of `out`; false unless `text` is the one canonical form of that many bytes.
bool FromBase64Url(std::string_view text, std::span<uint8_t> out);

}  // namespace gatebook::base
