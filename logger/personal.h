// What in a text looks personal: telephone numbers, e-mail addresses, long tokens.
//
// Works on decoded text (logger/mask.h decodes); never on names or headers.
// Thread: any; pure; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace gatebook::logger {

enum class Personal : uint8_t { kNo, kNumber, kEmail, kToken };

// Shortest run of token characters that is looked at, in octets.
inline constexpr size_t kLeastToken = 16;
// Fewest digits of a number that is masked; with a leading '+' the second.
inline constexpr size_t kLeastDigits = 7;
inline constexpr size_t kLeastDigitsPlus = 5;

// Removes every layer of percent-encoding (%41, %2541, %u0041, …) and folds what
// reads like ASCII to it: full-width forms, other scripts' digits, dashes, spaces;
// zero-width and control characters vanish. For deciding only: this is more than any server
// decodes, so that whatever one of them might read is seen.
// Returns `raw` itself or a view of `out`, never longer; requires out.size() >= raw.size().
std::string_view Unfold(std::string_view raw, std::span<char> out);

// Says of every octet of `text` what it is part of. Requires marks.size() >= text.size().
// False if nothing is personal; then `marks` are all kNo.
bool MarkPersonal(std::string_view text, std::span<Personal> marks);

}  // namespace gatebook::logger
