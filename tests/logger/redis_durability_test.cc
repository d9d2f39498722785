#include "logger/redis_durability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace gatebook::logger {
namespace {

using namespace std::chrono_literals;
using testing::StartsWith;

// What a server would say, as text: so that the reading is tested with it.
struct Server {
  std::string run_id = "aaaa";
  std::string replication_id = "bbbb";
  bool loading = false;
  bool aof = false;
  bool aof_ok = true;
  bool rewriting = false;
  int pending_fsync = 0;
  int saves = 0;
  bool saving = false;
  bool save_ok = true;
  int last_save = 100;
  uint64_t offset = 0;
  std::vector<std::string> replicas;  // "state=online,offset=7"

  std::string Info() const {
    std::string text =
        "# Server\r\nredis_version:7.0.15\r\nrun_id:" + run_id +
        "\r\n\r\n# Persistence\r\nloading:" + (loading ? "1" : "0") +
        "\r\nasync_loading:0\r\nrdb_bgsave_in_progress:" + (saving ? "1" : "0") +
        "\r\nrdb_last_save_time:" + std::to_string(last_save) +
        "\r\nrdb_last_bgsave_status:" + (save_ok ? "ok" : "err") + "\r\nrdb_saves:" + std::to_string(saves) +
        "\r\naof_enabled:" + (aof ? "1" : "0") + "\r\naof_rewrite_in_progress:" + (rewriting ? "1" : "0") +
        "\r\naof_rewrite_scheduled:0\r\naof_last_write_status:" + (aof_ok ? "ok" : "err") + "\r\n";
    if (aof) text += "aof_current_size:88\r\naof_pending_bio_fsync:" + std::to_string(pending_fsync) + "\r\n";
    text +=
        "\r\n# Replication\r\nrole:master\r\nconnected_slaves:" + std::to_string(replicas.size()) + "\r\n";
    for (size_t i = 0; i < replicas.size(); ++i)
      text += "slave" + std::to_string(i) + ":ip=127.0.0.1,port=6380," + replicas[i] + ",lag=0\r\n";
    return text + "master_replid:" + replication_id + "\r\nmaster_repl_offset:" + std::to_string(offset) +
           "\r\n";
  }
};

class RedisDurabilityTest : public testing::Test {
 protected:
  // A look now; false if the server is not the one it was.
  bool Look() {
    durability_.BeginLook(now_);
    return durability_.OnInfo(ParseRedisInfo(server_.Info()), now_);
  }
  void LookAfter(std::chrono::milliseconds time) {
    now_ += time;
    EXPECT_TRUE(Look());
  }
  // What is acknowledged now: durable when the answer is beyond this.
  uint64_t Acknowledge() const { return durability_.looks(); }
  bool IsDurable(uint64_t acknowledged) const { return durability_.durable() > acknowledged; }

