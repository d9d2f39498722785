// What `gatebook retention` says of places that are as they should be, and of each way in which they may not
// be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

#include "config/option_table.h"
#include "logger/erasures.h"
#include "logger/journal.h"
#include "logger/objections.h"
#include "logger/redis_keys.h"
#include "logger/visit_index.h"
#include "logger/visit_record.h"
#include "review/audit_log.h"
#include "review/retention_command.h"
#include "review/retention_ledger.h"
#include "review/retention_scan.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using base::WallTime;

std::string Ms(WallTime time) { return std::to_string(time.time_since_epoch().count()); }
uint64_t Number(WallTime time) { return static_cast<uint64_t>(time.time_since_epoch().count()); }

class RetentionTest : public testing::Test {
 protected:
  RetentionTest() {
    config_.redis = redis_.Config();
    config_.journal.directory = files_.Path("journal");
    config_.retention.ledger = files_.Path("ledger");
    config_.audit.file = files_.Path("audit.log");
    config_.log.file = files_.Path("log");
    visit_.session = session_;
    visit_.ip = *base::IpAddress::Parse("203.0.113.9");
  }

  static WallTime Now() { return base::Clock::System().WallNow(); }
  // A visit whose stream is destroyed `late` after it should be.
  std::string AddVisit(WallTime arrival, std::chrono::milliseconds late = 0ms) {
    const logger::VisitId id{0, Number(arrival + 10ms), next_++};
    visit_.arrival = arrival;
    std::string v, c, entry;
    logger::AppendVisitFacts(v, id, visit_);
    logger::AppendClientFacts(c, visit_, {}, {});
    logger::AppendEntryId(entry, id.milliseconds, id.n);
    const std::string key = logger::VisitsKey("edge1", 0, logger::MinuteOf(id));
    redis_.Ask({"XADD", key, entry, "v", v, "c", c});
    redis_.Ask({"PEXPIREAT", key, Ms(arrival + config_.visit.retention + late)});
    return key;
  }
  // What the index says of a visit that came then; it is destroyed `late` after it should be.
  std::string AddIndex(WallTime arrival, std::chrono::milliseconds late = 0ms) {
    const uint64_t minute = logger::MinuteOf(Number(arrival));
    const std::string key = logger::IndexKey("edge1", 0, logger::HourOfMinute(minute));
    std::string element;
    logger::AppendIndexElement(element, minute, session_, visit_.ip);
    redis_.Ask({"APPEND", key, element});
    const WallTime end_of_minute{std::chrono::minutes(minute + 1)};
    redis_.Ask({"PEXPIREAT", key, Ms(end_of_minute + config_.visit.retention + late)});
    return key;
  }
  RetentionReport Look(bool every_entry = true) {
    auto client = logger::RedisClient::Connect(config_.redis);
    EXPECT_TRUE(client.ok());
    RetentionScan::Options options;
    options.every_entry = every_entry;
    auto report = RetentionScan(config_, **client, clock_, std::move(options)).Look();
    EXPECT_TRUE(report.ok()) << report.error().message;
    return *report;
  }

  const logger::SessionId session_{{1, 2, 3}};
  support::RedisServer redis_;
  support::TempDirectory files_;
  config::Config config_ = config::Defaults();
  base::ManualClock clock_{Now()};
  logger::Visit visit_;
  uint32_t next_ = 0;
};

TEST_F(RetentionTest, WhatIsAsItShouldBeIsKeptAndCounted) {
  const WallTime oldest = Now() - 29 * 24h;
  AddVisit(oldest);
  // One moment for both: they share a stream, and its deadline is that of whoever came first.
  const WallTime an_hour_ago = Now() - 1h;
  AddVisit(an_hour_ago);
  AddVisit(an_hour_ago);
  AddIndex(oldest);
  redis_.Ask({"HSET", "gb:edges", "edge1", "aa 1 1"});
  redis_.Ask({"PEXPIRE", "gb:edges", std::to_string(logger::kEdgesLifetime.count())});
  redis_.Ask({"SET", "another:key", "of somebody else"});
  for (const bool every_entry : {true, false}) {
    const RetentionReport report = Look(every_entry);
    EXPECT_TRUE(report.IsKept()) << ToTable(report);
    EXPECT_EQ(report.at(Place::kVisits).records, 3u);
    EXPECT_EQ(report.at(Place::kVisits).oldest, oldest);
    EXPECT_EQ(report.at(Place::kIndex).records, 1u);
    EXPECT_EQ(report.at(Place::kEdges).records, 1u);
    EXPECT_EQ(report.at(Place::kOtherKeys).records, 0u);
    EXPECT_EQ(report.Next(), oldest + config_.visit.retention);
  }
}

