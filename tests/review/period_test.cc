#include "review/period.h"

#include <gtest/gtest.h>

namespace gatebook::review {
namespace {

using namespace std::chrono;
using Kind = Period::Kind;

TEST(Period, EachDayLiesInOneOfEachKindAndNoTwoOverlap) {
  for (const Kind kind : {Kind::kDay, Kind::kWeek, Kind::kMonth}) {
    for (Day day = sys_days(2019y / December / 1); day < sys_days(2029y / February / 1); day += days(1)) {
      const Period period = Period::Containing(kind, day);
      ASSERT_LE(period.first(), day);
      ASSERT_LT(day, period.end());
      ASSERT_EQ(Period::Parse(kind, period.ToText()), period) << period.ToText();
      ASSERT_EQ(period.Before().end(), period.first());
    }
  }
}

TEST(Period, WeeksAreThoseOfIso8601) {
  EXPECT_EQ(Period::Containing(Kind::kWeek, sys_days(2026y / November / 28)).ToText(), "2026-W48");
  EXPECT_EQ(Period::Containing(Kind::kWeek, sys_days(2027y / January / 1)).ToText(), "2026-W53");
  EXPECT_EQ(Period::Containing(Kind::kWeek, sys_days(2024y / December / 30)).ToText(), "2025-W01");
  EXPECT_EQ(Period::Parse(Kind::kWeek, "2025-W53"), std::nullopt);  // that year has none
  EXPECT_EQ(Period::Parse(Kind::kWeek, "2026-W53")->first(), sys_days(2026y / December / 28));
}

TEST(Period, WhatIsNoneIsRefused) {
  for (const char* text : {"", "2026-02-30", "2026-2-3", "26-02-03", "2026/02/03", "2026-02-03 ",
                           "1999-12-31", "3000-01-01", "2026-11", "yesterday", "2026-0a-03"}) {
    EXPECT_EQ(Period::Parse(Kind::kDay, text), std::nullopt) << text;
  }
  for (const char* text : {"2026-W00", "2026-W54", "2026-w48", "2026-48", "2026W48"}) {
    EXPECT_EQ(Period::Parse(Kind::kWeek, text), std::nullopt) << text;
  }
  for (const char* text : {"2026-00", "2026-13", "2026-1", "2026-11-01"}) {
    EXPECT_EQ(Period::Parse(Kind::kMonth, text), std::nullopt) << text;
  }
}

TEST(Period, TheLastWholeOneIsTheOneThatHasSettled) {
  const base::WallTime midnight = sys_days(2026y / December / 1);
  EXPECT_EQ(LastComplete(Kind::kDay, midnight + 9min).ToText(), "2026-11-29");
  EXPECT_EQ(LastComplete(Kind::kDay, midnight + 10min).ToText(), "2026-11-30");
  EXPECT_EQ(LastComplete(Kind::kMonth, midnight + 9min).ToText(), "2026-10");
  EXPECT_EQ(LastComplete(Kind::kMonth, midnight + 10min).ToText(), "2026-11");
  EXPECT_EQ(LastComplete(Kind::kWeek, midnight + 10min).ToText(), "2026-W48");
}

}  // namespace
}  // namespace gatebook::review
