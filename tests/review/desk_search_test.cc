#include "review/desk_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/net/loop_driver.h"
#include "tests/review/desk_asker.h"
#include "tests/review/visit_scribe.h"

namespace gatebook::review {
namespace {

using testing::HasSubstr;
using testing::Not;

class DeskSearchTest : public testing::Test {
 protected:
  DeskSearchTest() {
    config_.redis = redis_.Config();
    config_.visit.retention = 720h;
  }
  // The answer's body, or all its pieces.
  std::string Ask(DeskQuestion::Kind kind, const DeskParameters& parameters, std::function<bool()> is_over) {
    auto question = ParseDeskQuestion(kind, parameters, false, Scribe::Now(), 720h);
    EXPECT_TRUE(question.ok());
    Reader reader(loop_);
    DeskSearch(config_, base::Clock::System(), std::move(is_over)).Answer(*question, *reader.reply);
    net::RunReady(loop_);
    if (reader.answers.empty()) return "no answer";
    return reader.answers.back().has_more ? reader.text : reader.answers.back().body;
  }

  support::RedisServer redis_;
  Scribe scribe_{redis_};
  net::Loop loop_;
  config::Config config_;
};

TEST_F(DeskSearchTest, WhoeverLeavesOrRunsOutOfTimeGetsWhatThereIs) {
  for (int i = 0; i < 50; ++i) scribe_.Write(0, PastMinute() + i * 10ms, static_cast<uint32_t>(i));
  const auto never = [] { return false; };
  EXPECT_THAT(Ask(DeskQuestion::Kind::kFigures, {{"since", "1h"}}, never), HasSubstr("\"visits\":50,"));
  int looks = 0;
  const auto soon = [&looks] { return ++looks > 3; };
  const std::string partial = Ask(DeskQuestion::Kind::kFigures, {{"since", "1h"}}, soon);
  EXPECT_THAT(partial, HasSubstr("\"partial\":true"));
  EXPECT_THAT(partial, HasSubstr("\"done\":true"));
  looks = 0;
  const std::string page = Ask(DeskQuestion::Kind::kVisits, {{"since", "1h"}}, soon);
  EXPECT_THAT(page, HasSubstr("\"partial\":true"));
  EXPECT_THAT(page, Not(HasSubstr("\"next\":null"))) << "and may go on from there";
}

TEST_F(DeskSearchTest, PagesOfOneMillisecondLoseNothing) {
  const base::WallTime at = PastMinute();
  for (uint32_t i = 0; i < 9; ++i) scribe_.Write(i % 2, at, i);
  for (const char* order : {"newest", "oldest"}) {
    std::set<std::string> seen;
    std::string cursor;
    for (int page = 0; page < 9; ++page) {
      DeskParameters parameters{{"since", "1h"}, {"limit", "2"}, {"order", order}};
      if (!cursor.empty()) parameters["cursor"] = cursor;
      const std::string body = Ask(DeskQuestion::Kind::kVisits, parameters, [] { return false; });
      for (size_t from = body.find("\"id\":\""); from != std::string::npos;
           from = body.find("\"id\":\"", from + 1)) {
        EXPECT_TRUE(seen.insert(body.substr(from, body.find(',', from) - from)).second) << "twice";
      }
      const size_t next = body.find("\"next\":\"");
      if (next == std::string::npos) break;
      cursor = body.substr(next + 8, body.find('"', next + 8) - next - 8);
    }
    EXPECT_EQ(seen.size(), 9u) << order;
  }
}

TEST_F(DeskSearchTest, ItSaysWhenRedisDoesNotAnswer) {
  redis_.Stop();
  EXPECT_THAT(Ask(DeskQuestion::Kind::kVisits, {}, [] { return false; }), HasSubstr("error"));
}

}  // namespace
}  // namespace gatebook::review
