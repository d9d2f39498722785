// Which minutes are read, in which order, and when it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "logger/visit_index.h"
#include "tests/review/visit_scribe.h"

namespace gatebook::review {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class VisitReadingTest : public testing::Test {
 protected:
  // A visit of the session and address, with its element of the index.
  void Write(uint32_t worker, base::WallTime at, uint8_t session, const std::string& ip,
             bool indexed = true) {
    scribe_.visit.session.bytes = {session};
    scribe_.visit.ip = *base::IpAddress::Parse(ip);
    const VisitId id = scribe_.Write(worker, at, n_++);
    const std::string key = logger::IndexKey("edge1", worker, logger::HourOfMinute(logger::MinuteOf(id)));
    std::string element;
    if (indexed)
      logger::AppendIndexElement(element, logger::MinuteOf(id), scribe_.visit.session, scribe_.visit.ip);
    redis_.Ask({"APPEND", key, element});
  }
  static std::string Session(uint8_t session) {
    logger::SessionId id;
    id.bytes = {session};
    return logger::ToText(id);
  }
  std::vector<std::string> Addresses(const VisitsWanted& wanted) {
    std::vector<std::string> addresses;
    for (const auto& visit : ReadAll(redis_, wanted)) addresses.push_back(visit.ip);
    return addresses;
  }
  static Query Where(const std::string& text) {
    auto query = Query::Parse(text);
    EXPECT_TRUE(query.ok()) << query.error().message;
    return std::move(*query);
  }

