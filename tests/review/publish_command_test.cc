#include "review/publish_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>

#include "review/assets.h"
#include "review/day_counter.h"
#include "review/figures_store.h"
#include "review/publication_page.h"
#include "tests/support/past_visits.h"
#include "tests/support/temp_directory.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class PublishTest : public testing::Test {
 protected:
  void SetUp() override { config_.redis = redis_.Config(); }

  Day Today() const { return today_; }
  // So many visitors, each of a network of its own, by noon of the day.
  void Visitors(Day day, uint32_t count, const std::string& path = "/", uint8_t purpose = 3) {
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t n = ++visitors_;
      auto visit =
          support::PastVisits::Of(n, "10." + std::to_string(n / 250) + "." + std::to_string(n % 250) + ".9");
      visit.path = path;
      visit.purpose = purpose;
      visits_.Write(visit, day + 12h + std::chrono::milliseconds(n));
    }
    ASSERT_TRUE(visits_.Flush());
  }
  int Publish(PublishOptions options) {
    if (options.directory.empty()) options.directory = directory_.path();
    return RunPublish(config_, options, clock_, out_.get());
  }
  json Published(const std::string& name) {
    return json::parse(support::ReadFile(directory_.Path(name + ".json")), nullptr, false);
  }
  std::string Page(const std::string& name) { return support::ReadFile(directory_.Path(name + ".html")); }

  // Midnight must not come in the midst of a test.
  const Day today_ = std::chrono::floor<std::chrono::days>(base::Clock::System().WallNow());
  const base::ManualClock clock_{today_ + 12h};
  support::RedisServer redis_;
  support::PastVisits visits_{redis_, "edge1"};
  support::TempDirectory directory_;
  config::Config config_;
  uint32_t visitors_ = 0;
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> out_{std::fopen("/dev/null", "w")};
};

TEST_F(PublishTest, ADayIsCountedFromItsVisitsAndWrittenAsPageAndJson) {
  const Day day = Today() - std::chrono::days(2);
  Visitors(day, 100);
  Visitors(day, 30, "/small");
  Visitors(day, 9, "/few");
  Visitors(day, 30, "/objected", logger::kPurposeAdministrative);
  Visitors(day + std::chrono::days(1), 50);
  const std::string name = ToText(day);
  ASSERT_EQ(Publish({.day = name, .title = "Us & <them>"}), 0);
  const json published = Published(name);
  EXPECT_EQ(published["kind"], "day");
  EXPECT_EQ(published["sessions"], 140);  // of 139
  EXPECT_EQ(published["k"], 10);
  EXPECT_EQ(published["hours"], json::parse(R"([{"value":"12","sessions":140}])"));
  // The few would be what is missing from the sum: the next smallest keep them company.
  EXPECT_EQ(published["pages"],
            json::parse(R"([{"value":"www.example.com/","sessions":100},{"other":true,"sessions":40}])"));
  const std::string text = published.dump();
  EXPECT_THAT(text, Not(HasSubstr("/few")));
  EXPECT_THAT(text, Not(HasSubstr("/objected")));
  EXPECT_THAT(text, Not(HasSubstr("10.0.")));
  const std::string page = Page(name);
  EXPECT_THAT(page, HasSubstr("<h1>Us &amp; &lt;them&gt;</h1>"));
  EXPECT_THAT(page, HasSubstr("140 sessions"));
  EXPECT_THAT(support::ReadFile(directory_.Path("index.html")), HasSubstr(name + ".html"));
}

