// The way to Redis is bad: bytes come singly, late, not at all, or the connection ends in the middle of a
// word. Traffic goes on, and each visit is in the book, once.
#include "tests/support/redis_gate.h"

#include <set>

#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

using support::RedisGate;

class RedisGateTest : public EdgeTest {
 protected:
  void StartBehindTheGate() {
    redis_ = std::make_unique<support::RedisServer>(std::vector<std::string>{"--appendonly", "yes"});
    gate_ = std::make_unique<RedisGate>(redis_->socket());
    options_.redis_url = gate_->url();
    Start();
    ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_redis_up") == 1; }));
  }
  void TearDown() override {
    EdgeTest::TearDown();
    edge_.reset();
    gate_.reset();
  }

  // So many requests at once, each answered.
  void Ask(size_t times) {
    RawClient client(edge_->Plain());
    std::string requests;
    for (size_t i = 0; i < times; ++i) requests += Request("GET /asked/" + std::to_string(asked_++));
    ASSERT_TRUE(client.Send(requests));
    for (size_t i = 0; i < times; ++i) {
      const auto answer = client.ReadResponse();
      ASSERT_TRUE(answer) << i;
      ASSERT_EQ(answer->status(), 200) << i;
    }
  }
  void EachIsInTheBookOnce() {
    std::multiset<std::string> paths;
    for (const json& visit : edge_->WaitForVisits(asked_)) paths.insert(visit["path"].get<std::string>());
    EXPECT_EQ(paths.size(), asked_);
    for (size_t i = 0; i < asked_; ++i) EXPECT_EQ(paths.count("/asked/" + std::to_string(i)), 1u) << i;
  }
  // Asks until every cut was made.
  void AskThroughCuts() {
    ASSERT_TRUE(WaitUntil([&] {
      Ask(20);
      return HasFailure() || gate_->cuts_left() == 0;
    })) << gate_->cuts_left();
    EachIsInTheBookOnce();
  }

  std::unique_ptr<RedisGate> gate_;
  size_t asked_ = 0;
};

TEST_F(RedisGateTest, ARequestThatIsCutAnywhereLosesNoVisitAndDoublesNone) {
  ASSERT_NO_FATAL_FAILURE(StartBehindTheGate());
  Ask(20);
  // In a greeting, in a transaction's beginning, entries and end; those that let nothing through lie apart,
  // for after each of them the next attempt comes later.
  gate_->CutRequestsAfter({5'000, 14, 1'501, 2'750, 333});
  AskThroughCuts();
}

TEST_F(RedisGateTest, AReplyThatIsCutAnywhereLosesNoVisitAndDoublesNone) {
  ASSERT_NO_FATAL_FAILURE(StartBehindTheGate());
  Ask(20);
  // What was acknowledged, and is not known to be, comes again: Redis knows it.
  gate_->CutRepliesAfter({6'000, 1, 7'001, 400, 7'777});
  AskThroughCuts();
}

TEST_F(RedisGateTest, WordsThatComeInSingleBytesAreWords) {
  ASSERT_NO_FATAL_FAILURE(StartBehindTheGate());
  const size_t connections = gate_->connections();
  gate_->Be(RedisGate::Way::kSingleBytes);
  for (int i = 0; i < 10; ++i) Ask(20);
  EachIsInTheBookOnce();
  EXPECT_EQ(edge_->Metric("gatebook_redis_error_replies_total"), 0u);
  // Only `gatebook visits` comes along another way.
  EXPECT_EQ(edge_->Metric("gatebook_redis_up"), 1u);
  EXPECT_GE(gate_->connections(), connections);
}

TEST_F(RedisGateTest, ASlowWayDelaysNoAnswer) {
  ASSERT_NO_FATAL_FAILURE(StartBehindTheGate());
  gate_->Be(RedisGate::Way::kSlow);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) Ask(20);
  // If each answer waited for the way to Redis and back it would be forty seconds.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 400 * RedisGate::kSlowness);
  gate_->Be(RedisGate::Way::kOpen);
  EachIsInTheBookOnce();
}

TEST_F(RedisGateTest, WhereRepliesAreSwallowedTheConnectionIsGivenUpAndWhatComesAgainIsKnown) {
  Say("redis", "reply_timeout = \"300ms\"");
  ASSERT_NO_FATAL_FAILURE(StartBehindTheGate());
  Ask(20);
  ASSERT_TRUE(edge_->WaitDelivered());
  gate_->Be(RedisGate::Way::kSwallowReplies);
  Ask(50);
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_redis_up") == 0; }));
  EXPECT_GE(edge_->Metric("gatebook_visits_in_journal"), 50u);
  gate_->Be(RedisGate::Way::kOpen);
  EachIsInTheBookOnce();
  ASSERT_TRUE(edge_->WaitDelivered());
  // How many of them had been sent when the connection was given up is a matter of time.
  EXPECT_GE(edge_->Metric("gatebook_visits_replayed_total"), 1u);
}

}  // namespace
}  // namespace gatebook::e2e
