#include "logger/redis_nodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "logger/redis_command.h"
#include "logger/redis_keys.h"
#include "tests/support/redis_script.h"
#include "tests/support/redis_server.h"

namespace gatebook::logger {
namespace {

using namespace std::chrono_literals;
using base::Metric;
using support::Bulk;
using support::RedisScript;
using testing::HasSubstr;

// A node of a Cluster of two that a test imagines: it answers transactions, and sends on what it is told to.
class TwoNodes : public testing::Test, public RedisNodes::Handler {
 protected:
  TwoNodes() {
    config_.cluster = true;
    config_.server = one_.server();
    config_.nodes = {two_.server()};
    config_.connect_timeout = 2s;
    config_.reply_timeout = 2s;
  }

  RedisScript::Answer Node(size_t self) {
    return [this, self](const RedisScript::Command& command) -> std::string {
      if (command[0] == "PING") return "+PONG\r\n";
      if (command[0] == "CLUSTER") return map_.empty() ? Map() : map_;
      if (command[0] == "ASKING") {
        asking_[self] = true;
        return "+OK\r\n";
      }
      if (command[0] == "MULTI") {
        aborted_[self] = false;
        queued_[self] = 0;
        return "+OK\r\n";
      }
      if (command[0] == "EXEC") {
        const bool asked = std::exchange(asking_[self], false);
        if (!at_exec_[self].empty() && !asked) return std::exchange(at_exec_[self], "");
        if (aborted_[self]) return "-EXECABORT Transaction discarded because of previous errors.\r\n";
        std::string replies = "*" + std::to_string(queued_[self]) + "\r\n";
        for (size_t i = 0; i < queued_[self]; ++i) replies += Bulk(names_[self]);
        return replies;
      }
      if (!refuse_[self].empty() && !asking_[self]) {
        aborted_[self] = true;
        return refuse_[self];
      }
      ++queued_[self];
      return "+QUEUED\r\n";
    };
  }
  std::string Map() const {
    const auto range = [](int from, int to, int port) {
      return "*3\r\n:" + std::to_string(from) + "\r\n:" + std::to_string(to) + "\r\n*2\r\n" +
             Bulk("127.0.0.1") + ":" + std::to_string(port) + "\r\n";
    };
    return "*2\r\n" + range(0, 7999, one_.port()) + range(8000, 16383, two_.port());
  }
  std::string To(size_t node, const std::string& how) {
    return "-" + how + " 5061 127.0.0.1:" + std::to_string(node == 0 ? one_.port() : two_.port()) + "\r\n";
  }

  bool TurnUntil(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      net::Timer tick([] {});
      tick.Arm(loop_.timers(), loop_.now() + 20ms);
      loop_.RunOnce(true);
    }
    return true;
  }
  bool Open() {
    nodes_.Open();
    return TurnUntil([this] { return nodes_.IsReady() || !lost_.empty(); }) && lost_.empty();
  }
  // A transaction on "bar", in slot 5061, which is the first node's. Who carried it out, or why all was lost.
  std::string Write() {
    RedisTransaction transaction;
    transaction.Begin(RedisTransaction::Purpose::kStream, 0);
    AppendCommand(transaction.commands, {"XADD", "bar", "1-1", "v", "x"});
    transaction.kinds.push_back(RedisTransaction::Kind::kVisit);
    transaction.slot = SlotOf("bar");
    done_.clear();
    nodes_.Queue(std::move(transaction));
    nodes_.Send();
    EXPECT_TRUE(TurnUntil([this] { return !done_.empty() || !lost_.empty(); }));
    return lost_.empty() ? done_ : lost_;
  }

  void OnNodesConnected() override {}
  void OnNodesReply(RedisNode& node, RedisTransaction&, const RedisReply& reply, bool last) override {
    if (reply.IsError()) refused_ = reply.text;
    if (!last) return;
    done_ = support::ToText(reply);
    node.TakeFront();
  }
  void OnNodesLost(const RedisFailure& failure) override { lost_ = failure.ToText(); }

