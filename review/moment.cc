#include "review/moment.h"

#include <fmt/format.h>

#include "base/rfc3339.h"
#include "config/units.h"
#include "review/render.h"

namespace gatebook::review {

std::optional<base::WallTime> ParseMoment(const std::string& text, base::WallTime now) {
  if (const auto ago = config::ParseDuration(text)) return now - *ago;
  return base::ParseRfc3339(text);
}

base::Result<base::WallTime> ParsePast(const char* option, const std::string& text, base::WallTime now) {
  const auto moment = ParseMoment(text, now);
  if (!moment) {
    return base::Error{
        fmt::format("{}: not a time: {}; write 2h, 30d, or 2026-11-23T21:00:00Z", option, Harmless(text)),
        base::ExitCode::kUsage};
  }
  if (*moment > now) {
    return base::Error{
        fmt::format("{} lies in the future: {}; only what has been can be meant: write a time up to now, "
                    "as 2h (ago) or 2026-11-23T21:00:00Z",
                    option, Harmless(text)),
        base::ExitCode::kUsage};
  }
  return *moment;
}

}  // namespace gatebook::review
