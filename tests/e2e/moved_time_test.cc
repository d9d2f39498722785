// Thirty days in a second: what is stored lives for its time, and is then gone everywhere; and a clock that
// leaps destroys nothing.
#include "tests/support/moved_time.h"

#include <csignal>
#include <filesystem>

#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto kRetention = std::chrono::seconds(30 * 24h);
constexpr char kVisitor[] = "127.0.0.2";

class MovedTimeTest : public EdgeTest {
 protected:
  MovedTimeTest() {
    redis_ = std::make_unique<support::RedisServer>(std::vector<std::string>{"--appendonly", "yes"},
                                                    time_.Environment());
    options_.environment = time_.Environment();
  }

  // A visit that can be found again by its bytes; its session.
  std::string Visit(const std::string& path = "/unmistakable") {
    RawClient client(edge_->Tls(kVisitor));
    const auto answer = client.Get(path);
    EXPECT_TRUE(answer && answer->status() == 200);
    return upstream_->last_request().Field("x-session-id").value_or("");
  }
  // What the edge does every few seconds it does now.
  void Housekeep() { edge_->process().Signal(SIGHUP); }
  bool WaitAndHousekeep(const std::function<bool()>& condition) {
    return WaitUntil([&] {
      Housekeep();
      return condition();
    });
  }
  static std::vector<std::string> FilesWith(const std::string& directory, const std::string& text) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file() && support::ReadFile(entry.path()).find(text) != std::string::npos) {
        found.push_back(entry.path());
      }
    }
    return found;
  }
  std::string RedisDirectory() { return std::filesystem::path(redis_->socket()).parent_path(); }
  int Retention(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), "retention");
    const auto finished = edge_->Command(std::move(arguments));
    said_ = finished.output + finished.errors;
    return finished.exit_code;
  }
  std::string AllVisits() { return edge_->Command({"visits", "--since", "31d", "--json"}).output; }
  uint64_t Expired() { return edge_->Metric("gatebook_visits_dropped_total{reason=\"expired\"}"); }
  bool IsHeld() { return edge_->Metric("gatebook_clock_held") == 1; }

  support::MovedTime time_{GATEBOOK_BINARY};
  std::string said_;
};

TEST_F(MovedTimeTest, AVisitIsThereToItsLastMinuteAndGoneEverywhereAtItsTime) {
  WithNames();
  Start();
  const std::string session = Visit();
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  ASSERT_TRUE(edge_->WaitDelivered());
  time_.Pass(kRetention - 61s);
  EXPECT_THAT(AllVisits(), HasSubstr(support::kGuestName));
  EXPECT_EQ(Retention(), 0) << said_;
  for (const std::string& text : {std::string(kVisitor), std::string(support::kGuestName), session}) {
    EXPECT_THAT(FilesWith(RedisDirectory(), text), Not(IsEmpty())) << text;
  }

  time_.Pass(61s);
  EXPECT_EQ(AllVisits(), "");
  // Days' figures, which hold nothing personal, may stay.
  EXPECT_TRUE(WaitUntil([&] {
    return redis_->Ask({"keys", "gb:visits:*"}).empty() && redis_->Ask({"keys", "gb:index:*"}).empty();
  })) << redis_->Ask({"keys", "*"});
  EXPECT_EQ(Retention({"--round"}), 0) << said_;
  EXPECT_EQ(Retention(), 0) << said_;
  const std::string address_bytes("\x7f\0\0\x02", 4);
  EXPECT_TRUE(WaitAndHousekeep([&] {
    return FilesWith(edge_->journal_directory(), "unmistakable").empty() &&
           FilesWith(edge_->journal_directory(), address_bytes).empty();
  }));
  for (const std::string& text :
       {std::string(kVisitor), std::string(support::kGuestName), session, std::string("unmistakable")}) {
    EXPECT_THAT(FilesWith(RedisDirectory(), text), IsEmpty()) << text;
    EXPECT_THAT(FilesWith(edge_->directory(), text), IsEmpty()) << text;
    EXPECT_THAT(edge_->process().Errors(), Not(HasSubstr(text)));
  }
}

TEST_F(MovedTimeTest, WhatRedisCouldNotTakeIsGoneFromTheJournalAtItsTime) {
  Start();
  redis_->Kill();
  Visit();
  time_.Pass(kRetention - 61s);
  Housekeep();
  EXPECT_EQ(Expired(), 0u);
  EXPECT_THAT(FilesWith(edge_->journal_directory(), "unmistakable"), Not(IsEmpty()));
  time_.Pass(61s);
  EXPECT_TRUE(
      WaitAndHousekeep([&] { return FilesWith(edge_->journal_directory(), "unmistakable").empty(); }));
  EXPECT_EQ(Expired(), 1u);
}

TEST_F(MovedTimeTest, AClockThatLeapsDestroysNothingAlsoOverARestart) {
  Start();
  redis_->Kill();
  Visit();
  time_.Leap(kRetention + 24h);
  ASSERT_TRUE(WaitUntil([&] { return IsHeld(); }));
  Housekeep();
  const json status = json::parse(edge_->Admin("/status").body);
  EXPECT_THAT(status["clock"]["state"].get<std::string>(), HasSubstr("held"));
  EXPECT_THAT(edge_->process().Errors(), HasSubstr("--confirm-clock"));
  EXPECT_EQ(edge_->Stop(), 0);
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  EXPECT_TRUE(IsHeld());
  Housekeep();
  EXPECT_EQ(edge_->Metric("gatebook_visits_in_journal"), 1u);
  EXPECT_EQ(Expired(), 0u);
  EXPECT_THAT(FilesWith(edge_->journal_directory(), "unmistakable"), Not(IsEmpty()));

  time_.Leap(-(kRetention + 24h));
  ASSERT_TRUE(WaitUntil([&] { return !IsHeld(); }));
  redis_->Start();
  EXPECT_EQ(edge_->WaitForVisits(1).size(), 1u);
  EXPECT_EQ(Expired(), 0u);
}

TEST_F(MovedTimeTest, WhenTheOperatorSaysThatTheClockIsRightWhatIsOverGoes) {
  Start();
  redis_->Kill();
  Visit();
  time_.Leap(kRetention + 24h);
  ASSERT_TRUE(WaitUntil([&] { return IsHeld(); }));
  EXPECT_EQ(Retention({"--confirm-clock"}), 0) << said_;
  EXPECT_FALSE(IsHeld());
  EXPECT_TRUE(
      WaitAndHousekeep([&] { return FilesWith(edge_->journal_directory(), "unmistakable").empty(); }));
  EXPECT_EQ(Expired(), 1u);
}

TEST_F(MovedTimeTest, AVisitUnderAClockThatLeaptIsNotGivenToRedisToDestroy) {
  Start();
  time_.Leap(kRetention + 24h);
  ASSERT_TRUE(WaitUntil([&] { return IsHeld(); }));
  Visit();
  Housekeep();
  EXPECT_EQ(edge_->Metric("gatebook_visits_stored_total"), 0u);
  EXPECT_EQ(edge_->Metric("gatebook_visits_in_journal"), 1u);
  EXPECT_EQ(Retention({"--confirm-clock"}), 0);
  ASSERT_TRUE(WaitAndHousekeep([&] { return edge_->Metric("gatebook_visits_in_journal") == 0; }));
  EXPECT_EQ(edge_->Metric("gatebook_visits_stored_total"), 1u);
  EXPECT_EQ(edge_->Visits().size(), 1u);
  EXPECT_EQ(Retention(), 0) << said_;
}

}  // namespace
}  // namespace gatebook::e2e