TEST_F(RetentionTest, AKeyWithoutADeadlineBreaksThePromise) {
  redis_.Ask({"PERSIST", AddVisit(Now())});
  redis_.Ask({"PERSIST", AddIndex(Now())});
  redis_.Ask({"HSET", "gb:edges", "edge1", "aa 1 1"});
  const RetentionReport report = Look();
  EXPECT_FALSE(report.IsKept());
  EXPECT_EQ(report.at(Place::kVisits).undated, 1u);
  EXPECT_EQ(report.at(Place::kIndex).undated, 1u);
  EXPECT_EQ(report.at(Place::kEdges).undated, 1u);
  EXPECT_EQ(report.Undated(), 3u);
}

TEST_F(RetentionTest, ADeadlineOneMillisecondTooLateBreaksThePromise) {
  AddVisit(Now() - 1h, 1ms);
  AddIndex(Now() - 1h, 1ms);
  const RetentionReport report = Look();
  EXPECT_EQ(report.at(Place::kVisits).too_late, 1u);
  EXPECT_EQ(report.at(Place::kIndex).too_late, 1u);
  EXPECT_FALSE(report.IsKept());
}

TEST_F(RetentionTest, TheYoungestOfAStreamDoesNotHideAnOlderOne) {
  // The stream's deadline fits its first entry, but one behind it arrived earlier.
  const WallTime minute(std::chrono::floor<std::chrono::minutes>(Now() - 1h));
  const std::string key = AddVisit(minute + 30s);
  const WallTime earlier = minute + 5s;
  visit_.arrival = earlier;
  const logger::VisitId id{0, Number(minute + 31s), 0};
  std::string v, c, entry;
  logger::AppendVisitFacts(v, id, visit_);
  logger::AppendClientFacts(c, visit_, {}, {});
  logger::AppendEntryId(entry, id.milliseconds, id.n);
  redis_.Ask({"XADD", key, entry, "v", v, "c", c});
  EXPECT_EQ(Look().at(Place::kVisits).too_late, 1u);
  EXPECT_EQ(Look().at(Place::kVisits).oldest, earlier);
}

TEST_F(RetentionTest, WhatIsOverAndStillThereIsOverdue) {
  AddVisit(Now() - config_.visit.retention - 1s, 1h);
  AddVisit(Now() - 1h);
  AddIndex(Now() - config_.visit.retention - 61s, 1h);
  const RetentionReport report = Look();
  EXPECT_EQ(report.at(Place::kVisits).overdue, 1u);
  EXPECT_EQ(report.at(Place::kIndex).overdue, 1u);
  EXPECT_EQ(report.Overdue(), 2u);
}

TEST_F(RetentionTest, AKeyThatNobodyKnowsIsReportedByName) {
  redis_.Ask({"SET", "gb:\x1b[31mstranger", "x"});
  redis_.Ask({"SET", "gb:visits:{not a stream's name}", "x"});
  redis_.Ask({"EXPIRE", "gb:visits:{not a stream's name}", "100"});
  const PlaceReport other = Look().at(Place::kOtherKeys);
  EXPECT_EQ(other.records, 2u);
  EXPECT_EQ(other.undated, 1u);
  EXPECT_FALSE(other.IsKept());
  EXPECT_THAT(other.note, testing::HasSubstr("stranger"));
  EXPECT_THAT(other.note, testing::HasSubstr("not a stream's name"));
  EXPECT_THAT(other.note, testing::Not(testing::HasSubstr("\x1b")));
}

