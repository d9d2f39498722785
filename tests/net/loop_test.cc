#include "net/loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/net/loop_driver.h"

namespace gatebook::net {
namespace {

using namespace std::chrono_literals;

TEST(Loop, PostedTasksRunInOrderAndInALaterTurn) {
  Loop loop;
  std::string order;
  loop.Post([&] {
    order += 'a';
    loop.Post([&] { order += 'd'; });
    order += 'b';
  });
  loop.Post([&] { order += 'c'; });
  EXPECT_EQ(order, "");
  loop.RunOnce(true);
  EXPECT_EQ(order, "abc");
  loop.RunOnce(true);
  EXPECT_EQ(order, "abcd");
}

TEST(Loop, TasksOfManyThreadsAllRunEachThreadsInItsOrder) {
  Loop loop;
  constexpr int kThreads = 4;
  constexpr int kTasks = 2000;
  std::array<int, kThreads> next{};
  int run = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        loop.Post([&, t, i] {
          EXPECT_EQ(next.at(static_cast<size_t>(t)), i);
          next.at(static_cast<size_t>(t)) = i + 1;
          ++run;
        });
      }
    });
  }
  EXPECT_TRUE(RunUntil(loop, [&] { return run == kThreads * kTasks; }));
  for (std::thread& thread : threads) thread.join();
}

TEST(Loop, StopFromAnotherThreadEndsRunAfterWhatWasPostedBefore) {
  Loop loop;
  std::atomic<int> run{0};
  std::thread runner([&] { loop.Run(); });
  for (int i = 0; i < 100; ++i) loop.Post([&] { ++run; });
  loop.Stop();
  runner.join();
  EXPECT_EQ(run, 100);
}

TEST(Loop, StopBeforeRunIsNotForgotten) {
  Loop loop;
  loop.Stop();
  loop.Run();
}

TEST(Loop, TurnsWithoutWaitingDoNotWait) {
  Loop loop;
  Timer far([] { ADD_FAILURE(); });
  far.Arm(loop.timers(), loop.now() + 1h);
  for (int i = 0; i < 10; ++i) loop.RunOnce(false);
}

TEST(Loop, ATimerOfALoopIsMetNotEarly) {
  Loop loop;
  base::SteadyTime met{};
  Timer timer([&] { met = base::Clock::System().SteadyNow(); });
  const base::SteadyTime deadline = base::Clock::System().SteadyNow() + 50ms;
  timer.Arm(loop.timers(), deadline);
  const auto give_up = deadline + support::kPatience;
  while (timer.IsArmed() && base::Clock::System().SteadyNow() < give_up) loop.RunOnce(true);
  EXPECT_FALSE(timer.IsArmed());
  EXPECT_GE(met, deadline);
}

// A timer that keeps the wheel from being empty, and one that is waited for.
class LoopTimers : public testing::Test {
 protected:
  LoopTimers() {
    near_.SetCallback([this] { met_ = true; });
    far_.Arm(loop_.timers(), loop_.now() + 1h);
  }
  void RunUntilMet() {
    while (!met_) loop_.RunOnce(true);
    EXPECT_TRUE(far_.IsArmed());
  }

  Loop loop_;
  Timer far_;
  Timer near_;
  bool met_ = false;
};

TEST_F(LoopTimers, ALoopSleepsUntilOneIsDue) {
  near_.Arm(loop_.timers(), loop_.now() + 300ms);
  const uint64_t before = loop_.turn();
  RunUntilMet();
  // With a tick every 20 ms it would have been fifteen.
  EXPECT_LE(loop_.turn() - before, 3U);
}

TEST_F(LoopTimers, ANewOneShortensTheSleep) {
  loop_.RunOnce(false);
  near_.Arm(loop_.timers(), loop_.now() + 50ms);
  RunUntilMet();
}

TEST(Loop, NowIsTheTimeAtWhichTheTurnBegan) {
  Loop loop;
  const base::SteadyTime before = base::Clock::System().SteadyNow();
  base::SteadyTime first{};
  loop.Post([&] {
    first = loop.now();
    const base::SteadyTime wait = base::Clock::System().SteadyNow() + 1ms;
    while (base::Clock::System().SteadyNow() < wait) {
    }
    EXPECT_EQ(loop.now(), first);
  });
  loop.RunOnce(true);
  EXPECT_GE(first, before);
}

class Counted : public Disposable {
 public:
  explicit Counted(int& alive, std::function<void()> on_end = {})
      : alive_(alive), on_end_(std::move(on_end)) {
    ++alive_;
  }
  ~Counted() override {
    --alive_;
    if (on_end_) on_end_();
  }

 private:
  int& alive_;
  std::function<void()> on_end_;
};

TEST(Loop, WhatIsDisposedOfLivesUntilTheTurnIsOver) {
  Loop loop;
  int alive = 0;
  loop.Post([&] {
    loop.Dispose(std::make_unique<Counted>(alive));
    EXPECT_EQ(alive, 1);
  });
  loop.Post([&] { EXPECT_EQ(alive, 1); });
  loop.RunOnce(true);
  EXPECT_EQ(alive, 0);
}

TEST(Loop, ADestructorMayDisposeOfMore) {
  Loop loop;
  int alive = 0;
  loop.Dispose(std::make_unique<Counted>(alive, [&] {
    loop.Dispose(std::make_unique<Counted>(alive, [&] { loop.Dispose(std::make_unique<Counted>(alive)); }));
  }));
  loop.RunOnce(false);
  EXPECT_EQ(alive, 0);
}

TEST(Loop, WhatIsLeftIsDestroyedWithTheLoop) {
  int alive = 0;
  {
    Loop loop;
    loop.Dispose(std::make_unique<Counted>(alive, [&] { loop.Dispose(std::make_unique<Counted>(alive)); }));
    const auto held = std::make_shared<Counted>(alive);
    loop.Post([held] {});
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Loop, UnrunTasksMayPostAndDisposeWhileTheyAreDestroyed) {
  int alive = 0;
  {
    Loop loop;
    for (int i = 0; i < 20; ++i) {
      const auto held = std::make_shared<Counted>(alive, [&] {
        for (int more = 0; more < 5; ++more) {
          const auto again =
              std::make_shared<Counted>(alive, [&] { loop.Dispose(std::make_unique<Counted>(alive)); });
          loop.Post([again] {});
        }
      });
      loop.Post([held] {});
    }
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace gatebook::net