  support::RedisServer redis_;
  Scribe scribe_{redis_};
  const base::WallTime minute_ = PastMinute();
  uint32_t n_ = 0;
};

TEST_F(VisitReadingTest, NewestFirstIsOldestFirstTurnedRound) {
  for (int i = 199; i >= 0; --i) {
    Write(static_cast<uint32_t>(i % 2), minute_ - i * 7s, 1, "192.0.2." + std::to_string(i));
  }
  const VisitsWanted wanted{.since = minute_ - 1h};
  auto oldest = Addresses(wanted);
  const auto newest = Addresses({.since = minute_ - 1h, .newest_first = true});
  EXPECT_EQ(oldest.size(), 200u);
  EXPECT_EQ(newest.front(), "192.0.2.0");
  std::reverse(oldest.begin(), oldest.end());
  EXPECT_EQ(newest, oldest);
}

// A record is written up to half a minute after the arrival, and stands in a later minute then.
TEST_F(VisitReadingTest, ALateRecordStandsInItsPlaceInBothOrders) {
  Write(0, minute_ - 1s, 1, "192.0.2.2");
  scribe_.visit.session.bytes = {1};
  scribe_.visit.ip = *base::IpAddress::Parse("192.0.2.1");
  scribe_.visit.arrival = minute_ - 10s;
  const VisitId id{1, Ms(minute_ + 15s), 0};
  std::string v, c, entry;
  logger::AppendVisitFacts(v, id, scribe_.visit);
  logger::AppendClientFacts(c, scribe_.visit, {}, {});
  redis_.Ask(
      {"XADD", logger::VisitsKey("edge1", 1, logger::MinuteOf(id)), Scribe::Entry(id), "v", v, "c", c});
  EXPECT_THAT(Addresses({.since = minute_ - 1h}), ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_THAT(Addresses({.since = minute_ - 1h, .newest_first = true}),
              ElementsAre("192.0.2.2", "192.0.2.1"));
}

// So many that they are read page after page, and handed over before all of their strip is read.
TEST_F(VisitReadingTest, AFloodAfterAQuietHourComesInOrder) {
  constexpr int kMinutes = 5;
  constexpr int kAMinute = 12'500;
  auto client = logger::RedisClient::Connect(redis_.Config());
  Write(0, minute_ - 2h, 1, "192.0.2.1");
  for (int m = 0; m < kMinutes; ++m) {
    const uint64_t begin = Ms(minute_ - 30min + m * 1min);
    for (const uint32_t worker : {0u, 1u}) {
      const std::string key = logger::VisitsKey("edge1", worker, logger::MinuteOf(begin));
      for (int i = 0; i < kAMinute; ++i) {
        const std::string entry = std::to_string(begin + static_cast<uint64_t>(i) * 4) + "-0";
        (*client)->Append({"XADD", key, entry, "v", "\t\t200\tGET\t/", "c", "s\t192.0.2.1"});
      }
    }
    for (int i = 0; i < 2 * kAMinute; ++i) ASSERT_TRUE((*client)->Receive().ok());
  }
  VisitReader reader(**client, base::Clock::System());
  for (const bool newest : {false, true}) {
    int seen = 0;
    std::optional<base::WallTime> before;
    const auto read =
        reader.Read({.since = minute_ - 3h, .newest_first = newest}, [&](const logger::StoredVisit& visit) {
          ++seen;
          EXPECT_TRUE(!before || (newest ? visit.arrival <= *before : visit.arrival >= *before));
          before = visit.arrival;
          return true;
        });
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(seen, kMinutes * kAMinute * 2 + 1);
  }
}

TEST_F(VisitReadingTest, WhoHasEnoughMayAskAgainOverTheSameConnection) {
  for (int i = 49; i >= 0; --i) Write(0, minute_ - i * 30s, 1, "192.0.2.9");
  auto client = logger::RedisClient::Connect(redis_.Config());
  ASSERT_TRUE(client.ok());
  VisitReader reader(**client, base::Clock::System());
  for (const bool newest : {true, false}) {
    size_t seen = 0;
    const auto read = reader.Read({.since = minute_ - 2h, .newest_first = newest},
                                  [&](const logger::StoredVisit&) { return ++seen < 3; });
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(seen, 3u);
  }
  EXPECT_EQ((*client)->Command({"ECHO", "in step"}).value()->text, "in step");
}

// What the index does not name is not looked for: that is how these tests see that it is asked.
TEST_F(VisitReadingTest, OneAddressOrSessionIsSoughtWhereTheIndexSays) {
  Write(0, minute_, 1, "192.0.2.1");
  Write(0, minute_ - 2min, 1, "192.0.2.1", /*indexed=*/false);
  Write(1, minute_ - 4min, 2, "192.0.2.2");
  const auto one = *base::Cidr::Parse("192.0.2.1");
  EXPECT_EQ(Addresses({.since = minute_ - 1h, .ip = one}).size(), 1u);
  EXPECT_EQ(Addresses({.since = minute_ - 1h, .session = Session(1)}).size(), 1u);
  EXPECT_EQ(Addresses({.since = minute_ - 1h, .ip = base::Cidr::Parse("192.0.2.0/24")}).size(), 3u);
  for (const auto& [where, visits] : {std::pair<std::string, size_t>{"ip = 192.0.2.1 and status = 0", 1},
                                      {"status = 0 and (ip = 192.0.2.1 or ip = 192.0.2.2)", 2},
                                      {"ip in (192.0.2.2, 192.0.2.1)", 2},
                                      {"session = '" + Session(2) + "'", 1},
                                      {"ip = 192.0.2.1 and session = '" + Session(2) + "'", 0},
                                      {"ip = 192.0.2.1 or status = 0", 3},
                                      {"not ip = 192.0.2.2", 2},
                                      {"ip != 192.0.2.9", 3}}) {
    const Query query = Where(where);
    EXPECT_EQ(Addresses({.since = minute_ - 1h, .where = &query}).size(), visits) << where;
    EXPECT_EQ(Addresses({.since = minute_ - 1h, .where = &query, .newest_first = true}).size(), visits)
        << where;
  }
}

TEST_F(VisitReadingTest, WhereTheIndexIsMissingOrStrangeAllMinutesAreRead) {
  Write(0, minute_, 1, "192.0.2.1", /*indexed=*/false);
  const std::string key = logger::IndexKey("edge1", 0, logger::HourOfMinute(logger::MinuteOf(Ms(minute_))));
  const auto one = *base::Cidr::Parse("192.0.2.1");
  redis_.Ask({"DEL", key});
  EXPECT_EQ(Addresses({.since = minute_ - 1h, .ip = one}).size(), 1u);
  redis_.Ask({"HSET", key, "another", "thing"});
  EXPECT_EQ(Addresses({.since = minute_ - 1h, .ip = one}).size(), 1u);
  redis_.Ask({"DEL", key});
  redis_.Ask({"SET", key, "damaged"});
  EXPECT_THAT(Addresses({.since = minute_ - 1h, .ip = one}), IsEmpty()) << "an index is believed";
}

TEST_F(VisitReadingTest, ConditionsOnTimeNarrowTheWindow) {
  Write(0, minute_, 1, "192.0.2.1");
  Write(0, minute_ - 3min, 1, "192.0.2.2");
  const Query query = Where("time < -6m and time > -1h");
  EXPECT_EQ(Addresses({.where = &query}).size(), 1u);
  const Query never = Where("time < -7m and time > -6m");
  EXPECT_THAT(Addresses({.where = &never}), IsEmpty());
}

TEST_F(VisitReadingTest, ShownDiscreetlyTheyAreSoughtWhole) {
  scribe_.name = {logger::DnsCheck::kConfirmed, "p7.dyn.example.co.uk"};
  Write(0, minute_, 1, "203.0.113.7");
  Write(0, minute_ + 1s, 1, "127.0.0.7");
  auto query = Query::Parse("dns = example.co.uk and ip = 203.0.113.0/24", {.discreet = true});
  ASSERT_TRUE(query.ok());
  const auto visits = ReadAll(redis_, {.since = minute_ - 1h, .where = &*query, .discreet = true});
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0].ip, "203.0.113.0/24");
  EXPECT_EQ(visits[0].dns, "example.co.uk");
  query = Query::Parse("dns ~ p7", {.discreet = true});
  EXPECT_THAT(Addresses({.since = minute_ - 1h, .where = &*query, .discreet = true}),
              ElementsAre("127.0.0.7"));
}

}  // namespace
}  // namespace gatebook::review