TEST_F(RetentionTest, AStrangersKeyUnderANameOfOursBreaksThePromiseAndEndsNothing) {
  redis_.Ask({"SET", logger::VisitsKey("edge1", 0, logger::MinuteOf(Number(Now()))), "x", "EX", "10"});
  const std::string index =
      logger::IndexKey("edge1", 0, logger::HourOfMinute(logger::MinuteOf(Number(Now()))));
  redis_.Ask({"LPUSH", index, "x"});
  redis_.Ask({"EXPIRE", index, "10"});
  AddVisit(Now() - 2h);
  for (const bool every_entry : {true, false}) {
    const RetentionReport report = Look(every_entry);
    EXPECT_EQ(report.at(Place::kVisits).faults, 1u);
    EXPECT_EQ(report.at(Place::kVisits).records, 1u);
    EXPECT_EQ(report.at(Place::kIndex).faults, 1u);
  }
}

TEST_F(RetentionTest, AnErasedStreamIsEmptyAndInOrder) {
  const std::string key = AddVisit(Now() - 1h);
  redis_.Ask({"XTRIM", key, "MAXLEN", "0"});
  const RetentionReport report = Look();
  EXPECT_TRUE(report.IsKept()) << ToTable(report);
  EXPECT_EQ(report.at(Place::kVisits).records, 0u);
}

TEST_F(RetentionTest, TheJournalIsReadAndJudgedByASureTime) {
  const WallTime arrival = clock_.WallNow();
  {
    logger::JournalOptions options;
    options.start_keeper = false;
    config_.journal.max_size = 1 << 20;
    config_.journal.segment_size = 64 << 10;
    const auto journal = logger::Journal::Open(config_.journal, "edge1", 1, clock_, std::move(options));
    ASSERT_TRUE(journal.ok()) << journal.error().message;
    visit_.arrival = arrival;
    ASSERT_EQ((*journal)->writer(0).Append(visit_).outcome, logger::Appended::Outcome::kOk);
  }
  const RetentionReport report = Look();
  EXPECT_TRUE(report.at(Place::kJournal).IsKept());
  EXPECT_EQ(report.at(Place::kJournal).records, 1u);
  EXPECT_EQ(report.at(Place::kJournal).oldest, arrival);
  clock_.Advance(config_.visit.retention + 1min);
  EXPECT_EQ(Look().at(Place::kJournal).overdue, 1u);
  EXPECT_THAT(Look().at(Place::kJournal).note, testing::HasSubstr("start gatebook"));
}

TEST_F(RetentionTest, DamagedBytesAndVoidErasuresAreJudgedByTheirAge) {
  std::filesystem::create_directories(config_.journal.directory + "/quarantine");
  std::ofstream(config_.journal.directory + "/quarantine/bytes") << "damaged";
  const logger::ErasureRegister erasures(config_.journal.directory, config_.visit.retention);
  ASSERT_TRUE(erasures.Add({.id = "receipt", .until = clock_.WallNow()}, clock_.WallNow()).ok());
  RetentionReport report = Look();
  EXPECT_TRUE(report.IsKept()) << ToTable(report);
  EXPECT_EQ(report.at(Place::kQuarantine).records, 1u);
  EXPECT_EQ(report.at(Place::kErasures).records, 1u);
  clock_.Advance(config_.visit.retention + 26h);
  report = Look();
  EXPECT_EQ(report.at(Place::kQuarantine).overdue, 1u);
  EXPECT_EQ(report.at(Place::kErasures).overdue, 1u);
}

TEST_F(RetentionTest, ObjectionsAreCounted) {
  std::filesystem::create_directories(config_.journal.directory);
  const logger::ObjectionRegister objections(config_.journal.directory);
  logger::Objection objection;
  objection.id = "letter-1";
  objection.added = clock_.WallNow();
  ASSERT_TRUE(objections.Add(objection, clock_.WallNow()).ok());
  const RetentionReport report = Look();
  EXPECT_TRUE(report.IsKept()) << ToTable(report);
  EXPECT_EQ(report.at(Place::kObjections).records, 1u);
  EXPECT_EQ(report.at(Place::kObjections).oldest, clock_.WallNow());
}

