#include "logger/redis_slots.h"

#include <gtest/gtest.h>

#include "tests/support/redis_script.h"

namespace gatebook::logger {
namespace {

config::Endpoint At(std::string_view host, std::string_view port) { return *ServerAt(host, port); }

base::Result<RedisSlots> Parse(const std::string& bytes) {
  RedisReader reader(1 << 20);
  EXPECT_TRUE(reader.Feed(bytes));
  const RedisReply* reply = reader.Next();
  EXPECT_NE(reply, nullptr) << reader.error();
  return RedisSlots::Parse(*reply, At("10.0.0.9", "7000"));
}

std::string Range(int first, int last, const std::string& host, int port) {
  return "*3\r\n:" + std::to_string(first) + "\r\n:" + std::to_string(last) + "\r\n*3\r\n" +
         (host.empty() ? "$-1\r\n" : support::Bulk(host)) + ":" + std::to_string(port) + "\r\n" +
         support::Bulk("0123456789");
}

TEST(RedisSlots, TheSlotOfAKeyIsTheOneOfRedis) {
  // As CLUSTER KEYSLOT of a real server says.
  EXPECT_EQ(SlotOf("123456789"), 12739);
  EXPECT_EQ(SlotOf("foo"), 12182);
  EXPECT_EQ(SlotOf(""), 0);
  EXPECT_EQ(SlotOf("gb:visits:{edge1.0.29000000}"), SlotOf("edge1.0.29000000"));
  EXPECT_EQ(SlotOf("{user1000}.following"), SlotOf("{user1000}.followers"));
  EXPECT_EQ(SlotOf("foo{}{bar}"), 8363) << "empty braces count for nothing";
  EXPECT_EQ(SlotOf("foo{{bar}}zap"), SlotOf("{bar"));
  EXPECT_EQ(SlotOf("foo{bar}{zap}"), SlotOf("bar"));
  EXPECT_EQ(SlotOf("foo{bar"), SlotOf("foo{bar"));
}

TEST(RedisSlots, AMapSaysWhoHoldsWhat) {
  const auto slots = Parse("*3\r\n" + Range(0, 5460, "10.0.0.1", 7000) + Range(5461, 5999, "", 7001) +
                           Range(6000, 16383, "10.0.0.1", 7000));
  ASSERT_TRUE(slots.ok()) << slots.error().message;
  ASSERT_EQ(slots->servers().size(), 2u);
  EXPECT_EQ(slots->servers()[1], At("10.0.0.9", "7001")) << "who left its host out is who was asked";
  EXPECT_EQ(slots->Find(0), 0u);
  EXPECT_EQ(slots->Find(5999), 1u);
  EXPECT_EQ(slots->Find(16383), 0u);
  EXPECT_EQ(slots->unserved(), 0u);
}

TEST(RedisSlots, ASlotThatMovesChangesNoOtherAndNoIndex) {
  auto slots = Parse("*1\r\n" + Range(0, 100, "10.0.0.1", 7000));
  ASSERT_TRUE(slots.ok());
  EXPECT_EQ(slots->unserved(), kRedisSlots - 101);
  EXPECT_FALSE(slots->Find(101));
  EXPECT_EQ(slots->Move(101, At("redis-2.internal", "7000")), 1u);
  EXPECT_EQ(slots->Move(5, At("redis-2.internal", "7000")), 1u);
  EXPECT_EQ(slots->Find(101), 1u);
  EXPECT_EQ(slots->Find(5), 1u);
  EXPECT_EQ(slots->Find(6), 0u);
  EXPECT_EQ(slots->unserved(), kRedisSlots - 102);
}

TEST(RedisSlots, AnAnswerThatIsNoMapIsRefused) {
  for (const std::string& bad :
       {std::string("+OK\r\n"), std::string("*1\r\n:1\r\n"), "*1\r\n" + Range(5, 4, "10.0.0.1", 1),
        "*1\r\n" + Range(0, 16384, "10.0.0.1", 1), "*1\r\n" + Range(-1, 3, "10.0.0.1", 1)}) {
    EXPECT_FALSE(Parse(bad).ok()) << bad;
  }
  const auto nobody = Parse("*1\r\n" + Range(0, 3, "?", 1));
  EXPECT_TRUE(nobody.ok() && nobody->servers().empty()) << "a node that has no name yet";
}

TEST(RedisSlots, ASingleServerHoldsAll) {
  RedisSlots slots(At("10.0.0.1", "6379"));
  EXPECT_EQ(slots.Find(0), 0u);
  EXPECT_EQ(slots.Find(16383), 0u);
  EXPECT_EQ(slots.unserved(), 0u);
  EXPECT_FALSE(RedisSlots().Find(0));
}

TEST(RedisSlots, RedirectionsAreReadAndNothingElseIs) {
  const auto from = At("10.0.0.9", "7000");
  const auto moved = ParseRedirect("MOVED 3999 127.0.0.1:6381", from);
  ASSERT_TRUE(moved);
  EXPECT_FALSE(moved->ask);
  EXPECT_EQ(moved->slot, 3999);
  EXPECT_EQ(moved->server, At("127.0.0.1", "6381"));
  const auto ask = ParseRedirect("ASK 1 2001:db8::1:6381", from);
  ASSERT_TRUE(ask);
  EXPECT_TRUE(ask->ask);
  EXPECT_EQ(ask->server, At("2001:db8::1", "6381"));
  EXPECT_EQ(ParseRedirect("MOVED 1 :6381", from)->server, At("10.0.0.9", "6381"));
  EXPECT_EQ(ParseRedirect("MOVED 1 redis-2.internal:6381", from)->server.hostname, "redis-2.internal");
  for (const char* none : {"", "MOVED", "MOVED ", "MOVED 1", "MOVED x 127.0.0.1:1", "MOVED 16384 127.0.0.1:1",
                           "MOVED 1 127.0.0.1:", "MOVED 1 127.0.0.1:70000", "MOVEDTO 1 127.0.0.1:1",
                           "ERR MOVED 1 127.0.0.1:1", "TRYAGAIN Multiple keys"}) {
    EXPECT_FALSE(ParseRedirect(none, from)) << none;
  }
}

}  // namespace
}  // namespace gatebook::logger
