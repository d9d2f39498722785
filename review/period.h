// Period: a day, an ISO week or a month of UTC: what a publication may cover, and nothing else.
//
// Thread: pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace gatebook::review {

using Day = std::chrono::sys_days;

std::string ToText(Day day);  // 2026-11-27
std::optional<Day> ParseDay(std::string_view text);

class Period {
 public:
  enum class Kind { kDay, kWeek, kMonth };

  // "2026-11-27", "2026-W48" (ISO 8601), "2026-11". Nothing if it is none, or before 2000 or after 2999.
  static std::optional<Period> Parse(Kind kind, std::string_view text);
  static Period Containing(Kind kind, Day day);

  Kind kind() const { return kind_; }
  Day first() const { return first_; }
  Day end() const { return end_; }  // the day after the last
  std::vector<Day> Days() const;
  Period Before() const { return Containing(kind_, first_ - std::chrono::days(1)); }
  // As Parse() takes it.
  std::string ToText() const;

  bool operator==(const Period&) const = default;

 private:
  Period(Kind kind, Day first, Day end) : kind_(kind), first_(first), end_(end) {}

  Kind kind_;
  Day first_;
  Day end_;
};

// "day", "week", "month".
std::string_view ToText(Period::Kind kind);

// A day can be counted from its visits once the last of them are written: so long after its end.
inline constexpr std::chrono::minutes kSettleTime{10};
// The last one that is over by then.
Period LastComplete(Period::Kind kind, base::WallTime now);

}  // namespace gatebook::review
