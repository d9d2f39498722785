#include "net/timer_wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace gatebook::net {
namespace {

using namespace std::chrono_literals;
using base::Duration;
using base::SteadyTime;

constexpr SteadyTime kStart = SteadyTime(1000h);

class TimerWheelTest : public testing::Test {
 protected:
  void AdvanceBy(Duration by) {
    now_ += by;
    wheel_.Advance(now_);
  }
  TimerWheel wheel_{kStart};
  SteadyTime now_ = kStart;
  int fired_ = 0;
};

TEST_F(TimerWheelTest, ADeadlineIsNeverMetEarlyAndAtMostATickLate) {
  for (const Duration delay :
       {Duration(0), Duration(1), Duration(19ms), Duration(20ms), Duration(20ms) + Duration(1),
        Duration(999ms), Duration(10240ms), Duration(10241ms), Duration(61s)}) {
    const SteadyTime armed = now_;
    SteadyTime fired{};
    Timer timer([&] { fired = now_; });
    timer.Arm(wheel_, armed + delay);
    EXPECT_TRUE(timer.IsArmed());
    while (timer.IsArmed()) AdvanceBy(1ms);
    EXPECT_GE(fired, armed + delay);
    EXPECT_LE(fired, armed + delay + TimerWheel::kTick);
    AdvanceBy(7ms);  // not in step with the ticks
  }
}

TEST_F(TimerWheelTest, DeadlinesAreMetInTheirOrder) {
  std::string order;
  Timer c([&] { order += 'c'; });
  Timer a([&] { order += 'a'; });
  Timer d([&] { order += 'd'; });
  Timer b([&] { order += 'b'; });
  c.Arm(wheel_, kStart + 3s);
  a.Arm(wheel_, kStart + 1s);
  d.Arm(wheel_, kStart + 30s);
  b.Arm(wheel_, kStart + 2s);
  AdvanceBy(1min);
  EXPECT_EQ(order, "abcd");
}

TEST_F(TimerWheelTest, OneMovedLaterIsMetAtItsNewTimeOnly) {
  Timer timer([this] { ++fired_; });
  timer.Arm(wheel_, kStart + 1s);
  timer.Arm(wheel_, kStart + 5s);
  timer.Arm(wheel_, kStart + 30s);
  EXPECT_EQ(timer.deadline(), kStart + 30s);
  AdvanceBy(29900ms);
  EXPECT_EQ(fired_, 0);
  AdvanceBy(200ms);
  EXPECT_EQ(fired_, 1);
  EXPECT_FALSE(timer.IsArmed());
  AdvanceBy(1min);
  EXPECT_EQ(fired_, 1);
}

TEST_F(TimerWheelTest, OneMovedAgainAndAgainIsNeverMet) {
  Timer timer([this] { ++fired_; });
  for (int i = 0; i < 5000; ++i) {
    timer.Arm(wheel_, now_ + 1s);
    AdvanceBy(300ms);
  }
  EXPECT_EQ(fired_, 0);
  AdvanceBy(1s);
  EXPECT_EQ(fired_, 1);
}

TEST_F(TimerWheelTest, OneMovedEarlierIsMetEarlier) {
  Timer timer([this] { ++fired_; });
  timer.Arm(wheel_, kStart + 30s);
  timer.Arm(wheel_, kStart + 1s);
  AdvanceBy(1020ms);
  EXPECT_EQ(fired_, 1);
  AdvanceBy(1min);
  EXPECT_EQ(fired_, 1);
}

TEST_F(TimerWheelTest, OneMovedLaterAndThenEarlierThanItsSlotIsMetInTime) {
  Timer timer([this] { ++fired_; });
  timer.Arm(wheel_, kStart + 10s);
  timer.Arm(wheel_, kStart + 50s);
  timer.Arm(wheel_, kStart + 12s);  // later than the slot, earlier than the deadline
  AdvanceBy(11980ms);
  EXPECT_EQ(fired_, 0);
  AdvanceBy(40ms);
  EXPECT_EQ(fired_, 1);
}

TEST_F(TimerWheelTest, ADeadlineThatHasPassedIsMetAtTheNextTick) {
  Timer timer([this] { ++fired_; });
  AdvanceBy(5s);
  timer.Arm(wheel_, kStart - 1h);
  EXPECT_EQ(fired_, 0);  // never before Arm() returned
  AdvanceBy(20ms);
  EXPECT_EQ(fired_, 1);
}

TEST_F(TimerWheelTest, ACancelledOneIsNotMetAndMayBeArmedAgain) {
  Timer timer([this] { ++fired_; });
  timer.Cancel();
  timer.Arm(wheel_, kStart + 1s);
  timer.Cancel();
  EXPECT_FALSE(timer.IsArmed());
  EXPECT_TRUE(wheel_.IsEmpty());
  AdvanceBy(1min);
  EXPECT_EQ(fired_, 0);
  timer.Arm(wheel_, now_ + 1s);
  AdvanceBy(1100ms);
  EXPECT_EQ(fired_, 1);
}

TEST_F(TimerWheelTest, ADestroyedOneIsNotMet) {
  {
    Timer timer([this] { ++fired_; });
    timer.Arm(wheel_, kStart + 1s);
  }
  EXPECT_TRUE(wheel_.IsEmpty());
  AdvanceBy(1min);
  EXPECT_EQ(fired_, 0);
}

TEST_F(TimerWheelTest, ACallbackMayCancelOthersOfTheSameTick) {
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 10; ++i) {
    timers.push_back(std::make_unique<Timer>([this, &timers] {
      ++fired_;
      for (auto& timer : timers) timer->Cancel();
    }));
    timers.back()->Arm(wheel_, kStart + 1s);
  }
  AdvanceBy(2s);
  EXPECT_EQ(fired_, 1);
  EXPECT_TRUE(wheel_.IsEmpty());
}

