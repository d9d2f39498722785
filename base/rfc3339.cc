#include "base/rfc3339.h"

#include <fmt/format.h>

#include "base/ascii.h"

namespace gatebook::base {

std::string ToRfc3339(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

namespace {

// Reads exactly `digits` digits off the front.
std::optional<int> TakeNumber(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (!IsAsciiDigit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool TakeChar(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<WallTime> ParseRfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto year_number = TakeNumber(text, 4);
  if (!year_number || !TakeChar(text, "-")) return std::nullopt;
  const auto month_number = TakeNumber(text, 2);
  if (!month_number || !TakeChar(text, "-")) return std::nullopt;
  const auto day_number = TakeNumber(text, 2);
  if (!day_number || !TakeChar(text, "Tt ")) return std::nullopt;
  const auto hour = TakeNumber(text, 2);
  if (!hour || !TakeChar(text, ":")) return std::nullopt;
  const auto minute = TakeNumber(text, 2);
  if (!minute || !TakeChar(text, ":")) return std::nullopt;
  const auto second = TakeNumber(text, 2);
  if (!second) return std::nullopt;
  const year_month_day date{year(*year_number), month(static_cast<unsigned>(*month_number)),
                            day(static_cast<unsigned>(*day_number))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  milliseconds fraction{0};
  if (TakeChar(text, ".")) {
    int place = 100;
    size_t digits = 0;
    while (!text.empty() && IsAsciiDigit(text.front())) {
      fraction += milliseconds((text.front() - '0') * place);
      place /= 10;
      text.remove_prefix(1);
      ++digits;
    }
    if (digits == 0) return std::nullopt;
  }
  minutes offset{0};
  if (!TakeChar(text, "Zz")) {
    const bool east = !text.empty() && text.front() == '+';
    if (!TakeChar(text, "+-")) return std::nullopt;
    const auto offset_hours = TakeNumber(text, 2);
    if (!offset_hours || !TakeChar(text, ":")) return std::nullopt;
    const auto offset_minutes = TakeNumber(text, 2);
    if (!offset_minutes || *offset_hours > 23 || *offset_minutes > 59) return std::nullopt;
    offset = minutes(*offset_hours * 60 + *offset_minutes) * (east ? 1 : -1);
  }
  if (!text.empty()) return std::nullopt;
  return WallTime(sys_days(date)) + hours(*hour) + minutes(*minute) + seconds(*second) + fraction - offset;
}

}  // namespace gatebook::base