TEST_F(PublishTest, WhatIsKeptOfADayIsWhatWasPublishedAndEndsByItself) {
  const Day day = Today() - std::chrono::days(3);
  Visitors(day, 60);
  ASSERT_EQ(Publish({.day = ToText(day)}), 0);
  const base::WallTime deadline = day + std::chrono::days(1) + config_.statistics.keep;
  EXPECT_EQ(redis_.Ask({"PEXPIRETIME", FiguresKey(day)}),
            std::to_string(deadline.time_since_epoch().count()));
  // A day is counted once: visits that come or go afterwards change nothing.
  Visitors(day, 500, "/late");
  ASSERT_EQ(Publish({.day = ToText(day)}), 0);
  EXPECT_EQ(Published(ToText(day))["sessions"], 60);
  // Its visits are over, its figures are not.
  redis_.Ask({"DEL", "gb:edges"});
  ASSERT_EQ(Publish({.day = ToText(day)}), 0);
  EXPECT_EQ(Published(ToText(day))["sessions"], 60);
  EXPECT_THAT(redis_.Ask({"GET", FiguresKey(day)}), Not(HasSubstr("10.0.")));
}

TEST_F(PublishTest, AWeekIsTheSumOfItsDaysAndStandsBesideEarlierOnes) {
  const Period week = LastComplete(Period::Kind::kWeek, clock_.WallNow());
  const auto days = week.Days();
  Visitors(days[0], 40);
  Visitors(days[1], 5);  // too few
  Visitors(days[2], 60);
  ASSERT_EQ(Publish({.week = week.ToText()}), 0);
  const json published = Published(week.ToText());
  EXPECT_EQ(published["sessions"], 100);
  EXPECT_EQ(published["days"][0]["sessions"], 40);
  EXPECT_EQ(published["days"][1]["state"], "too_few");
  EXPECT_FALSE(published["days"][1].contains("sessions"));
  EXPECT_EQ(published["pages"], json::parse(R"([{"value":"www.example.com/","sessions":100}])"));
  // The first day stands beside the third; the second has nothing to tell.
  ASSERT_EQ(Publish({.day = ToText(days[2])}), 0);
  EXPECT_EQ(Published(ToText(days[2]))["earlier"],
            json::parse(R"([{"period":")" + ToText(days[0]) + R"(","sessions":40,"days_told":1}])"));
}

TEST_F(PublishTest, ADayOfNobodyAndOneOfFewLookTheSame) {
  const Day day = Today() - std::chrono::days(2);
  Visitors(day, 9);
  ASSERT_EQ(Publish({.day = ToText(day)}), 0);
  ASSERT_EQ(Publish({.day = ToText(day - std::chrono::days(1))}), 0);
  auto few = Published(ToText(day));
  auto none = Published(ToText(day - std::chrono::days(1)));
  EXPECT_EQ(few["sessions"], 0);
  EXPECT_EQ(few["days"][0]["state"], none["days"][0]["state"]);
  const std::string page = Page(ToText(day));
  EXPECT_THAT(page, HasSubstr("Nothing to show"));
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
}

TEST_F(PublishTest, APeriodThatCannotBePublishedIsAnErrorWithTheRightForm) {
  const std::string yesterday = LastComplete(Period::Kind::kDay, clock_.WallNow()).ToText();
  const std::pair<PublishOptions, const char*> wrong[] = {
      {{.day = ToText(Today())}, "is not over"},
      {{.day = "2999-01-01"}, "is not over"},
      {{.week = "2999-W01"}, "is not over"},
      {{.month = "2999-01"}, "is not over"},
      {{.day = "27.11.2026"}, "write it as"},
      {{.week = "48"}, "write it as"},
      {{.day = yesterday, .month = "2026-10"}, "one period at a time"},
      {{}, "say which period"},
  };
  for (const auto& [options, complaint] : wrong) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(Publish(options), 2);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(complaint));
  }
  testing::internal::CaptureStderr();
  EXPECT_EQ(Publish({.month = "2020-01"}), 1);  // nobody counted it
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("nobody counted"));
  EXPECT_EQ(Publish({.day = yesterday, .directory = "/proc/none"}), 73);
  redis_.Kill();
  EXPECT_EQ(Publish({.day = yesterday}), 69);
}

