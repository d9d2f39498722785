// Moments as people write them: "2h" (ago), or a time of RFC 3339.
//
// Thread: pure functions.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace gatebook::review {

// For --since and --until. Nothing if it is neither.
std::optional<base::WallTime> ParseMoment(const std::string& text, base::WallTime now);

// Likewise, of what has been: an error says the right form, with kUsage, also for what lies in the future.
base::Result<base::WallTime> ParsePast(const char* option, const std::string& text, base::WallTime now);

}  // namespace gatebook::review
