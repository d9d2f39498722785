#include "config/redis_url.h"

#include <gtest/gtest.h>

namespace gatebook::config {
namespace {

TEST(RedisUrl, EveryFormIsRead) {
  const auto plain = ParseRedisUrl("redis://127.0.0.1:6380/3");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->server.port, 6380);
  EXPECT_EQ(plain->database, 3u);
  EXPECT_FALSE(plain->tls);

  const auto user = ParseRedisUrl("redis://gatebook@redis.internal");
  ASSERT_TRUE(user.ok());
  EXPECT_EQ(user->user, "gatebook");
  EXPECT_EQ(user->server.hostname, "redis.internal");
  EXPECT_EQ(user->server.port, 6379);

  const auto v6 = ParseRedisUrl("redis://[::1]/1");
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->server.port, 6379);

  const auto socket = ParseRedisUrl("unix:///run/redis/redis.sock?db=2");
  ASSERT_TRUE(socket.ok());
  EXPECT_EQ(socket->server.path, "/run/redis/redis.sock");
  EXPECT_EQ(socket->database, 2u);

  const auto tls = ParseRedisUrl("rediss://redis.internal:6379/0");
  ASSERT_TRUE(tls.ok());
  EXPECT_TRUE(tls->tls);
}

TEST(RedisUrl, APasswordIsRefusedWhereverItStands) {
  for (const char* text : {"redis://:word@host", "redis://user:word@host:6379/0", "redis://user:wo/rd@host",
                           "rediss://user:word@host", "unix://user:word@/run/redis.sock"}) {
    const auto url = ParseRedisUrl(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_NE(url.error().message.find("password_file"), std::string::npos) << text;
    EXPECT_EQ(url.error().message.find("word@"), std::string::npos) << text;
  }
}

TEST(RedisUrl, BrokenOnesAreRefused) {
  for (const char* text :
       {"", "redis:", "redis://", "redis:///0", "http://host", "localhost:6379", "redis://host:x/0",
        "redis://host/x", "redis://host/-1", "redis://host/65536", "redis://@host", "redis://a b@host",
        "unix://run/redis.sock", "unix:///run/redis.sock?x=1",
        "unix:///run/redis.sock?db=", "redis://host/0/1", "redis://[::1", "redis://[::1]x"}) {
    EXPECT_FALSE(ParseRedisUrl(text).ok()) << text;
  }
}

TEST(RedisUrl, WhatIsPrintedReadsBackTheSame) {
  for (const char* text :
       {"redis://127.0.0.1:6379/0", "redis://gatebook@redis.internal:6380/7", "unix:///run/redis/redis.sock",
        "unix://gatebook@/run/redis.sock?db=4", "redis://[::1]:6379/1"}) {
    const auto url = ParseRedisUrl(text);
    ASSERT_TRUE(url.ok()) << text;
    Redis redis;
    redis.server = url->server;
    redis.tls = url->tls;
    redis.database = url->database;
    redis.user = url->user;
    EXPECT_EQ(FormatRedisUrl(redis), text);
  }
}

}  // namespace
}  // namespace gatebook::config