  config::Redis config_;
  Server server_;
  base::SteadyTime now_{1h};
  RedisDurability durability_{config_};
};

TEST_F(RedisDurabilityTest, WithAnAppendOnlyFileAnAcknowledgedWriteIsDurableWhenItsHoldIsOver) {
  server_.aof = true;
  LookAfter(0ms);
  const uint64_t acknowledged = Acknowledge();
  LookAfter(250ms);  // from here on the hold counts
  for (int i = 0; i < 7; ++i) {
    LookAfter(250ms);
    EXPECT_FALSE(IsDurable(acknowledged)) << i;
  }
  LookAfter(250ms);
  EXPECT_TRUE(IsDurable(acknowledged));
  EXPECT_FALSE(IsDurable(Acknowledge())) << "what comes now has its own hold";
  EXPECT_THAT(durability_.state(), StartsWith("ok: append-only file"));
}

TEST_F(RedisDurabilityTest, AShortHoldStillWaitsForAnFsyncThatBeganLater) {
  config_.hold = 0ms;
  server_.aof = true;
  const uint64_t acknowledged = Acknowledge();
  LookAfter(0ms);
  LookAfter(1100ms);
  EXPECT_FALSE(IsDurable(acknowledged));
  LookAfter(100ms);
  EXPECT_TRUE(IsDurable(acknowledged));
}

TEST_F(RedisDurabilityTest, WhereEveryWriteIsFlushedNothingButTheHoldIsWaitedFor) {
  config_.hold = 0ms;
  server_.aof = true;
  durability_.OnSetting("appendfsync", "always");
  const uint64_t acknowledged = Acknowledge();
  LookAfter(0ms);
  LookAfter(1ms);
  EXPECT_TRUE(IsDurable(acknowledged));
}

TEST_F(RedisDurabilityTest, WhereTheKernelDecidesItsThirtySecondsAreWaitedFor) {
  server_.aof = true;
  durability_.OnSetting("appendfsync", "no");
  const uint64_t acknowledged = Acknowledge();
  LookAfter(0ms);
  LookAfter(34s);
  EXPECT_FALSE(IsDurable(acknowledged));
  LookAfter(1s);
  EXPECT_TRUE(IsDurable(acknowledged));
}

TEST_F(RedisDurabilityTest, WhileTheFileCannotBeWrittenNothingIsDurableAndItIsSaid) {
  server_.aof = true;
  const uint64_t acknowledged = Acknowledge();
  LookAfter(0ms);
  server_.aof_ok = false;
  LookAfter(1h);
  EXPECT_FALSE(IsDurable(acknowledged));
  EXPECT_THAT(durability_.state(), StartsWith("aof_write_failing: "));
  EXPECT_EQ(durability_.last_look(), RedisLook::kAofFailing);
  server_.aof_ok = true;
  LookAfter(1s);
  EXPECT_TRUE(IsDurable(acknowledged));
}

// One fsync that lasts from before the write to behind the second look would prove nothing.
TEST_F(RedisDurabilityTest, LooksThatMeetAnFsyncProveNothingAndAreRepeatedSoon) {
  server_.aof = true;
  server_.pending_fsync = 1;
  const uint64_t acknowledged = Acknowledge();
  for (int i = 0; i < 100; ++i) LookAfter(1s);
  EXPECT_FALSE(IsDurable(acknowledged));
  EXPECT_THAT(durability_.state(), StartsWith("disk_busy: "));
  EXPECT_EQ(durability_.next_look(), 100ms);
  server_.pending_fsync = 0;
  LookAfter(100ms);
  EXPECT_FALSE(IsDurable(acknowledged));
  LookAfter(2s);
  EXPECT_TRUE(IsDurable(acknowledged));
}

TEST_F(RedisDurabilityTest, NoFsyncWhileRewritingMeansThatRewritingProvesNothing) {
  server_.aof = true;
  durability_.OnSetting("no-appendfsync-on-rewrite", "yes");
  LookAfter(0ms);
  server_.rewriting = true;
  const uint64_t acknowledged = Acknowledge();
  LookAfter(10s);
  LookAfter(10s);
  EXPECT_FALSE(IsDurable(acknowledged));
  server_.rewriting = false;
  LookAfter(10s);
  LookAfter(10s);
  EXPECT_TRUE(IsDurable(acknowledged));
}

TEST_F(RedisDurabilityTest, AFileThatIsSwitchedOnCountsWhenItsFirstRewritingIsDone) {
  LookAfter(0ms);
  server_.aof = server_.rewriting = true;
  const uint64_t acknowledged = Acknowledge();
  for (int i = 0; i < 10; ++i) LookAfter(1s);
  EXPECT_FALSE(IsDurable(acknowledged));
  EXPECT_THAT(durability_.state(), StartsWith("aof_starting: "));
  server_.rewriting = false;
  LookAfter(1s);
  server_.rewriting = true;  // a later rewriting does not matter
  LookAfter(2s);
  EXPECT_TRUE(IsDurable(acknowledged));
}

TEST_F(RedisDurabilityTest, WithSnapshotsOnlyASaveThatBeganLaterMakesDurable) {
  LookAfter(0ms);
  const uint64_t acknowledged = Acknowledge();
  LookAfter(1h);
  EXPECT_FALSE(IsDurable(acknowledged)) << "time alone does nothing";
  server_.saves = 1;
  server_.saving = true;
  LookAfter(1s);
  EXPECT_FALSE(IsDurable(acknowledged));
  const uint64_t meanwhile = Acknowledge();
  server_.saving = false;
  server_.last_save = 200;
  LookAfter(1s);
  EXPECT_TRUE(IsDurable(acknowledged));
  EXPECT_FALSE(IsDurable(meanwhile)) << "the fork was before";
  server_.saves = 2;
  server_.last_save = 300;
  LookAfter(1s);
  EXPECT_TRUE(IsDurable(meanwhile));
  EXPECT_TRUE(durability_.WaitsForSave());
  EXPECT_EQ(durability_.next_look(), 1s);
}

TEST_F(RedisDurabilityTest, ASaveThatWasUnderWayAtTheAcknowledgementDoesNotCount) {
  server_.saves = 1;
  server_.saving = true;
  LookAfter(0ms);
  const uint64_t acknowledged = Acknowledge();
  LookAfter(1s);
  server_.saving = false;
  server_.last_save = 200;
  LookAfter(1s);
  LookAfter(1s);
  EXPECT_FALSE(IsDurable(acknowledged));
  server_.saves = 2;
  server_.saving = true;
  LookAfter(1s);
  EXPECT_FALSE(IsDurable(acknowledged));
  server_.saving = false;
  server_.last_save = 210;
  LookAfter(1s);
  EXPECT_TRUE(IsDurable(acknowledged));
}

TEST_F(RedisDurabilityTest, ASaveThatFailsDoesNotCount) {
  LookAfter(0ms);
  const uint64_t acknowledged = Acknowledge();
  LookAfter(1s);
  server_.saves = 1;
  server_.save_ok = false;
  LookAfter(1s);
  EXPECT_FALSE(IsDurable(acknowledged));
  EXPECT_THAT(durability_.state(), StartsWith("save_failing: "));
  // A SAVE, which says nothing of its failure but that it was begun.
  server_.save_ok = true;
  server_.saves = 2;
  LookAfter(1s);
  EXPECT_FALSE(IsDurable(acknowledged));
  server_.saves = 3;
  server_.last_save = 200;
  LookAfter(1s);
  EXPECT_TRUE(IsDurable(acknowledged));
}

// The save under way ends well, and a SAVE fails, between two looks.
TEST_F(RedisDurabilityTest, AFailedSaveAfterTheOneUnderWayIsNotTakenForAnother) {
  server_.saves = 1;
  server_.saving = true;
  const uint64_t acknowledged = Acknowledge();
  LookAfter(0ms);
  server_.saves = 2;
  server_.saving = false;
  server_.last_save = 200;  // of save 1
  LookAfter(1s);
  LookAfter(1s);
  EXPECT_FALSE(IsDurable(acknowledged));
}

TEST_F(RedisDurabilityTest, WithNeitherWaitingIsInVainAndItIsSaid) {
  durability_.OnSetting("save", "");
  LookAfter(0ms);
  EXPECT_TRUE(durability_.IsWaitingVain());
  EXPECT_THAT(durability_.state(), StartsWith("nothing: "));
  durability_.OnSetting("save", "3600 1");
  LookAfter(1s);
  EXPECT_FALSE(durability_.IsWaitingVain());
}

TEST_F(RedisDurabilityTest, WithoutKnowingTheSavePointsASnapshotIsWaitedFor) {
  LookAfter(0ms);
  EXPECT_FALSE(durability_.IsWaitingVain());
  EXPECT_THAT(durability_.state(), testing::HasSubstr("+config|get"));
}

TEST_F(RedisDurabilityTest, WhereAcknowledgedIsEnoughNothingWaits) {
  config_.durability = config::Durability::kAcknowledged;
  EXPECT_TRUE(durability_.IsWaitingVain());
}

TEST_F(RedisDurabilityTest, WhereInfoIsNotPermittedTimeDecides) {
  const uint64_t acknowledged = Acknowledge();
  const auto look_after = [this](std::chrono::milliseconds time) {
    now_ += time;
    durability_.BeginLook(now_);
    durability_.OnInfoRefused(now_);
  };
  look_after(0ms);
  look_after(1s);
  EXPECT_FALSE(IsDurable(acknowledged));
  look_after(1s);
  EXPECT_TRUE(IsDurable(acknowledged));
  EXPECT_THAT(durability_.state(), StartsWith("not_told: "));
}

TEST_F(RedisDurabilityTest, WhileRedisLoadsNothingIsLookedAt) {
  server_.aof = server_.loading = true;
  LookAfter(0ms);
  LookAfter(1min);
  EXPECT_EQ(durability_.durable(), 0u);
  EXPECT_EQ(durability_.last_look(), RedisLook::kLoading);
}

TEST_F(RedisDurabilityTest, ReplicasThatAreOnlineMustHaveItToo) {
  server_.aof = true;
  durability_.OnSetting("appendfsync", "always");
  config_.hold = 0ms;
  server_.replicas = {"state=online,offset=90", "state=wait_bgsave,offset=0"};
  const uint64_t acknowledged = Acknowledge();
  server_.offset = 100;
  LookAfter(0ms);
  server_.offset = 200;
  LookAfter(3s);
  EXPECT_FALSE(IsDurable(acknowledged));
  EXPECT_EQ(durability_.last_look(), RedisLook::kReplicaBehind);
  server_.replicas[0] = "state=online,offset=100";
  LookAfter(1s);
  EXPECT_TRUE(IsDurable(acknowledged));
  EXPECT_EQ(durability_.replicas_given_up(), 0u);
}

TEST_F(RedisDurabilityTest, AReplicaThatLeavesIsWaitedForOnlySoLong) {
  server_.aof = true;
  server_.replicas = {"state=online,offset=0"};
  server_.offset = 100;
  const uint64_t acknowledged = Acknowledge();
  LookAfter(0ms);
  server_.replicas.clear();
  LookAfter(5s);
  EXPECT_FALSE(IsDurable(acknowledged)) << "it may be promoted without it";
  const uint64_t later = Acknowledge();
  LookAfter(5s);
  EXPECT_TRUE(IsDurable(acknowledged));
  EXPECT_EQ(durability_.replicas_given_up(), 1u);
  LookAfter(5s);
  EXPECT_TRUE(IsDurable(later)) << "nobody else is waited for";
  EXPECT_EQ(durability_.replicas_given_up(), 1u);
}

TEST_F(RedisDurabilityTest, NobodyWaitsForReplicasIfThatIsTheChoice) {
  config_.replica_wait = 0ms;
  server_.aof = true;
  server_.replicas = {"state=online,offset=0"};
  server_.offset = 100;
  const uint64_t acknowledged = Acknowledge();
  LookAfter(0ms);
  LookAfter(2s);
  EXPECT_TRUE(IsDurable(acknowledged));
  EXPECT_EQ(durability_.replicas_given_up(), 0u);
}

TEST_F(RedisDurabilityTest, AnotherServerOrHistoryOnTheSameConnectionIsFound) {
  LookAfter(0ms);
  LookAfter(1s);
  server_.replication_id = "cccc";  // it followed another server meanwhile
  EXPECT_FALSE(Look());
  durability_.Reset();
  EXPECT_TRUE(Look());
  server_.run_id = "dddd";
  EXPECT_FALSE(Look());
  EXPECT_EQ(durability_.restarts(), 1u);
}

TEST_F(RedisDurabilityTest, ANewConnectionBeginsFromNothing) {
  server_.aof = true;
  LookAfter(0ms);
  LookAfter(2s);
  ASSERT_GT(durability_.durable(), 0u);
  durability_.Reset();
  const uint64_t acknowledged = Acknowledge();
  EXPECT_EQ(durability_.durable(), 0u);
  LookAfter(1s);
  EXPECT_FALSE(IsDurable(acknowledged));
  LookAfter(2s);
  EXPECT_TRUE(IsDurable(acknowledged));
}

// Hours of looks without a save: what is remembered stays small, and what a save then proves stays true.
TEST_F(RedisDurabilityTest, LongWaitingKeepsTheAnswerRight) {
  for (int i = 0; i < 10'000; ++i) LookAfter(1s);
  const uint64_t before_the_save = Acknowledge();
  LookAfter(1s);
  server_.saves = 1;
  server_.last_save = 999;
  LookAfter(1s);
  EXPECT_TRUE(IsDurable(before_the_save));
  EXPECT_FALSE(IsDurable(Acknowledge()));

  server_.aof = true;
  config_.hold = 1h;
  LookAfter(1s);
  const uint64_t acknowledged = Acknowledge();
  for (int i = 0; i < 3600; ++i) LookAfter(1s);
  EXPECT_FALSE(IsDurable(acknowledged));
  for (int i = 0; i < 1200; ++i) LookAfter(1s);
  EXPECT_TRUE(IsDurable(acknowledged)) << "later than it could be, but not never";
}

TEST(RedisInfo, WhatIsMissingOrStrangeIsNoTrouble) {
  const RedisInfo empty = ParseRedisInfo("");
  EXPECT_FALSE(empty.aof_enabled);
  const RedisInfo strange = ParseRedisInfo(
      "no "
      "colon\r\n:\r\nrdb_saves:-4\r\nslave0:\r\nslave1:state=online\r\nslave_x:state=online\r\naof_enabled");
  EXPECT_EQ(strange.saves_begun, 0u);
  EXPECT_THAT(strange.replicas, testing::ElementsAre(0u));
}

}  // namespace
}  // namespace gatebook::logger
