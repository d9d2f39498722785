#include "logger/nodes_durability.h"

#include <gtest/gtest.h>

namespace gatebook::logger {
namespace {

using namespace std::chrono_literals;

// Nodes that are never connected: what they say is put into their watches' mouths.
class NodesDurabilityTest : public testing::Test, public RedisNode::Handler {
 protected:
  void OnNodeConnected(RedisNode&) override {}
  void OnNodeReply(RedisNode&, const RedisReply&) override {}
  void OnNodeClosed(RedisNode&, const RedisFailure&) override {}

  RedisNode& AddNode() {
    RedisNode::Handler& self = *this;
    nodes_.push_back(std::make_unique<RedisNode>(loop_, config_, config::Endpoint(),
                                                 RedisWatch(config_, metrics_, "edge1", "aa"), self));
    return *nodes_.back();
  }
  // A look at each node, answered with `info`, as a server would.
  void Look(const std::vector<std::string>& infos) {
    const uint64_t looks = durability_.looks();
    for (size_t i = 0; i < nodes_.size(); ++i) {
      std::string commands;
      const size_t replies = nodes_[i]->watch().AppendLook(commands, false, looks, now_);
      for (size_t n = 0; n < replies; ++n) {
        RedisReply reply;
        // Of the settings, if they are asked for, INFO and the claim only INFO matters here.
        if (n + 2 == replies) {
          reply.type = RedisReply::Type::kString;
          reply.text = infos[i];
        } else {
          reply.type = RedisReply::Type::kError;
          reply.text = "NOPERM";
        }
        nodes_[i]->watch().OnReply(reply, now_);
      }
    }
    durability_.CountLook();
    now_ += 3s;
  }

  const std::string file_ =
      "run_id:1\r\nmaster_replid:2\r\naof_enabled:1\r\naof_last_write_status:ok\r\n"
      "aof_rewrite_in_progress:0\r\naof_pending_bio_fsync:0\r\n";
  const std::string failing_ =
      "run_id:1\r\nmaster_replid:2\r\naof_enabled:1\r\naof_last_write_status:err\r\n"
      "aof_rewrite_in_progress:0\r\naof_pending_bio_fsync:0\r\n";
  net::Loop loop_;
  config::Redis config_;
  base::MetricsBlock metrics_;
  std::vector<std::unique_ptr<RedisNode>> nodes_;
  NodesDurability durability_{nodes_};
  base::SteadyTime now_ = base::Clock::System().SteadyNow();
};

TEST_F(NodesDurabilityTest, NothingIsDurableWithoutNodes) {
  EXPECT_EQ(durability_.durable(), 0u);
  EXPECT_FALSE(durability_.IsWaitingVain());
}

TEST_F(NodesDurabilityTest, TheSlowestNodeDecides) {
  AddNode();
  AddNode();
  for (int i = 0; i < 4; ++i) Look({file_, file_});
  const uint64_t both = durability_.durable();
  EXPECT_GE(both, 1u);
  EXPECT_EQ(durability_.looks(), 4u);
  for (int i = 0; i < 4; ++i) Look({file_, failing_});
  EXPECT_LE(durability_.durable(), both + 1) << "what the second can't write is on no disk";
  EXPECT_GT(nodes_[0]->watch().durability().durable(), durability_.durable());
  EXPECT_NE(durability_.state().substr(0, 2), "ok");
}

TEST_F(NodesDurabilityTest, ANodeThatJoinsLateIsNumberedLikeTheOthers) {
  AddNode();
  for (int i = 0; i < 5; ++i) Look({file_});
  const uint64_t before = durability_.durable();
  AddNode();
  EXPECT_EQ(durability_.durable(), 0u) << "what it holds was never looked at";
  for (int i = 0; i < 4; ++i) Look({file_, file_});
  EXPECT_GT(durability_.durable(), before);
  EXPECT_LE(durability_.durable(), durability_.looks());
}

}  // namespace
}  // namespace gatebook::logger
