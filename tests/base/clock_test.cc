#include "base/clock.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace gatebook::base {
namespace {

using namespace std::chrono_literals;

static_assert(!std::is_convertible_v<WallTime, SteadyTime>);
static_assert(!std::is_convertible_v<SteadyTime, WallTime>);

TEST(Clock, TheSystemsSteadyTimeNeverGoesBack) {
  SteadyTime last = Clock::System().SteadyNow();
  for (int i = 0; i < 1000; ++i) {
    const SteadyTime now = Clock::System().SteadyNow();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(Clock, TheSystemsWallTimeIsNow) {
  const auto before = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const WallTime now = Clock::System().WallNow();
  EXPECT_GE(now, before);
  EXPECT_LE(now, std::chrono::system_clock::now());
}

TEST(ManualClock, StandsStillUntilMovedAndThenMovesBothTimes) {
  ManualClock clock{WallTime(1000ms)};
  const SteadyTime start = clock.SteadyNow();
  EXPECT_EQ(clock.WallNow(), WallTime(1000ms));
  EXPECT_EQ(clock.SteadyNow(), start);
  clock.Advance(250ms);
  EXPECT_EQ(clock.WallNow(), WallTime(1250ms));
  EXPECT_EQ(clock.SteadyNow() - start, 250ms);
}

TEST(ManualClock, SettingTheWallClockDoesNotTouchSteadyTime) {
  ManualClock clock{WallTime(1000ms)};
  const SteadyTime start = clock.SteadyNow();
  clock.SetWall(WallTime(5ms));
  EXPECT_EQ(clock.WallNow(), WallTime(5ms));
  EXPECT_EQ(clock.SteadyNow(), start);
}

}  // namespace
}  // namespace gatebook::base
