#include "config/units.h"

#include <gtest/gtest.h>

namespace gatebook::config {
namespace {

using namespace std::chrono_literals;

TEST(Units, DurationsAreReadInEveryUnit) {
  EXPECT_EQ(*ParseDuration("1500ms"), 1500ms);
  EXPECT_EQ(*ParseDuration("90s"), 90s);
  EXPECT_EQ(*ParseDuration("30m"), 30min);
  EXPECT_EQ(*ParseDuration("30min"), 30min);
  EXPECT_EQ(*ParseDuration("8h"), 8h);
  EXPECT_EQ(*ParseDuration("30d"), 720h);
  EXPECT_EQ(*ParseDuration("0s"), 0s);
}

TEST(Units, DurationsPrintInTheLargestExactUnit) {
  EXPECT_EQ(FormatDuration(0ms), "0s");
  EXPECT_EQ(FormatDuration(1500ms), "1500ms");
  EXPECT_EQ(FormatDuration(60s), "1min");
  EXPECT_EQ(FormatDuration(90s), "90s");
  EXPECT_EQ(FormatDuration(24h), "24h");
  EXPECT_EQ(FormatDuration(720h), "30d");
}

TEST(Units, ADurationWithoutAUnitIsToldSo) {
  EXPECT_EQ(ParseDuration("30").error().message, "the duration has no unit: write ms, s, min, h or d");
}

TEST(Units, WhatIsNoDurationIsRefused) {
  for (const char* text : {"", "s", "-1s", "+1s", " 1s", "1s ", "1 s", "1.5h", "1,5h", "1x", "1S", "1hh",
                           "1h30min", "99999999999999999999s", "18446744073709551615d", "36501d"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(Units, SizesAreReadAndPrintedInPowersOf1024) {
  EXPECT_EQ(*ParseSize("512B"), 512u);
  EXPECT_EQ(*ParseSize("64KiB"), 65536u);
  EXPECT_EQ(*ParseSize("16MiB"), 16u << 20);
  EXPECT_EQ(*ParseSize("4GiB"), 4ULL << 30);
  EXPECT_EQ(FormatSize(0), "0B");
  EXPECT_EQ(FormatSize(1000), "1000B");
  EXPECT_EQ(FormatSize(1536), "1536B");
  EXPECT_EQ(FormatSize(65536), "64KiB");
  EXPECT_EQ(FormatSize(4ULL << 30), "4GiB");
}

TEST(Units, WhatIsNoSizeIsRefused) {
  for (const char* text :
       {"", "B", "1", "1KB", "1kib", "1TiB", "1.5GiB", "-1B", "18446744073709551616B", "9999999999GiB"}) {
    EXPECT_FALSE(ParseSize(text).ok()) << text;
  }
}

TEST(Units, WhatIsPrintedReadsBackTheSame) {
  for (int64_t ms : {0LL, 1LL, 999LL, 1000LL, 59'999LL, 60'000LL, 3'600'000LL, 86'400'000LL, 172'800'000LL}) {
    EXPECT_EQ(*ParseDuration(FormatDuration(std::chrono::milliseconds(ms))), std::chrono::milliseconds(ms));
  }
  for (uint64_t bytes : {0ULL, 1ULL, 1023ULL, 1024ULL, 1025ULL, 1ULL << 20, 1ULL << 40, (1ULL << 63) - 1}) {
    EXPECT_EQ(*ParseSize(FormatSize(bytes)), bytes);
  }
}

}  // namespace
}  // namespace gatebook::config
