#include "proxy/server_health.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "proxy/retry_budget.h"

namespace gatebook::proxy {
namespace {

using namespace std::chrono_literals;
using enum ServerOutcome;

class ServerHealthTest : public testing::Test {
 protected:
  ServerHealthTest() : clock_(base::WallTime{}) {
    upstream_.eject_after = 3;
    upstream_.eject_time = 1s;
    upstream_.health_rise = 2;
    upstream_.health_fall = 3;
  }
  base::SteadyTime now() const { return clock_.SteadyNow(); }

  base::ManualClock clock_;
  config::Upstream upstream_;
};

TEST_F(ServerHealthTest, SoManyFailuresInARowMakeItDue) {
  ServerHealth health(upstream_);
  EXPECT_FALSE(health.OnOutcome(kConnectFailed, now()));
  EXPECT_FALSE(health.OnOutcome(kTimedOut, now()));
  EXPECT_FALSE(health.OnOutcome(kAnswered, now()));
  EXPECT_FALSE(health.OnOutcome(kBadAnswer, now()));
  EXPECT_FALSE(health.OnOutcome(kBadAnswer, now()));
  EXPECT_TRUE(health.OnOutcome(kBadAnswer, now()));
  EXPECT_TRUE(health.OnOutcome(kBadAnswer, now()));  // nobody could be spared the first time
}

TEST_F(ServerHealthTest, NeverWhereItIsTurnedOff) {
  upstream_.eject_after = 0;
  ServerHealth health(upstream_);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(health.OnOutcome(kConnectFailed, now()));
}

TEST_F(ServerHealthTest, OnceBackItIsOnProbationAndTheNextTimeIsLonger) {
  ServerHealth health(upstream_);
  for (int i = 0; i < 3; ++i) health.OnOutcome(kConnectFailed, now());
  for (const auto expected : {1s, 2s, 4s, 8s, 16s, 32s, 32s}) {
    EXPECT_EQ(health.Eject(), expected);
    EXPECT_TRUE(health.IsEjected());
    EXPECT_FALSE(health.OnOutcome(kConnectFailed, now()));  // an exchange that was under way
    clock_.Advance(expected);
    health.Readmit(now());
    EXPECT_FALSE(health.IsEjected());
    EXPECT_EQ(health.readmitted(), now());
    EXPECT_TRUE(health.OnOutcome(kConnectFailed, now()));
  }
}

TEST_F(ServerHealthTest, AnEjectionIsForgottenAfterServingWellAsLong) {
  ServerHealth health(upstream_);
  EXPECT_EQ(health.Eject(), 1s);
  health.Readmit(now());
  EXPECT_EQ(health.Eject(), 2s);
  health.Readmit(now());
  clock_.Advance(1999ms);
  health.OnOutcome(kAnswered, now());
  EXPECT_EQ(health.Eject(), 4s);
  health.Readmit(now());
  clock_.Advance(4s);
  health.OnOutcome(kAnswered, now());
  EXPECT_EQ(health.Eject(), 1s);
}

TEST_F(ServerHealthTest, TheFirstCheckDecidesAtOnce) {
  CheckedHealth health(upstream_);
  EXPECT_TRUE(health.is_up());
  EXPECT_TRUE(health.OnCheck(false));
  EXPECT_FALSE(health.is_up());
}

TEST_F(ServerHealthTest, ChecksInARowTakeOutAndBringBack) {
  CheckedHealth health(upstream_);
  EXPECT_FALSE(health.OnCheck(true));
  EXPECT_FALSE(health.OnCheck(false));
  EXPECT_FALSE(health.OnCheck(false));
  EXPECT_FALSE(health.OnCheck(true));  // begins anew
  EXPECT_FALSE(health.OnCheck(false));
  EXPECT_FALSE(health.OnCheck(false));
  EXPECT_TRUE(health.OnCheck(false));
  EXPECT_FALSE(health.OnCheck(true));
  EXPECT_FALSE(health.OnCheck(false));
  EXPECT_FALSE(health.OnCheck(true));
  EXPECT_TRUE(health.OnCheck(true));
  EXPECT_TRUE(health.is_up());
}

TEST(RetryBudget, ASmallReserveThenItsShareOfAllRequests) {
  RetryBudget budget(20);
  int sent = 0;
  while (budget.Take()) ++sent;
  EXPECT_EQ(sent, 10);
  for (int i = 0; i < 100; ++i) {
    budget.OnRequest();
    if (budget.Take()) ++sent;
  }
  EXPECT_EQ(sent, 30);
}

TEST(RetryBudget, SavesUpNoMoreThanItsMost) {
  RetryBudget budget(100);
  for (int i = 0; i < 100'000; ++i) budget.OnRequest();
  int sent = 0;
  while (budget.Take()) ++sent;
  EXPECT_EQ(sent, 100);
}

TEST(RetryBudget, NoneIsNone) {
  RetryBudget budget(0);
  budget.OnRequest();
  EXPECT_FALSE(budget.Take());
}

}  // namespace
}  // namespace gatebook::proxy