TEST_F(TimerWheelTest, ACallbackMayDestroyItsOwnTimerAndOthers) {
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 10; ++i) {
    const std::string held(100, 'x');  // in the callback's own storage
    timers.push_back(std::make_unique<Timer>([this, &timers, held] {
      ++fired_;
      timers.clear();
      EXPECT_EQ(held.size(), 100U);
    }));
    timers.back()->Arm(wheel_, kStart + 1s);
  }
  AdvanceBy(2s);
  EXPECT_EQ(fired_, 1);
  EXPECT_TRUE(wheel_.IsEmpty());
}

TEST_F(TimerWheelTest, ACallbackThatArmsAgainIsCalledAtALaterTickNotForEver) {
  Timer timer;
  timer.SetCallback([&] {
    ++fired_;
    timer.Arm(wheel_, kStart);  // long past
  });
  timer.Arm(wheel_, kStart + 20ms);
  AdvanceBy(200ms);
  EXPECT_EQ(fired_, 10);  // once a tick
  timer.Cancel();
}

TEST_F(TimerWheelTest, ACallbackMayArmANewTimer) {
  Timer second([this] { fired_ += 10; });
  Timer first([&] {
    ++fired_;
    second.Arm(wheel_, now_ + 1s);
  });
  first.Arm(wheel_, kStart + 1s);
  AdvanceBy(1s);
  EXPECT_EQ(fired_, 1);
  AdvanceBy(990ms);
  EXPECT_EQ(fired_, 1);
  AdvanceBy(40ms);
  EXPECT_EQ(fired_, 11);
}

TEST_F(TimerWheelTest, DeadlinesBeyondOneRoundAreMetInTheirOwn) {
  const Duration round = 512 * TimerWheel::kTick;
  Timer near([this] { fired_ += 1; });
  Timer far([this] { fired_ += 100; });
  // The same slot in three rounds.
  near.Arm(wheel_, kStart + 1s);
  far.Arm(wheel_, kStart + 1s + 3 * round);
  AdvanceBy(1s + 2 * round);
  EXPECT_EQ(fired_, 1);
  AdvanceBy(round - TimerWheel::kTick);
  EXPECT_EQ(fired_, 1);
  AdvanceBy(2 * TimerWheel::kTick);
  EXPECT_EQ(fired_, 101);
}