TEST_F(RetentionTest, AnAuditLogWithLinesThatAreOverOrChangedBreaksThePromise) {
  ASSERT_TRUE(AuditLog(config_.audit, clock_).Append({"alice", "command", "visits", "case 7"}).ok());
  EXPECT_EQ(Look().at(Place::kAudit).records, 1u);
  EXPECT_TRUE(Look().at(Place::kAudit).IsKept());
  const WallTime now = clock_.WallNow();
  clock_.SetWall(now + config_.audit.keep + 26h);
  EXPECT_EQ(Look().at(Place::kAudit).overdue, 1u);
  clock_.SetWall(now);
  std::string text = support::ReadFile(config_.audit.file);
  text[text.find("case 7")] = 'C';
  std::ofstream(config_.audit.file) << text;
  EXPECT_EQ(Look().at(Place::kAudit).faults, 1u);
}

TEST_F(RetentionTest, ALogThatNamesAVisitorBreaksThePromise) {
  const std::string session = logger::ToText(session_);
  visit_.session = session_;
  visit_.ip = *base::IpAddress::Parse("203.0.113.9");
  const WallTime arrival = Now() - 1h;
  AddVisit(arrival);
  AddIndex(arrival + 10ms);
  std::ofstream(config_.log.file)
      << "2026-11-23T21:00:00.000Z info server: 127.0.0.1:8080 is well, version 1.2.3\n";
  EXPECT_TRUE(Look().IsKept());
  std::ofstream(config_.log.file, std::ios::app)
      << "2026-11-23T21:00:01.000Z info server: hello " << session << "\n"
      << "2026-11-23T21:00:01.000Z info server: from 203.0.113.9:5555\n";
  EXPECT_EQ(Look(false).at(Place::kLog).faults, 2u) << "the index leads to it";
  const RetentionReport report = Look();
  EXPECT_EQ(report.at(Place::kLog).faults, 2u);
  EXPECT_EQ(report.at(Place::kLog).records, 3u);
  EXPECT_THAT(report.at(Place::kLog).note, testing::Not(testing::HasSubstr(session)));
}

TEST_F(RetentionTest, AHeldClockIsSaid) {
  const auto client = logger::RedisClient::Connect(config_.redis);
  class Held : public base::ManualClock {
   public:
    using ManualClock::ManualClock;
    WallTime SureNow() const override { return WallNow() - 2h; }
  } held(Now());
  const auto report = RetentionScan(config_, **client, held, {}).Look();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->clock_held, 2h);
  EXPECT_THAT(ToTable(*report), testing::HasSubstr("--confirm-clock"));
}

TEST_F(RetentionTest, TheCommandEndsWithOneOfThreeCodes) {
  const auto run = [&](bool json, std::string* text) {
    char* bytes = nullptr;
    size_t size = 0;
    std::FILE* out = ::open_memstream(&bytes, &size);
    RetentionOptions options;
    options.json = json;
    const int code = RunRetention(
        config_, options, clock_, [] { return std::optional<uint64_t>(7); }, out);
    std::fclose(out);
    text->assign(bytes, size);
    ::free(bytes);
    return code;
  };
  std::string text;
  AddVisit(Now() - 1h);
  EXPECT_EQ(run(true, &text), 0);
  const auto object = nlohmann::json::parse(text);
  EXPECT_EQ(object["kept"], true);
  EXPECT_EQ(object["places"]["visits"]["records"], 1);
  EXPECT_EQ(object["places"]["visits"]["overdue"], 0);
  EXPECT_EQ(object["places"]["names"]["records"], 7);
  EXPECT_EQ(run(false, &text), 0);
  EXPECT_THAT(text, testing::HasSubstr("every promise is kept"));
  redis_.Ask({"SET", "gb:stranger", "x"});
  EXPECT_EQ(run(false, &text), 1);
  EXPECT_THAT(text, testing::HasSubstr("A PROMISE IS BROKEN"));
  redis_.Kill();
  EXPECT_EQ(run(false, &text), 69);
}

TEST_F(RetentionTest, EachKeyOfOursHasItsPlace) {
  EXPECT_EQ(PlaceOfKey(logger::VisitsKey("e", 0, 1)), Place::kVisits);
  EXPECT_EQ(PlaceOfKey(logger::IndexKey("edge1", 0, 1)), Place::kIndex);
  EXPECT_EQ(PlaceOfKey(logger::kEdgesKey), Place::kEdges);
  EXPECT_EQ(PlaceOfKey("gb:edges:more"), Place::kOtherKeys);
}

}  // namespace
}  // namespace gatebook::review
