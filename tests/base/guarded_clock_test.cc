#include "base/guarded_clock.h"

#include <gtest/gtest.h>

namespace gatebook::base {
namespace {

using namespace std::chrono_literals;
using Change = GuardedClock::Change;

class GuardedClockTest : public testing::Test {
 protected:
  // Time goes on for all clocks, with a look every second.
  void Pass(GuardedClock& clock, std::chrono::seconds time) {
    for (auto passed = 0s; passed < time; passed += 1s) {
      machine_.Advance(1s);
      clock.Look(false);
    }
  }
  void Leap(Duration by) {
    machine_.SetWall(machine_.WallNow() + std::chrono::duration_cast<WallTime::duration>(by));
  }

  ManualClock machine_{WallTime(1'000'000h)};
};

TEST_F(GuardedClockTest, AClockThatGoesWithTheTimeIsBelieved) {
  GuardedClock clock(machine_, 1h);
  Pass(clock, 10'000s);
  EXPECT_FALSE(clock.IsHeld());
  EXPECT_EQ(clock.SureNow(), clock.WallNow());
}

TEST_F(GuardedClockTest, ALeapBeyondTheBoundIsNotBelievedFromTheFirstInstantOn) {
  GuardedClock clock(machine_, 1h);
  Pass(clock, 60s);
  const WallTime before = machine_.WallNow();
  Leap(31 * 24h);
  EXPECT_TRUE(clock.IsHeld());
  EXPECT_EQ(clock.SureNow(), before);
  EXPECT_EQ(clock.WallNow(), before + 31 * 24h);
  EXPECT_EQ(clock.Look(true), Change::kHeld) << "a synchronised clock that leapt is no better";
  EXPECT_EQ(clock.Look(true), Change::kNone);
  machine_.Advance(10min);
  EXPECT_EQ(clock.SureNow(), before + 10min) << "what becomes due meanwhile is due";
  EXPECT_EQ(clock.Ahead(), 31 * 24h);
}

TEST_F(GuardedClockTest, ALeapUpToTheBoundIsBelieved) {
  GuardedClock clock(machine_, 1h);
  Leap(1h);
  EXPECT_FALSE(clock.IsHeld());
  EXPECT_EQ(clock.SureNow(), clock.WallNow());
}

TEST_F(GuardedClockTest, ManySmallLeapsAreOneGreatLeap) {
  GuardedClock clock(machine_, 1h);
  for (int i = 0; i < 10 && !clock.IsHeld(); ++i) {
    Leap(20min);
    Pass(clock, 60s);
  }
  EXPECT_TRUE(clock.IsHeld());
}

TEST_F(GuardedClockTest, SlewingIsFollowedForEver) {
  GuardedClock clock(machine_, 1min);
  for (int second = 0; second < 1'000'000; ++second) {
    machine_.Advance(1s);
    if (second % 2 == 0) Leap(1ms);  // the most that NTP slews
    clock.Look(false);
  }
  EXPECT_FALSE(clock.IsHeld());
}

TEST_F(GuardedClockTest, ItEndsWhenTheClockIsBack) {
  GuardedClock clock(machine_, 1h);
  Leap(24h);
  EXPECT_EQ(clock.Look(false), Change::kHeld);
  Leap(-24h);
  EXPECT_EQ(clock.Look(false), Change::kBelieved);
  EXPECT_EQ(clock.SureNow(), clock.WallNow());
}

TEST_F(GuardedClockTest, ItEndsWhenTheOperatorConfirmsIt) {
  GuardedClock clock(machine_, 1h);
  Leap(24h);
  clock.Look(false);
  clock.Confirm();
  EXPECT_EQ(clock.Look(false), Change::kBelieved);
  EXPECT_EQ(clock.SureNow(), clock.WallNow());
  Leap(2h);
  EXPECT_TRUE(clock.IsHeld()) << "the next leap is another matter";
}

TEST_F(GuardedClockTest, AClockThatIsSetBackIsBelieved) {
  GuardedClock clock(machine_, 1h);
  Leap(-24h);
  EXPECT_EQ(clock.Look(false), Change::kNone);
  EXPECT_EQ(clock.SureNow(), clock.WallNow());
  Leap(24h);
  EXPECT_TRUE(clock.IsHeld()) << "which of the two was right is not known";
}

TEST_F(GuardedClockTest, ARestartUnderTheSameBootKnowsWhatTimeItIs) {
  GuardedClock before(machine_, 1h);
  before.Begin({}, "boot", false);
  const KnownTime known = before.Known();
  machine_.Advance(5h);
  {
    GuardedClock after(machine_, 1h);
    after.Begin(known, "boot", false);
    EXPECT_FALSE(after.IsHeld()) << "five hours have passed";
  }
  const WallTime right = machine_.WallNow();
  Leap(31 * 24h);
  GuardedClock after(machine_, 1h);
  after.Begin(known, "boot", true);
  EXPECT_TRUE(after.IsHeld());
  EXPECT_EQ(after.SureNow(), right);
  EXPECT_EQ(after.Look(true), Change::kHeld) << "what leapt under one boot needs a person";
  GuardedClock again(machine_, 1h);
  again.Begin(after.Known(), "boot", false);
  EXPECT_TRUE(again.IsHeld()) << "and another restart does not heal it";
}

TEST_F(GuardedClockTest, AfterAnotherBootAGapIsBelievedOnceTheClockIsSynchronised) {
  GuardedClock before(machine_, 1h);
  before.Begin({}, "boot", false);
  const KnownTime known = before.Known();
  ManualClock rebooted(machine_.WallNow() + 10 * 24h, SteadyTime(20s));
  GuardedClock trusting(rebooted, 1h);
  trusting.Begin(known, "next boot", true);
  EXPECT_FALSE(trusting.IsHeld());
  GuardedClock doubting(rebooted, 1h);
  doubting.Begin(known, "next boot", false);
  EXPECT_TRUE(doubting.IsHeld());
  EXPECT_EQ(doubting.Look(false), Change::kHeld);
  EXPECT_EQ(doubting.Look(true), Change::kBelieved);
}

TEST_F(GuardedClockTest, AnUnknownBootIsAnother) {
  GuardedClock before(machine_, 1h);
  const KnownTime known = before.Known();
  machine_.Advance(5h);
  GuardedClock after(machine_, 1h);
  after.Begin(known, "", false);
  EXPECT_TRUE(after.IsHeld());
}

TEST_F(GuardedClockTest, AKnownTimeAheadOfTheClockHoldsNothing) {
  GuardedClock clock(machine_, 1h);
  clock.Begin(KnownTime{"boot", machine_.BootNow(), machine_.WallNow() + 24h}, "boot", false);
  EXPECT_FALSE(clock.IsHeld());
}

TEST(MachineTest, SaysWhichBootThisIs) {
  EXPECT_FALSE(BootId().empty());
  EXPECT_GE(Clock::System().BootNow(), Clock::System().SteadyNow() - 1s);
}

}  // namespace
}  // namespace gatebook::base
