// `gatebook stats` over visits of the running edge.
#include "review/period.h"
#include "tests/e2e/edge_test.h"
#include "tests/support/past_visits.h"

namespace gatebook::e2e {
namespace {

using testing::HasSubstr;

class StatisticsTest : public EdgeTest {
 protected:
  void Visit(const std::string& source, const std::string& path, const std::string& fields = "") {
    RawClient client(edge_->Tls(source));
    const auto answer = client.Get(path, fields);
    EXPECT_TRUE(answer && answer->status() == 200);
  }
  json Stats(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"stats", "--json"});
    const auto finished = edge_->Command(std::move(arguments));
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    return json::parse(finished.output, nullptr, false);
  }
};

TEST_F(StatisticsTest, WhatVisitorsDidIsCountedInOnePass) {
  Start();
  Visit("127.0.0.1", "/one", "Referer: https://www.google.com/search?q=x\r\n");
  Visit("127.0.0.1", "/two", "User-Agent: curl/8.0\r\n");
  {
    RawClient client(edge_->Tls("127.0.0.2"));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.Get("/one"));
  }
  ASSERT_EQ(edge_->WaitForVisits(5).size(), 5u);
  const json stats = Stats({"--since", "1h"});
  EXPECT_EQ(stats["visits"], 5);
  EXPECT_EQ(stats["sessions"], 3);
  EXPECT_EQ(stats["new_sessions"], 3);
  EXPECT_EQ(stats["pages"]["rows"][0]["visits"], 4) << stats;
  EXPECT_EQ(stats["pages"]["rows"][0]["sessions"], 2);
  EXPECT_EQ(stats["referrers"]["rows"][0]["value"], "https://www.google.com");
  EXPECT_EQ(stats["statuses"]["rows"], json::parse(R"([{"value":"200","visits":5,"sessions":3}])"));
  EXPECT_EQ(Stats({"--where", "path = /two"})["devices"]["rows"],
            json::parse(R"([{"value":"bot","visits":1,"sessions":1}])"));
  EXPECT_EQ(Stats({"--top", "1"})["pages"]["rows"].size(), 1u);
  EXPECT_THAT(edge_->Command({"stats"}).output, HasSubstr("total\tvisits\t5\n"));
}

TEST_F(StatisticsTest, AWindowThatCannotBeMeantIsAnErrorWithTheRightForm) {
  Start();
  const auto none = edge_->Command({"stats"});
  EXPECT_EQ(none.exit_code, 1);  // nobody came
  EXPECT_THAT(none.output, HasSubstr("total\tvisits\t0\n"));
  const std::pair<std::vector<std::string>, const char*> wrong[] = {
      {{"--since", "2999-01-01T00:00:00Z"}, "lies in the future"},
      {{"--until", "2999-01-01T00:00:00Z"}, "lies in the future"},
      {{"--since", "yesterday"}, "write 2h, 30d, or 2026-11-23T21:00:00Z"},
      {{"--since", "31d"}, "visits are kept for 30d"},
      {{"--since", "1h", "--until", "2h"}, "--since is not before --until"},
      {{"--where", "colour = red"}, "colour"},
      {{"--top", "0"}, "--top"},
  };
  for (const auto& [options, complaint] : wrong) {
    std::vector<std::string> arguments = {"stats"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto finished = edge_->Command(arguments);
    EXPECT_EQ(finished.exit_code, 2) << options[1];
    EXPECT_THAT(finished.errors, HasSubstr(complaint));
  }
  redis_->Stop();
  EXPECT_EQ(edge_->Command({"stats"}).exit_code, 69);
  redis_->Start();
}

TEST_F(StatisticsTest, APublishedPageDrawsItsFiguresInABrowserAndAsksNobody) {
  Start();
  const auto day =
      std::chrono::floor<std::chrono::days>(base::Clock::System().WallNow()) - std::chrono::days(2);
  support::PastVisits past(*redis_, "test");
  for (uint32_t i = 0; i < 300; ++i) {
    auto visit = support::PastVisits::Of(i, "10.1." + std::to_string(i % 250) + ".1");
    visit.path = i % 3 == 0 ? "/prices" : "/";
    past.Write(visit, day + std::chrono::minutes(4 * i), {i % 2 == 0 ? "FI" : "SE", "", "", 0});
  }
  ASSERT_TRUE(past.Flush());
  const std::string name = review::ToText(day);
  const std::string directory = edge_->directory() + "/published";
  const auto finished = edge_->Command({"stats", "publish", "--day", name, "--to", directory});
  ASSERT_EQ(finished.exit_code, 0) << finished.errors;
  EXPECT_EQ(finished.output, directory + "/" + name + ".html\n" + directory + "/" + name + ".json\n");
  const json published = json::parse(support::ReadFile(directory + "/" + name + ".json"), nullptr, false);
  EXPECT_EQ(published["sessions"], 300);
  EXPECT_EQ(published["countries"].size(), 2u);
  EXPECT_EQ(published["hours"].size(), 20u);

  support::TempDirectory profile;
  const auto seen =
      support::Run({"chromium-headless-shell", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--user-data-dir=" + profile.path(), "--enable-logging=stderr", "--dump-dom",
                    "file://" + directory + "/" + name + ".html"},
                   {}, std::chrono::seconds(90));  // a browser's start is slow on a machine that is busy
  ASSERT_EQ(seen.exit_code, 0) << seen.errors;
  size_t canvases = 0;
  for (size_t at = seen.output.find("<canvas"); at != std::string::npos;
       at = seen.output.find("<canvas", at + 1))
    ++canvases;
  EXPECT_EQ(canvases, 6u);  // hours, sources, countries, pages, statuses, devices
  // What its policy forbids, and what fails in a script, is said here.
  EXPECT_EQ(seen.errors.find("CONSOLE"), std::string::npos) << seen.errors;
  EXPECT_EQ(edge_->Command({"stats", "publish", "--day", "2999-01-01", "--to", directory}).exit_code, 2);
  EXPECT_EQ(edge_->Command({"stats", "publish", "--day", name}).exit_code, 2);
}

}  // namespace
}  // namespace gatebook::e2e