TEST_F(PublishTest, TheRunningEdgeCountsEachDayOnceAndTheDaysThatItMissed) {
  const Day yesterday = Today() - std::chrono::days(1);
  base::ManualClock clock(Today() + 9min);
  std::chrono::milliseconds lag = 0s;
  base::MetricsBlock metrics;
  DayCounter counter({config_, clock, metrics, [&lag] { return lag; }});
  const auto is_kept = [&](Day day) { return redis_.Ask({"EXISTS", FiguresKey(day)}) == "1"; };
  Visitors(yesterday - std::chrono::days(1), 40);
  Visitors(yesterday, 50);
  ASSERT_TRUE(counter.CountDue().ok());
  EXPECT_FALSE(is_kept(yesterday)) << "not settled";
  EXPECT_TRUE(is_kept(yesterday - std::chrono::days(1)));
  EXPECT_TRUE(is_kept(Today() - std::chrono::days(29)));
  EXPECT_FALSE(is_kept(Today() - std::chrono::days(30))) << "its first visits are over";

  clock.Advance(1min);
  lag = 10min;  // a visit of yesterday waits in the journal
  ASSERT_TRUE(counter.CountDue().ok());
  EXPECT_FALSE(is_kept(yesterday));
  clock.Advance(1min);
  ASSERT_TRUE(counter.CountDue().ok());
  EXPECT_TRUE(is_kept(yesterday));
  EXPECT_EQ(metrics.Get(base::Metric::kStatisticsDays), 29u);

  Visitors(yesterday, 500);
  ASSERT_TRUE(counter.CountDue().ok());
  EXPECT_EQ(metrics.Get(base::Metric::kStatisticsDays), 29u);
  ASSERT_EQ(Publish({.day = ToText(yesterday)}), 0);
  EXPECT_EQ(Published(ToText(yesterday))["sessions"], 60);  // of 50
}

TEST_F(PublishTest, ADayWhoseVisitsAreAboutToEndIsCountedAlthoughSomeStillWait) {
  base::ManualClock clock(Today() + 12h);
  base::MetricsBlock metrics;
  DayCounter counter({config_, clock, metrics, [] { return std::chrono::milliseconds(40 * 24h); }});
  ASSERT_TRUE(counter.CountDue().ok());
  EXPECT_EQ(metrics.Get(base::Metric::kStatisticsDays), 1u);
  EXPECT_EQ(redis_.Ask({"EXISTS", FiguresKey(Today() - std::chrono::days(29))}), "1");
}

TEST_F(PublishTest, ACountThatIsBrokenOffKeepsNothing) {
  const Day day = Today() - std::chrono::days(2);
  Visitors(day, 40);
  auto client = logger::RedisClient::Connect(config_.redis);
  ASSERT_TRUE(client.ok());
  FiguresStore store(**client, config_, clock_);
  const std::atomic<bool> stop{true};
  EXPECT_FALSE(store.Count(day, &stop).ok());
  EXPECT_EQ(redis_.Ask({"EXISTS", FiguresKey(day)}), "0");
}

TEST(PublicationPage, NothingInAFigureCanActInThePage) {
  DayFigures figures;
  figures.day = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27);
  figures.k = 10;
  figures.round = 20;
  figures.sessions = 40;
  figures.rows[static_cast<size_t>(PublishedDimension::kPage)] = {
      {"x/</script><script>alert(1)</script>&\"'", 40}};
  const Period day = Period::Containing(Period::Kind::kDay, figures.day);
  const std::string html = ToHtml(MakePublication(day, {{figures.day, figures}}, {}), "T", "x.json");
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, HasSubstr("default-src 'none'; script-src 'sha256-"));
  EXPECT_THAT(html, Not(HasSubstr("unsafe")));
  // Two scripts that run and one of data: as many ends of elements, however they are written.
  size_t ends = 0;
  for (size_t at = html.find("</script"); at != std::string::npos; at = html.find("</script", at + 1)) ++ends;
  EXPECT_EQ(ends, 3u);
  EXPECT_THAT(std::string(ChartLibrary()), HasSubstr("Released under the MIT License"));
}

}  // namespace
}  // namespace gatebook::review