TEST_F(TimerWheelTest, ALongGapMeetsAllThatWasDueInOrder) {
  std::vector<int> order;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 1000; ++i) {
    timers.push_back(std::make_unique<Timer>([&order, i] { order.push_back(i); }));
    timers.back()->Arm(wheel_, kStart + (i + 1) * 100ms);
  }
  Timer later([this] { ++fired_; });
  later.Arm(wheel_, kStart + 25h);
  AdvanceBy(24h);
  ASSERT_EQ(order.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(fired_, 0);
  AdvanceBy(1h + 20ms);
  EXPECT_EQ(fired_, 1);
}

// A loop that had no timers for years does not count through every tick of them.
TEST_F(TimerWheelTest, AGapOfYearsCostsNothing) {
  now_ += 24h * 365 * 100;
  Timer timer([this] { ++fired_; });
  timer.Arm(wheel_, now_ + 1s);
  wheel_.Advance(now_);
  AdvanceBy(980ms);
  EXPECT_EQ(fired_, 0);
  AdvanceBy(40ms);
  EXPECT_EQ(fired_, 1);
  AdvanceBy(24h * 365 * 50);
  timer.Arm(wheel_, now_ + 1s);
  AdvanceBy(24h * 365 * 50);
  EXPECT_EQ(fired_, 2);
}

TEST_F(TimerWheelTest, TimeBeforeItsStartOrGoingBackIsIgnored) {
  Timer timer([this] { ++fired_; });
  timer.Arm(wheel_, kStart + 1s);
  wheel_.Advance(kStart - 1h);
  wheel_.Advance(kStart + 500ms);
  wheel_.Advance(kStart + 100ms);
  EXPECT_EQ(fired_, 0);
  wheel_.Advance(kStart + 1s);
  EXPECT_EQ(fired_, 1);
}

TEST(TimerWheel, MayEndBeforeItsTimers) {
  Timer timer([] { ADD_FAILURE(); });
  {
    TimerWheel wheel(kStart);
    timer.Arm(wheel, kStart + 1s);
  }
  EXPECT_FALSE(timer.IsArmed());
  TimerWheel other(kStart);
  timer.Arm(other, kStart + 1s);  // free for another wheel
  timer.Cancel();
}

// Each of 50,000 callbacks looking again through the slot would be 2,500,000,000 steps.
TEST_F(TimerWheelTest, ManyTimersOfOneSlotAreMetInOneWalk) {
  constexpr int kTimers = 100'000;
  const Duration round = 512 * TimerWheel::kTick;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < kTimers; ++i) {
    timers.push_back(std::make_unique<Timer>([this, &timers, i] {
      ++fired_;
      if (i % 8 == 0) timers[static_cast<size_t>(i) + 2]->Cancel();  // of this tick
      if (i % 8 == 4 && now_ < kStart + 1min)
        timers[static_cast<size_t>(i)]->Arm(wheel_, now_ + 1h);                    // again
      if (i % 8 == 6) timers[static_cast<size_t>(i) + 1]->Arm(wheel_, now_ + 1h);  // a later one, moved
    }));
    // The odd ones stand in the same slot for a later round.
    timers.back()->Arm(wheel_, kStart + 1s + (i % 2) * 3 * round);
  }
  AdvanceBy(2s);
  int armed = 0;
  for (const auto& timer : timers) armed += timer->IsArmed();
  EXPECT_EQ(fired_, 3 * kTimers / 8);
  EXPECT_EQ(armed, kTimers / 2 + kTimers / 8);
  AdvanceBy(2h);
  EXPECT_TRUE(wheel_.IsEmpty());
}

