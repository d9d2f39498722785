#include "review/live_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/loop_driver.h"
#include "tests/review/desk_asker.h"
#include "tests/review/visit_scribe.h"

namespace gatebook::review {
namespace {

using testing::HasSubstr;
using testing::Not;

class LiveFeedTest : public testing::Test {
 protected:
  LiveFeedTest() { feed_.Start(); }
  static std::function<bool()> Always() {
    return [] { return true; };
  }
  void Write(int visits) {
    for (int i = 0; i < visits; ++i) scribe_.Write(0, Scribe::Now(), next_++);
  }

  support::RedisServer redis_;
  Scribe scribe_{redis_};
  net::Loop loop_;
  LiveFeed feed_{redis_.Config(), base::Clock::System()};
  uint32_t next_ = 0;
};

TEST_F(LiveFeedTest, EachSeesWhatFitsAndDiscreetly) {
  Reader all(loop_), some(loop_);
  auto query = Query::Parse("path = /wanted");
  ASSERT_TRUE(query.ok());
  ASSERT_TRUE(feed_.Join(*all.reply, nullptr, Always()));
  ASSERT_TRUE(feed_.Join(*some.reply, std::make_shared<const Query>(std::move(query).value()), Always()));
  scribe_.visit.ip = *base::IpAddress::Parse("203.0.113.77");
  scribe_.visit.path = "/other";
  Write(1);
  scribe_.visit.path = "/wanted";
  Write(1);
  EXPECT_TRUE(net::RunUntil(
      loop_, [&] { return all.Count("event: visit") == 2 && some.Count("event: visit") == 1; }));
  EXPECT_THAT(all.text, HasSubstr("203.0.113.0/24"));
  EXPECT_THAT(all.text, Not(HasSubstr("203.0.113.77")));
  EXPECT_THAT(some.text, Not(HasSubstr("/other")));
}

TEST_F(LiveFeedTest, MoreThanPeopleReadIsLeftOutAndCounted) {
  Reader reader(loop_);
  ASSERT_TRUE(feed_.Join(*reader.reply, nullptr, Always()));
  // Who sees the last one knows that all were looked at.
  Reader last(loop_);
  auto query = Query::Parse("path = /last");
  ASSERT_TRUE(query.ok());
  ASSERT_TRUE(feed_.Join(*last.reply, std::make_shared<const Query>(std::move(query).value()), Always()));
  Write(200);
  scribe_.visit.path = "/last";
  Write(1);
  ASSERT_TRUE(net::RunUntil(loop_, [&] { return last.Count("event: visit") == 1; }));
  EXPECT_EQ(reader.Count("event: visit"), LiveFeed::kMostEvents);
  // Tend() begins the next second: what was left out in this one is told.
  ASSERT_TRUE(net::RunUntil(loop_, [&] {
    feed_.Tend();
    return reader.Count("event: missed") > 0;
  }));
}

TEST_F(LiveFeedTest, AReaderWhoTakesNothingHoldsLittle) {
  Reader reader(loop_);
  reader.takes = false;
  ASSERT_TRUE(feed_.Join(*reader.reply, nullptr, Always()));
  for (int i = 0; i < 20; ++i) {
    Write(40);
    net::RunReady(loop_);
    feed_.Tend();
  }
  Write(1);
  EXPECT_LT(reader.reply->backlog(), 80u * 1024);
}

TEST_F(LiveFeedTest, OnlySoManyLookOnAndWhoMayNotAnyMoreIsSentAway) {
  std::vector<std::unique_ptr<Reader>> readers;
  bool may_look = true;
  for (size_t i = 0; i < LiveFeed::kMostStreams; ++i) {
    readers.push_back(std::make_unique<Reader>(loop_));
    ASSERT_TRUE(feed_.Join(*readers.back()->reply, nullptr, [&may_look] { return may_look; }));
  }
  Reader late(loop_);
  EXPECT_FALSE(feed_.Join(*late.reply, nullptr, Always()));
  readers.pop_back();
  feed_.Tend();
  EXPECT_EQ(feed_.streams(), LiveFeed::kMostStreams - 1);
  EXPECT_TRUE(feed_.Join(*late.reply, nullptr, Always()));
  may_look = false;
  feed_.Tend();
  EXPECT_EQ(feed_.streams(), 1u);
  EXPECT_TRUE(net::RunUntil(loop_, [&] { return readers.front()->has_ended; }));
  EXPECT_FALSE(late.has_ended);
}

TEST_F(LiveFeedTest, SaysWhenRedisIsAway) {
  redis_.Stop();
  Reader reader(loop_);
  ASSERT_TRUE(feed_.Join(*reader.reply, nullptr, Always()));
  EXPECT_TRUE(net::RunUntil(loop_, [&] { return reader.Count("event: trouble") > 0; }));
}

}  // namespace
}  // namespace gatebook::review
