#include "review/rights_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/option_table.h"
#include "logger/redis_keys.h"
#include "logger/visit_record.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using Kind = RightsDesk::Answer::Kind;
using Refused = RightsDesk::Refused;
using Wish = RightsDesk::Wish;

class RightsDeskTest : public testing::Test {
 protected:
  RightsDeskTest() {
    config_.redis = redis_.Config();
    config_.journal.directory = files_.path();
    config_.rights = {config::SelfService::kErase, 3, 5};
  }
  void Start() {
    desk_.Start(logger::ErasureKey(std::array<uint8_t, 32>{}), [] { return true; });
  }
  static logger::SessionId Session(uint8_t number) { return {{number}}; }
  static base::WallTime Now() { return base::Clock::System().WallNow(); }

  void StoreVisit(const logger::SessionId& session) {
    const auto now = static_cast<uint64_t>(Now().time_since_epoch().count());
    const logger::VisitId id{0, now, 0};
    logger::Visit visit;
    visit.arrival = Now() - 5ms;
    visit.session = session;
    visit.ip = *base::IpAddress::Parse("192.0.2.1");
    std::string v, c, entry;
    logger::AppendVisitFacts(v, id, visit);
    logger::AppendClientFacts(c, visit, {}, {});
    logger::AppendEntryId(entry, id.milliseconds, id.n);
    redis_.Ask({"XADD", logger::VisitsKey("edge1", 0, logger::MinuteOf(id)), entry, "v", v, "c", c});
    redis_.Ask({"HSET", logger::kEdgesKey, "edge1", logger::ToText(logger::EdgeClaim{"aa", 1, Now()})});
  }
  std::unique_ptr<RightsDesk::Ticket> Ask(uint8_t session, Wish wish = Wish::kShow) {
    return desk_.Ask(
        loop_, {wish, Session(session), Now() - 1min, Now() + 1s}, config_.rights,
        [this](RightsDesk::Answer answer) { answers_.push_back(std::move(answer)); }, &refused_);
  }
  bool TurnUntil(const std::function<bool()>& condition) {
    return support::WaitUntil([&] {
      loop_.RunOnce(false);
      return condition();
    });
  }

  support::RedisServer redis_;
  support::TempDirectory files_;
  config::Config config_ = config::Defaults();
  base::ManualClock clock_{Now()};
  base::MetricsBlock metrics_;
  net::Loop loop_;
  RightsDesk desk_{config_, clock_, metrics_};
  std::vector<RightsDesk::Answer> answers_;
  Refused refused_ = Refused::kNot;
};

TEST_F(RightsDeskTest, ShowsAndErasesWhatIsStoredOfASession) {
  clock_.SetWall(Now() + 2s);
  StoreVisit(Session(1));
  Start();
  auto shown = Ask(1);
  ASSERT_TRUE(TurnUntil([&] { return answers_.size() == 1; }));
  EXPECT_EQ(answers_[0].kind, Kind::kShown);
  EXPECT_THAT(answers_[0].json, testing::HasSubstr("192.0.2.1"));
  auto erased = Ask(1, Wish::kErase);
  ASSERT_TRUE(TurnUntil([&] { return answers_.size() == 2; }));
  EXPECT_EQ(answers_[1].kind, Kind::kErased);
  EXPECT_THAT(answers_[1].json, testing::HasSubstr("\"visits\": 1"));
  EXPECT_THAT(answers_[1].json, testing::HasSubstr("within a day"));
  auto again = Ask(1);
  ASSERT_TRUE(TurnUntil([&] { return answers_.size() == 3; }));
  EXPECT_EQ(answers_[2].kind, Kind::kNothing);
  EXPECT_EQ(metrics_.Get(base::Metric::kRightsShown), 1u);
  EXPECT_EQ(metrics_.Get(base::Metric::kRightsErased), 1u);
  EXPECT_EQ(metrics_.Get(base::Metric::kRightsNothing), 1u);
}

TEST_F(RightsDeskTest, OneSessionAndAllTogetherMayAskSoOftenInAMinute) {
  Start();
  std::vector<std::unique_ptr<RightsDesk::Ticket>> tickets;
  for (int i = 0; i < 3; ++i) tickets.push_back(Ask(1));
  EXPECT_NE(tickets.back(), nullptr);
  EXPECT_EQ(Ask(1), nullptr);
  EXPECT_EQ(refused_, Refused::kLimited);
  for (int i = 0; i < 2; ++i) tickets.push_back(Ask(2));
  EXPECT_NE(tickets.back(), nullptr);
  EXPECT_EQ(Ask(3), nullptr) << "five in all";
  EXPECT_EQ(refused_, Refused::kLimited);
  clock_.Advance(1min);
  tickets.push_back(Ask(1));
  EXPECT_NE(tickets.back(), nullptr);
  EXPECT_TRUE(TurnUntil([&] { return answers_.size() == 6; }));
}

TEST_F(RightsDeskTest, WhoHasGoneIsNotAnswered) {
  auto gone = [&] {
    Start();
    redis_.Freeze();
    auto first = Ask(1);  // holds the desk up
    auto second = Ask(2);
    second.reset();
    redis_.Thaw();
    return first;
  }();
  ASSERT_TRUE(TurnUntil([&] { return answers_.size() == 1; }));
  auto last = Ask(3);
  ASSERT_TRUE(TurnUntil([&] { return answers_.size() == 2; }));
  EXPECT_EQ(metrics_.Get(base::Metric::kRightsNothing), 2u) << "the second was not begun";
}

TEST_F(RightsDeskTest, WithoutRedisItFailsAndSaysSo) {
  redis_.Kill();
  Start();
  auto ticket = Ask(1);
  ASSERT_TRUE(TurnUntil([&] { return answers_.size() == 1; }));
  EXPECT_EQ(answers_[0].kind, Kind::kFailed);
  EXPECT_EQ(metrics_.Get(base::Metric::kRightsFailed), 1u);
}

TEST_F(RightsDeskTest, BeforeItsStartAndAfterItsEndItIsBusy) {
  EXPECT_EQ(Ask(1), nullptr);
  EXPECT_EQ(refused_, Refused::kBusy);
  Start();
  auto ticket = Ask(2);
  desk_.Stop();
  EXPECT_EQ(Ask(3), nullptr);
  EXPECT_EQ(refused_, Refused::kBusy);
}

}  // namespace
}  // namespace gatebook::review
