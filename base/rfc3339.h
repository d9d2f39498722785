// RFC 3339 times in UTC with milliseconds: "2026-11-23T21:53:01.042Z".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace gatebook::base {

std::string ToRfc3339(WallTime time);
// Accepts 'T' or a space between date and time, optional fraction (cut to
// milliseconds), 'Z' or a numeric offset.
std::optional<WallTime> ParseRfc3339(std::string_view text);

}  // namespace gatebook::base
