// What Redis has acknowledged and then loses comes again; and at every moment each visit is accounted for.
#include <atomic>
#include <set>
#include <thread>

#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class DurabilityTest : public EdgeTest {
 protected:
  void VisitTimes(int times, const std::string& prefix) {
    RawClient client(edge_->Tls());
    for (int i = 0; i < times; ++i) {
      const auto answer = client.Get(prefix + std::to_string(i));
      ASSERT_TRUE(answer) << i;
      ASSERT_EQ(answer->status(), 200) << i;
    }
  }
  // Waits until Redis has acknowledged all of it.
  bool AllAcknowledged(uint64_t visits) {
    return WaitUntil([&] {
      return edge_->Metric("gatebook_visits_held") + edge_->Metric("gatebook_visits_stored_total") >= visits;
    });
  }
  size_t DistinctVisits() {
    std::set<std::string> ids;
    for (const json& visit : edge_->Visits()) ids.insert(visit["id"].get<std::string>());
    return ids.size();
  }
};

TEST_F(DurabilityTest, RedisAndGatebookAreKilledWhileVisitsWaitForASnapshot) {
  redis_ = std::make_unique<support::RedisServer>(std::vector<std::string>{"--save", "3600 1"});
  Start();
  VisitTimes(30, "/before/");
  ASSERT_TRUE(AllAcknowledged(30));
  EXPECT_EQ(edge_->Metric("gatebook_visits_in_journal"), 30u);
  redis_->Kill();  // the acknowledged visits stood in its memory only
  edge_->Kill();
  redis_->Start();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  VisitTimes(5, "/after/");
  EXPECT_EQ(edge_->WaitForVisits(35).size(), 35u);
  EXPECT_EQ(DistinctVisits(), 35u);
  EXPECT_THAT(edge_->Command({"status"}).output, testing::HasSubstr("ok: snapshots"));
}

TEST_F(DurabilityTest, AFlushOfRedisUnderTrafficIsRepairedWithWhatIsHeld) {
  Say("redis", "hold = \"1h\"");
  Start();
  VisitTimes(20, "/before/");
  ASSERT_TRUE(AllAcknowledged(20));
  redis_->Ask({"FLUSHALL"});
  VisitTimes(20, "/after/");
  EXPECT_EQ(edge_->WaitForVisits(40).size(), 40u);
  EXPECT_EQ(DistinctVisits(), 40u);
  EXPECT_GE(edge_->Metric("gatebook_redis_data_lost_total"), 1u);
}

TEST_F(DurabilityTest, TheSumHoldsInEveryLookWhileRedisComesAndGoes) {
  Say("redis", "hold = \"0s\"");
  Start();
  std::atomic<bool> end = false;
  std::atomic<int> answered = 0;
  std::thread visitor([&] {
    RawClient client(edge_->Tls());
    while (!end && client.Get("/")) ++answered;
  });
  int looks = 0;
  for (int round = 0; round < 2; ++round) {
    const int before = answered;
    EXPECT_TRUE(WaitUntil([&] { return answered > before + 300; }));
    redis_->Kill();
    redis_->Start();
    const int until = looks + 40;
    for (; looks < until; ++looks) {
      const std::string left = edge_->WhatIsLeft();
      EXPECT_EQ(left.find("accepted"), std::string::npos) << left;
      EXPECT_THAT(edge_->Admin("/status").body, testing::Not(testing::HasSubstr("does not hold")));
    }
  }
  end = true;
  visitor.join();
  EXPECT_TRUE(edge_->WaitDelivered());
  EXPECT_EQ(edge_->Metric("gatebook_visits_stored_total"), static_cast<uint64_t>(answered));
}

}  // namespace
}  // namespace gatebook::e2e