TEST_F(TimerWheelTest, OneMovedByAnotherOfItsTickIsMetAtItsNewTime) {
  Timer first, second;
  const auto meet = [this](Timer& other) {
    ++fired_;
    if (fired_ == 1) other.Arm(wheel_, now_ + 1s);
  };
  first.SetCallback([&] { meet(second); });
  second.SetCallback([&] { meet(first); });
  first.Arm(wheel_, kStart + 1s);
  second.Arm(wheel_, kStart + 1s);
  AdvanceBy(1s);
  EXPECT_EQ(fired_, 1);
  AdvanceBy(980ms);
  EXPECT_EQ(fired_, 1);
  AdvanceBy(40ms);
  EXPECT_EQ(fired_, 2);
}

TEST_F(TimerWheelTest, SaysWhenItIsWorthALook) {
  EXPECT_FALSE(wheel_.NextTick());
  Timer far;
  Timer near;
  far.Arm(wheel_, kStart + 9s);
  EXPECT_EQ(wheel_.NextTick(), kStart + 9s);
  near.Arm(wheel_, kStart + 3s + 1ms);
  EXPECT_EQ(wheel_.NextTick(), kStart + 3s + TimerWheel::kTick);
  near.Cancel();
  EXPECT_EQ(wheel_.NextTick(), kStart + 9s);
  AdvanceBy(8s);
  EXPECT_EQ(wheel_.NextTick(), kStart + 9s);
  // One that was moved later is looked at where it stood.
  far.Arm(wheel_, kStart + 60s);
  EXPECT_EQ(wheel_.NextTick(), kStart + 9s);
  AdvanceBy(1s);
  EXPECT_GT(wheel_.NextTick(), kStart + 9s);
  far.Cancel();
  EXPECT_FALSE(wheel_.NextTick());
}

// Any mix of arming, moving, cancelling and waiting does what a plain table of deadlines would.
TEST(TimerWheelProperty, DoesWhatATableOfDeadlinesWould) {
  constexpr int kTimers = 40;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    TimerWheel wheel(kStart);
    SteadyTime now = kStart;
    struct Armed {
      SteadyTime deadline;
      SteadyTime latest;  // by when it must have been met
    };
    std::map<int, Armed> model;
    std::vector<std::unique_ptr<Timer>> timers;
    const auto arm = [&](int i, SteadyTime deadline) {
      timers[static_cast<size_t>(i)]->Arm(wheel, deadline);
      model[i] = {deadline, std::max(deadline, now) + TimerWheel::kTick};
    };
    for (int i = 0; i < kTimers; ++i) {
      timers.push_back(std::make_unique<Timer>([&, i] {
        ASSERT_TRUE(model.contains(i)) << "fired without being armed, seed " << seed;
        EXPECT_GE(now, model[i].deadline) << "early, seed " << seed;
        model.erase(i);
        if (random() % 4 == 0) {
          const int other = static_cast<int>(random() % kTimers);
          arm(other, now + std::chrono::milliseconds(random() % 20000));
        }
      }));
    }
    for (int step = 0; step < 3000; ++step) {
      const int i = static_cast<int>(random() % kTimers);
      Timer& timer = *timers[static_cast<size_t>(i)];
      switch (random() % 4) {
        case 0:
        case 1: {
          const unsigned most = random() % 8 == 0 ? 60000 : 3000;
          arm(i, now + std::chrono::milliseconds(random() % most) - 100ms);
          break;
        }
        case 2:
          timer.Cancel();
          model.erase(i);
          break;
        case 3:
          now += std::chrono::microseconds(random() % (random() % 50 == 0 ? 30'000'000 : 100'000));
          wheel.Advance(now);
          for (const auto& [number, armed] : model) EXPECT_GT(armed.latest, now) << "late, seed " << seed;
          break;
      }
      ASSERT_EQ(timer.IsArmed(), model.contains(i));
      bool any_armed = false;
      for (const auto& each : timers) any_armed |= each->IsArmed();
      ASSERT_EQ(wheel.IsEmpty(), !any_armed);
      // Who sleeps until then misses nothing.
      const auto next = wheel.NextTick();
      ASSERT_EQ(next.has_value(), any_armed);
      for (const auto& [number, armed] : model) ASSERT_LE(*next, armed.latest) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace gatebook::net
