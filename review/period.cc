#include "review/period.h"

#include <fmt/format.h>

#include "base/ascii.h"

namespace gatebook::review {
namespace {

using namespace std::chrono;

// Text of exactly the form of `pattern`, in which 0 stands for a digit: its numbers, in order.
std::optional<std::vector<unsigned>> Numbers(std::string_view text, std::string_view pattern) {
  if (text.size() != pattern.size()) return std::nullopt;
  std::vector<unsigned> numbers;
  bool in_number = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (pattern[i] == '0') {
      if (!base::IsAsciiDigit(text[i])) return std::nullopt;
      if (!in_number) numbers.push_back(0);
      numbers.back() = numbers.back() * 10 + static_cast<unsigned>(text[i] - '0');
    } else if (text[i] != pattern[i]) {
      return std::nullopt;
    }
    in_number = pattern[i] == '0';
  }
  if (numbers[0] < 2000 || numbers[0] > 2999) return std::nullopt;
  return numbers;
}

// ISO 8601: weeks begin on Monday, and the first of a year is the one that has its first Thursday.
Day FirstWeekOf(year of) {
  const Day fourth = sys_days(of / January / 4);
  return fourth - (weekday(fourth) - Monday);
}

year YearOfWeek(Day monday) { return year_month_day(monday + days(3)).year(); }

}  // namespace

std::string ToText(Day day) {
  const year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::optional<Day> ParseDay(std::string_view text) {
  const auto numbers = Numbers(text, "0000-00-00");
  if (!numbers) return std::nullopt;
  const year_month_day date{year(static_cast<int>((*numbers)[0])), month((*numbers)[1]), day((*numbers)[2])};
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

std::string_view ToText(Period::Kind kind) {
  switch (kind) {
    case Period::Kind::kDay:
      return "day";
    case Period::Kind::kWeek:
      return "week";
    case Period::Kind::kMonth:
      return "month";
  }
  return {};
}

std::optional<Period> Period::Parse(Kind kind, std::string_view text) {
  if (kind == Kind::kDay) {
    const auto day = ParseDay(text);
    return day ? std::optional(Containing(kind, *day)) : std::nullopt;
  }
  const auto numbers = Numbers(text, kind == Kind::kWeek ? "0000-W00" : "0000-00");
  if (!numbers) return std::nullopt;
  const year of(static_cast<int>((*numbers)[0]));
  const unsigned number = (*numbers)[1];
  if (kind == Kind::kMonth) {
    if (number < 1 || number > 12) return std::nullopt;
    return Containing(kind, sys_days(of / month(number) / 1));
  }
  if (number < 1) return std::nullopt;
  const Day monday = FirstWeekOf(of) + days(7 * (number - 1));
  if (YearOfWeek(monday) != of) return std::nullopt;
  return Containing(kind, monday);
}

Period Period::Containing(Kind kind, Day day) {
  if (kind == Kind::kDay) return {kind, day, day + days(1)};
  if (kind == Kind::kWeek) {
    const Day monday = day - (weekday(day) - Monday);
    return {kind, monday, monday + days(7)};
  }
  const year_month_day date(day);
  const year_month of = date.year() / date.month();
  return {kind, sys_days(of / 1), sys_days((of + months(1)) / 1)};
}

std::vector<Day> Period::Days() const {
  std::vector<Day> all;
  for (Day day = first_; day < end_; day += days(1)) all.push_back(day);
  return all;
}

std::string Period::ToText() const {
  if (kind_ == Kind::kDay) return review::ToText(first_);
  if (kind_ == Kind::kMonth) return review::ToText(first_).substr(0, 7);
  const year of = YearOfWeek(first_);
  return fmt::format("{:04}-W{:02}", static_cast<int>(of), (first_ - FirstWeekOf(of)) / days(7) + 1);
}

Period LastComplete(Period::Kind kind, base::WallTime now) {
  const Day day = floor<days>(now - kSettleTime);
  return Period::Containing(kind, day).Before();
}

}  // namespace gatebook::review
