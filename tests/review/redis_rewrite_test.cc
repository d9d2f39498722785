#include "review/redis_rewrite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/redis_server.h"
#include "tests/support/wait.h"

namespace gatebook::review {
namespace {

// True until it has been asked so often.
Pause Patience(int times = 1000) {
  return [times](std::chrono::milliseconds time) mutable {
    support::WaitUntil([] { return false; }, time);
    return times-- > 0;
  };
}

class RedisRewriteTest : public testing::Test {
 protected:
  std::string Rewrite(support::RedisServer& redis, const Pause& pause = Patience()) {
    auto client = logger::RedisClient::Connect(redis.Config());
    EXPECT_TRUE(client.ok());
    const auto said = RewriteRedisFiles(**client, pause);
    return said ? *said : "lost: " + said.error().message;
  }
  static bool IsInFiles(const support::RedisServer& redis, const std::string& text) {
    const std::filesystem::path directory = std::filesystem::path(redis.socket()).parent_path();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file() && support::ReadFile(entry.path()).find(text) != std::string::npos)
        return true;
    }
    return false;
  }
};

TEST_F(RedisRewriteTest, WhatIsGoneIsGoneFromTheAppendOnlyFile) {
  support::RedisServer redis({"--appendonly", "yes"});
  redis.Ask({"set", "a", "unmistakable"});
  redis.Ask({"del", "a"});
  ASSERT_TRUE(IsInFiles(redis, "unmistakable"));
  EXPECT_EQ(Rewrite(redis), kRewritten);
  EXPECT_FALSE(IsInFiles(redis, "unmistakable"));
}

TEST_F(RedisRewriteTest, SnapshotsAreTakenAnewIfAnyAreTaken) {
  support::RedisServer redis({"--save", "3600 1", "--rdbcompression", "no"});
  redis.Ask({"set", "a", "unmistakable"});
  redis.Ask({"save"});
  ASSERT_TRUE(IsInFiles(redis, "unmistakable"));
  redis.Ask({"del", "a"});
  EXPECT_EQ(Rewrite(redis), kRewritten);
  EXPECT_FALSE(IsInFiles(redis, "unmistakable"));
}

TEST_F(RedisRewriteTest, ARedisThatKeepsNoFilesHasNothingToDo) {
  support::RedisServer redis;
  EXPECT_EQ(Rewrite(redis), kRewritten);
}

TEST_F(RedisRewriteTest, WhyNotIsSaid) {
  support::RedisServer redis({"--appendonly", "yes"});
  redis.Ask({"acl", "setuser", "default", "-bgrewriteaof"});
  EXPECT_THAT(Rewrite(redis), testing::HasSubstr("NOPERM"));
  redis.Ask({"acl", "setuser", "default", "-info"});
  EXPECT_THAT(Rewrite(redis), testing::HasSubstr("NOPERM"));
}

TEST_F(RedisRewriteTest, WhoHasToEndDoesNotWait) {
  support::RedisServer redis({"--appendonly", "yes"});
  redis.Ask({"config", "set", "rdb-key-save-delay", "200000"});
  for (int i = 0; i < 50; ++i) redis.Ask({"set", std::to_string(i), "x"});
  EXPECT_EQ(Rewrite(redis, Patience(0)), "stopped");
}

TEST(InfoValueTest, FindsWholeNamesOnly) {
  const std::string_view info = "# Persistence\r\nxaof:0\r\naof:1\r\naof_more:2\r\n";
  EXPECT_EQ(InfoValue(info, "aof"), "1");
  EXPECT_EQ(InfoValue(info, "aof_more"), "2");
  EXPECT_EQ(InfoValue(info, "more"), "");
  EXPECT_EQ(InfoValue(info, ""), "");
}

}  // namespace
}  // namespace gatebook::review
