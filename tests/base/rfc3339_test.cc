#include "base/rfc3339.h"

#include <gtest/gtest.h>

#include <random>

namespace gatebook::base {
namespace {

using std::chrono::milliseconds;

WallTime At(int64_t since_epoch) { return WallTime(milliseconds(since_epoch)); }

TEST(Rfc3339, KnownTimesComeOut) {
  EXPECT_EQ(ToRfc3339(At(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(ToRfc3339(At(1'000'000'000'123)), "2001-09-09T01:46:40.123Z");
  EXPECT_EQ(ToRfc3339(At(951'782'400'000)), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(ToRfc3339(At(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(ToRfc3339(At(253'402'300'799'999)), "9999-12-31T23:59:59.999Z");
}

TEST(Rfc3339, EveryTimeComesBack) {
  std::mt19937_64 random(1);
  // Years 0001 to 9999.
  std::uniform_int_distribution<int64_t> times(-62'135'596'800'000, 253'402'300'799'999);
  for (int i = 0; i < 20000; ++i) {
    const WallTime time = At(times(random));
    EXPECT_EQ(ParseRfc3339(ToRfc3339(time)), time) << ToRfc3339(time);
  }
}

TEST(Rfc3339, OtherSpellingsOfATimeAreRead) {
  const WallTime time = At(1'000'000'000'000);
  for (const std::string_view text :
       {"2001-09-09T01:46:40Z", "2001-09-09t01:46:40z", "2001-09-09 01:46:40Z", "2001-09-09T01:46:40.0Z",
        "2001-09-09T03:46:40+02:00", "2001-09-08T20:16:40-05:30", "2001-09-09T01:46:40-00:00"}) {
    EXPECT_EQ(ParseRfc3339(text), time) << text;
  }
}

TEST(Rfc3339, AFractionIsCutToMilliseconds) {
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00.5Z"), At(500));
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00.05Z"), At(50));
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00.1239999999999999999999999Z"), At(123));
}

TEST(Rfc3339, WhatIsNoTimeIsRefused) {
  for (const std::string_view text : {"",
                                      "2001",
                                      "2001-09-09",
                                      "2001-09-09T01:46:40",
                                      "2001-09-09T01:46Z",
                                      "2001-9-09T01:46:40Z",
                                      "2001-13-09T01:46:40Z",
                                      "2001-00-09T01:46:40Z",
                                      "2001-02-29T01:46:40Z",
                                      "2001-04-31T01:46:40Z",
                                      "2001-09-00T01:46:40Z",
                                      "2001-09-09T24:00:00Z",
                                      "2001-09-09T01:60:40Z",
                                      "2001-09-09T01:46:60Z",
                                      "2001-09-09T01:46:40.Z",
                                      "2001-09-09T01:46:40,5Z",
                                      "2001-09-09T01:46:40+2:00",
                                      "2001-09-09T01:46:40+0200",
                                      "2001-09-09T01:46:40+24:00",
                                      "2001-09-09T01:46:40+02:60",
                                      "2001-09-09T01:46:40Zz",
                                      " 2001-09-09T01:46:40Z",
                                      "2001-09-09T01:46:40Z ",
                                      "2001-09-09_01:46:40Z",
                                      "-001-09-09T01:46:40Z",
                                      "2001-09-09T+1:46:40Z"}) {
    EXPECT_FALSE(ParseRfc3339(text)) << text;
  }
}

TEST(Rfc3339, EveryCutOffTextIsRefused) {
  const std::string whole = "2001-09-09T01:46:40.123+02:00";
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(ParseRfc3339(whole.substr(0, size))) << size;
}

}  // namespace
}  // namespace gatebook::base
