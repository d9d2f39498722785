#include "review/desk_figures.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "review/desk_question.h"
#include "review/desk_story.h"
#include "review/latency_counter.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using logger::StoredVisit;
using Kind = DeskQuestion::Kind;

constexpr base::WallTime kNow{1'700'000'000'000ms};

StoredVisit VisitAt(base::WallTime at, uint16_t status = 200) {
  StoredVisit visit;
  visit.edge = "edge1";
  visit.arrival = at;
  visit.id = {0, static_cast<uint64_t>(at.time_since_epoch().count()), 0};
  visit.session = "s" + std::to_string(at.time_since_epoch().count() % 7);
  visit.ip = "203.0.113.0/24";
  visit.status = status;
  visit.duration_us = 1000;
  visit.host = "example.com";
  visit.path = "/";
  return visit;
}

TEST(LatencyCounter, SaysPercentilesThatAreNeverTooLowAndHardlyTooHigh) {
  LatencyCounter counter;
  EXPECT_EQ(counter.At(0.5), 0u);
  for (uint64_t i = 1; i <= 10'000; ++i) counter.Add(i * 10);
  for (const double share : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    const double exact = share * 100'000;
    EXPECT_GE(static_cast<double>(counter.At(share)), exact) << share;
    EXPECT_LE(static_cast<double>(counter.At(share)), exact * 1.126) << share;
  }
  LatencyCounter ends;
  ends.Add(0);
  ends.Add(~0ULL);
  EXPECT_EQ(ends.At(0.1), 0u);
  EXPECT_GT(ends.At(1.0), 1'000'000'000u);
}

TEST(LatencyCounter, EveryValueFallsIntoAClassThatHoldsIt) {
  for (uint64_t value = 0; value < 70'000; ++value) {
    LatencyCounter one;
    one.Add(value);
    ASSERT_GE(one.At(1.0), value);
    ASSERT_LE(one.At(1.0), value + value / 8) << value;
  }
}

TEST(DeskFigures, ABucketIsALengthThatPeopleKnow) {
  EXPECT_EQ(DeskFigures::BucketFor(kNow - 15min, kNow), 10s);
  EXPECT_EQ(DeskFigures::BucketFor(kNow - 1h, kNow), 1min);
  EXPECT_EQ(DeskFigures::BucketFor(kNow - 24h, kNow), 30min);
  EXPECT_EQ(DeskFigures::BucketFor(kNow - 720h, kNow), 12h);
  EXPECT_EQ(DeskFigures::BucketFor(kNow - 1ms, kNow), 1s);
}

TEST(DeskFigures, EveryVisitIsInOneBucketAndOneClass) {
  DeskFigures figures(kNow - 1h, kNow);
  for (int i = 0; i < 360; ++i) {
    StoredVisit visit = VisitAt(kNow - 1h + i * 10s, static_cast<uint16_t>(i % 5 == 0   ? 404
                                                                           : i % 7 == 0 ? 0
                                                                                        : 200));
    if (i % 10 == 0) visit.denied = "rate_limit";
    figures.Add(visit);
  }
  // What lies outside of the range is counted at its edges, and nothing breaks.
  figures.Add(VisitAt(kNow - 5h));
  figures.Add(VisitAt(kNow + 5h, 999));
  const auto json = figures.ToJson();
  EXPECT_EQ(json["visits"], 362);
  EXPECT_EQ(json["denied"], 36);
  EXPECT_LE(json["time"].size(), 120u);
  uint64_t visits = 0, classes = 0;
  for (const auto& bucket : json["time"]) visits += bucket["visits"].get<uint64_t>();
  for (const auto& number : json["classes"]) classes += number.get<uint64_t>();
  EXPECT_EQ(visits, 362u);
  EXPECT_EQ(classes, 362u);
  EXPECT_EQ(json["sessions"], 7);
  EXPECT_EQ(json["denials"]["rows"][0]["value"], "rate_limit");
  EXPECT_EQ(json["pages"]["rows"][0]["value"], "example.com/");
}

TEST(DeskFigures, OfManyValuesTheMostFrequentStay) {
  DeskFigures figures(kNow - 1h, kNow);
  for (int i = 0; i < 60'000; ++i) {
    StoredVisit visit = VisitAt(kNow - 30min);
    visit.path = i % 3 == 0 ? "/often" : "/" + std::to_string(i);
    figures.Add(visit);
  }
  const auto json = figures.ToJson();
  EXPECT_EQ(json["pages"]["rows"][0]["value"], "example.com/often");
  EXPECT_EQ(json["pages"]["rows"][0]["visits"], 20'000);
  EXPECT_LE(json["pages"]["different"], 20'000);
}

TEST(DeskStory, TellsWhatWasMetAndWhen) {
  DeskStory story;
  for (int i = 0; i < 600; ++i) {
    StoredVisit visit = VisitAt(kNow + i * 1s);
    visit.session = "one";
    visit.dns = "example.net";
    visit.dns_check = i == 0 ? "unconfirmed" : "confirmed";
    visit.country = "FI";
    story.Add(visit);
  }
  const auto json = story.ToJson();
  EXPECT_EQ(json["visits_met"], 600);
  EXPECT_EQ(json["visits"].size(), 500u);
  EXPECT_EQ(json["sessions"].size(), 1u);
  EXPECT_EQ(json["names"][0]["value"], "example.net (unconfirmed)");
  EXPECT_EQ(json["names"][1]["visits"], 599);
  EXPECT_EQ(json["places"][0]["value"], "FI");
}

class QuestionTest : public testing::Test {
 protected:
  static base::Result<DeskQuestion> Ask(Kind kind, DeskParameters parameters, bool is_whole = false) {
    return ParseDeskQuestion(kind, parameters, is_whole, kNow, 720h);
  }
};

TEST_F(QuestionTest, TimesAreKeptWithinWhatThereIs) {
  const auto usual = Ask(Kind::kVisits, {});
  ASSERT_TRUE(usual.ok());
  EXPECT_EQ(usual->since, kNow - 1h);
  EXPECT_EQ(usual->limit, 100u);
  EXPECT_TRUE(usual->newest_first);
  EXPECT_EQ(Ask(Kind::kVisits, {{"since", "1000d"}})->since, kNow - 720h);
  EXPECT_FALSE(Ask(Kind::kVisits, {{"since", "yesterday"}}).ok());
  EXPECT_FALSE(Ask(Kind::kVisits, {{"since", "1h"}, {"until", "2h"}}).ok());
  EXPECT_FALSE(Ask(Kind::kVisits, {{"since", "1000d"}, {"until", "900d"}}).ok());
  EXPECT_EQ(Ask(Kind::kVisits, {{"limit", "100000"}})->limit, 500u);
  EXPECT_EQ(Ask(Kind::kExport, {{"limit", "100000"}, {"format", "csv"}})->limit, 10'000u);
}

TEST_F(QuestionTest, WhatIsFinerThanShownIsRefusedUnlessRevealed) {
  for (const char* where :
       {"ip = 203.0.113.7", "ip in (203.0.113.0/24, 203.0.113.9)", "not ip = 203.0.113.0/25"}) {
    EXPECT_FALSE(Ask(Kind::kVisits, {{"where", where}}).ok()) << where;
    EXPECT_TRUE(Ask(Kind::kVisits, {{"where", where}}, true).ok()) << where;
  }
  EXPECT_TRUE(Ask(Kind::kVisits, {{"where", "ip = 203.0.113.0/24"}}).ok());
  EXPECT_FALSE(Ask(Kind::kAddress, {{"ip", "203.0.113.7"}}).ok());
  EXPECT_TRUE(Ask(Kind::kAddress, {{"ip", "203.0.113.7"}}, true).ok());
  EXPECT_TRUE(Ask(Kind::kAddress, {{"ip", "2001:db8:1::/48"}}).ok());
  EXPECT_FALSE(Ask(Kind::kAddress, {{"ip", "2001:db8:1::/64"}}).ok());
  EXPECT_FALSE(Ask(Kind::kAddress, {{"ip", "anywhere"}}).ok());
}

TEST_F(QuestionTest, ACursorComesBackAsItWasGiven) {
  const StoredVisit visit = VisitAt(kNow - 5min);
  const auto cursor = CursorOf(visit);
  const auto asked = Ask(Kind::kVisits, {{"cursor", ToText(cursor)}});
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(asked->cursor, cursor);
  EXPECT_EQ(Ask(Kind::kVisits, {{"cursor", "1700000000000"}})->cursor->arrival, kNow);
  for (const char* bad : {"x", "17.x", "17.edge1.0-1", "17 edge1.0-1-0"}) {
    EXPECT_FALSE(Ask(Kind::kVisits, {{"cursor", bad}}).ok()) << bad;
  }
}

TEST_F(QuestionTest, TheAuditLogCanTellWhatWasAsked) {
  const auto asked = Ask(Kind::kExport, {{"format", "csv"}, {"where", "status = 404"}}, true);
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(asked->ToText(),
            "export where status = 404, since 2023-11-14T21:13:20.000Z, until 2023-11-14T22:14:20.000Z");
  const auto session = Ask(Kind::kSession, {{"id", "AAAAAAAAAAAAAAAAAAAAAA"}}, true);
  EXPECT_EQ(session->ToText(), "session AAAAAAAAAAAAAAAAAAAAAA");
  EXPECT_FALSE(Ask(Kind::kExport, {{"format", "table"}}).ok());
  EXPECT_FALSE(Ask(Kind::kSession, {{"id", "x"}}).ok());
}

}  // namespace
}  // namespace gatebook::review
