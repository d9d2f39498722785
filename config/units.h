// Durations and sizes as people write them: "1500ms", "30d", "4GiB".
//
// A number without a unit is an error that says so: "30" for "30d" must never
// mean thirty of something else. Digits only: no sign, space or fraction.
//
// Thread: any. Limits: a duration is at most 36,500 d, a size at most 8 EiB.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatebook::config {

// Units: ms, s, m or min, h, d. The error is a sentence without the name of the option.
base::Result<std::chrono::milliseconds> ParseDuration(std::string_view text);
// The largest unit that says it exactly ("90s", "24h", "30d"); ParseDuration's inverse.
// Requires: not negative.
std::string FormatDuration(std::chrono::milliseconds duration);

// Units: B, KiB, MiB, GiB (powers of 1,024).
base::Result<uint64_t> ParseSize(std::string_view text);
// The largest unit that says it exactly; ParseSize's inverse.
std::string FormatSize(uint64_t bytes);

}  // namespace gatebook::config