  const std::string names_[2] = {"one", "two"};
  std::string refuse_[2], at_exec_[2], map_;
  bool asking_[2] = {}, aborted_[2] = {};
  size_t queued_[2] = {};
  RedisScript one_{Node(0)}, two_{Node(1)};
  net::Loop loop_;
  config::Redis config_;
  base::MetricsBlock metrics_;
  RedisNodes nodes_{loop_, config_, metrics_, [this] { return RedisWatch(config_, metrics_, "edge1", "aa"); },
                    *this};
  std::string done_, refused_, lost_;
};

TEST_F(TwoNodes, EveryMasterIsConnectedBeforeAnythingIsWritten) {
  ASSERT_TRUE(Open()) << lost_;
  EXPECT_EQ(nodes_.nodes().size(), 2u);
  EXPECT_EQ(Write(), "one");
  EXPECT_EQ(metrics_.Get(Metric::kRedisConnects), 2u);
}

TEST_F(TwoNodes, WhatHasMovedIsSentOnAndTheNextGoesThereAtOnce) {
  ASSERT_TRUE(Open()) << lost_;
  refuse_[0] = To(1, "MOVED");
  EXPECT_EQ(Write(), "two");
  EXPECT_EQ(Write(), "two");
  EXPECT_EQ(metrics_.Get(Metric::kRedisRedirectsMoved), 1u);
  EXPECT_EQ(refused_, "") << "nobody else hears of it";
}

TEST_F(TwoNodes, WhatIsBeingMovedIsAskedForThereAndTheNextComesHereAgain) {
  ASSERT_TRUE(Open()) << lost_;
  refuse_[0] = To(1, "ASK");
  refuse_[1] = To(0, "MOVED");  // unless it was asked
  EXPECT_EQ(Write(), "two");
  refuse_[0].clear();
  EXPECT_EQ(Write(), "one");
  EXPECT_EQ(metrics_.Get(Metric::kRedisRedirectsAsk), 1u);
}

TEST_F(TwoNodes, AKeyThatLeavesBetweenItsCommandAndExecIsFollowed) {
  ASSERT_TRUE(Open()) << lost_;
  at_exec_[0] = To(1, "ASK");
  EXPECT_EQ(Write(), "two");
  at_exec_[0] = To(1, "MOVED");
  EXPECT_EQ(Write(), "two");
}

TEST_F(TwoNodes, ACircleOfNodesEnds) {
  ASSERT_TRUE(Open()) << lost_;
  refuse_[0] = To(1, "MOVED");
  refuse_[1] = To(0, "MOVED");
  EXPECT_THAT(Write(), HasSubstr("clusterdown: slot 5061 is sent from node to node"));
  EXPECT_FALSE(nodes_.IsReady());
}

TEST_F(TwoNodes, EveryOtherErrorIsTheCallers) {
  ASSERT_TRUE(Open()) << lost_;
  refuse_[0] = "-OOM command not allowed\r\n";
  Write();
  EXPECT_THAT(refused_, HasSubstr("EXECABORT"));
  EXPECT_EQ(metrics_.Get(Metric::kRedisRedirectsMoved), 0u);
}

TEST_F(TwoNodes, AMapWithHolesIsNotTaken) {
  map_ = "*1\r\n*3\r\n:0\r\n:7999\r\n*2\r\n" + Bulk("127.0.0.1") + ":" + std::to_string(one_.port()) + "\r\n";
  EXPECT_FALSE(Open());
  EXPECT_THAT(lost_, HasSubstr("clusterdown: 8384 slots have no master"));
}

TEST_F(TwoNodes, TheNodeThatIsAwayIsNamedAndTheRestIsAskedForTheMap) {
  config_.server.port = support::FreePort();
  config_.connect_timeout = 500ms;
  EXPECT_TRUE(Open()) << "another node knows the map: " << lost_;
  nodes_.Close();
  map_ = Map();
  const std::string port = ":" + std::to_string(two_.port());
  map_.replace(map_.rfind(port), port.size(), ":" + std::to_string(config_.server.port));
  EXPECT_FALSE(Open());
  EXPECT_THAT(lost_, HasSubstr("refused: 127.0.0.1:" + std::to_string(config_.server.port)));
}

}  // namespace
}  // namespace gatebook::logger
