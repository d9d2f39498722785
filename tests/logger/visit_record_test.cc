#include "logger/visit_record.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "logger/client_facts.h"

namespace gatebook::logger {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kMs = 1'763'900'000'123;

Visit FullVisit() {
  Visit visit;
  visit.arrival = base::WallTime(std::chrono::milliseconds(kMs - 42));
  visit.session.bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255};
  visit.session_new = true;
  visit.open = true;
  visit.ip = *base::IpAddress::Parse("203.0.113.9");
  visit.channel = Channel::kCampaign;
  visit.protocol = Protocol::kWs;
  visit.tls_version = 13;
  visit.purpose = kPurposeAdministrative;
  visit.status = 101;
  visit.bytes_in = 1;
  visit.bytes_out = 18446744073709551615ULL;
  visit.duration_us = 42'000;
  visit.upstream_us = 41'000;
  visit.request_id = 0x00ab;
  visit.method = "GET";
  visit.host = "shop.example";
  visit.path = "/päth/{number}";
  visit.query = "utm_source=x";
  visit.referrer = "https://news.example";
  visit.utm_source = "letter";
  visit.utm_medium = "mail";
  visit.utm_campaign = "spring";
  visit.user_agent = "Agent/1.0 (=^)";
  visit.denied = "limit";
  visit.rule = "r1";
  visit.policy = "2025-09-01";
  return visit;
}

TEST(VisitRecord, ComesBackAsItWas) {
  const VisitId id{3, kMs, 7};
  const Visit visit = FullVisit();
  std::string v, c;
  AppendVisitFacts(v, id, visit);
  AppendClientFacts(c, visit, {DnsCheck::kConfirmed, "host.example"},
                    {"FI", "Helsinki", "Example Oy", 64500});
  StoredVisit stored;
  stored.edge = "edge1";
  stored.id = id;
  ASSERT_TRUE(ReadVisitFacts(v, &stored));
  ASSERT_EQ(ReadClientReference(c, 0)->kind, ClientReference::Kind::kFacts);
  ASSERT_TRUE(ReadClientFacts(c, &stored));
  EXPECT_EQ(ToText(stored.id, stored.edge), "edge1.3-1763900000123-7");
  EXPECT_EQ(stored.arrival, visit.arrival);
  EXPECT_EQ(stored.session, base::ToBase64Url(visit.session.bytes));
  EXPECT_TRUE(stored.session_new);
  EXPECT_TRUE(stored.open);
  EXPECT_EQ(stored.ip, "203.0.113.9");
  EXPECT_EQ(stored.dns, "host.example");
  EXPECT_EQ(stored.dns_check, "confirmed");
  EXPECT_EQ(stored.channel, "campaign");
  EXPECT_EQ(stored.referrer, "https://news.example");
  EXPECT_EQ(stored.utm_source, "letter");
  EXPECT_EQ(stored.utm_medium, "mail");
  EXPECT_EQ(stored.utm_campaign, "spring");
  EXPECT_EQ(stored.country, "FI");
  EXPECT_EQ(stored.city, "Helsinki");
  EXPECT_EQ(stored.as_org, "Example Oy");
  EXPECT_EQ(stored.asn, 64500u);
  EXPECT_EQ(stored.method, "GET");
  EXPECT_EQ(stored.host, "shop.example");
  EXPECT_EQ(stored.path, "/päth/{number}");
  EXPECT_EQ(stored.query, "utm_source=x");
  EXPECT_EQ(stored.status, 101);
  EXPECT_EQ(stored.bytes_in, 1u);
  EXPECT_EQ(stored.bytes_out, 18446744073709551615ULL);
  EXPECT_EQ(stored.duration_us, 42'000u);
  EXPECT_EQ(stored.upstream_us, 41'000u);
  EXPECT_EQ(stored.request_id, "00000000000000ab");
  EXPECT_EQ(stored.protocol, "ws");
  EXPECT_EQ(stored.tls, "1.3");
  EXPECT_EQ(stored.user_agent, "Agent/1.0 (=^)");
  EXPECT_EQ(stored.denied, "limit");
  EXPECT_EQ(stored.rule, "r1");
  EXPECT_EQ(stored.policy, "2025-09-01");
  EXPECT_EQ(stored.purpose, kPurposeAdministrative);
}

TEST(VisitRecord, LeavesOutWhatIsEmpty) {
  Visit visit;
  visit.arrival = base::WallTime(std::chrono::milliseconds(kMs));
  visit.status = 200;
  visit.method = "GET";
  visit.path = "/";
  std::string v;
  AppendVisitFacts(v, {0, kMs, 0}, visit);
  EXPECT_EQ(v, "\t\t200\tGET\t/");
  StoredVisit stored;
  stored.id = {0, kMs, 0};
  ASSERT_TRUE(ReadVisitFacts(v, &stored));
  EXPECT_EQ(stored.arrival, visit.arrival);
  EXPECT_EQ(stored.channel, "direct");
  EXPECT_EQ(stored.request_id, "");
}

TEST(VisitRecord, HoldsItsShapeWhateverStandsInATextByMistake) {
  Visit visit = FullVisit();
  visit.path = "/a\tb\nc\x1b[1m";
  std::string v;
  AppendVisitFacts(v, {0, kMs, 0}, visit);
  StoredVisit stored;
  stored.id = {0, kMs, 0};
  ASSERT_TRUE(ReadVisitFacts(v, &stored));
  EXPECT_EQ(stored.path, "/a?b?c?[1m");
  EXPECT_EQ(stored.query, "utm_source=x");
}

TEST(VisitRecord, AClosingCompletesItsVisit) {
  std::string v;
  AppendClosingFacts(
      v,
      {.of = {0, kMs, 1}, .status = 200, .bytes_in = 5, .bytes_out = 0, .duration_us = 9, .upstream_us = 4});
  StoredVisit stored;
  stored.open = true;
  ASSERT_TRUE(ReadClosingFacts(v, &stored));
  EXPECT_FALSE(stored.open);
  EXPECT_EQ(stored.status, 200);
  EXPECT_EQ(stored.bytes_in, 5u);
  EXPECT_EQ(stored.duration_us, 9u);
  EXPECT_EQ(stored.denied, "");
  v.clear();
  AppendClosingFacts(v, {.of = {0, kMs, 1}, .status = 101, .denied = "tunnel_idle"});
  ASSERT_TRUE(ReadClosingFacts(v, &stored));
  EXPECT_EQ(stored.denied, "tunnel_idle");
}

TEST(VisitRecord, PointsToEntriesOfItsStream) {
  for (const VisitId id : {VisitId{0, kMs, 0}, VisitId{0, kMs, 70}, VisitId{0, kMs / 60'000 * 60'000, 0}}) {
    std::string same, closing;
    AppendSameAs(same, id);
    AppendClosingOf(closing, id);
    EXPECT_LE(same.size(), 9u);
    const auto points = ReadClientReference(same, id.milliseconds / 60'000);
    ASSERT_TRUE(points.has_value());
    EXPECT_EQ(points->kind, ClientReference::Kind::kSameAs);
    EXPECT_EQ(points->id, id);
    EXPECT_EQ(ReadClientReference(closing, 0)->kind, ClientReference::Kind::kClosingOf);
    EXPECT_EQ(ReadClientReference(closing, 0)->id, id);
  }
}

TEST(VisitRecord, RefusesWhatItDidNotWrite) {
  StoredVisit stored;
  stored.id = {0, kMs, 0};
  EXPECT_FALSE(ReadVisitFacts("x", &stored));
  EXPECT_FALSE(ReadVisitFacts("\t\t99999", &stored));
  EXPECT_FALSE(ReadVisitFacts("-9223372036854775808", &stored));
  stored.id.milliseconds = UINT64_MAX;
  EXPECT_FALSE(ReadVisitFacts("0", &stored));
  EXPECT_FALSE(ReadClientFacts("s\tip\t\t\t\tx", &stored));
  EXPECT_FALSE(ReadClosingFacts("-1", &stored));
  EXPECT_FALSE(ReadClientReference("=", 1).has_value());
  EXPECT_FALSE(ReadClientReference("=1-", 1).has_value());
  EXPECT_FALSE(ReadClientReference("=60000", 1).has_value()) << "another stream's";
  EXPECT_FALSE(ReadClientReference("^12", 1).has_value());
  EXPECT_FALSE(ReadClientReference("^1-", 1).has_value());
  EXPECT_EQ(ReadClientReference("", 1)->kind, ClientReference::Kind::kFacts);
}

TEST(ClientFacts, AreRememberedWithinAMinuteAndTellEveryDifferenceApart) {
  ClientFacts facts;
  const Visit visit = FullVisit();
  const Name name{DnsCheck::kConfirmed, "host.example"};
  EXPECT_EQ(facts.FindOrAdd({0, kMs, 0}, visit, name), nullptr);
  ASSERT_NE(facts.FindOrAdd({0, kMs, 1}, visit, name), nullptr);
  EXPECT_EQ(facts.FindOrAdd({0, kMs, 1}, visit, name)->n, 0u);
  EXPECT_EQ(facts.FindOrAdd({0, kMs, 2}, visit, {DnsCheck::kTimeout, ""}), nullptr);
  Visit other = visit;
  other.user_agent = "Other";
  EXPECT_EQ(facts.FindOrAdd({0, kMs, 3}, other, name), nullptr);
  other = visit;
  other.host = "shop.examplehost";  // no text runs into the next
  other.policy = "";
  EXPECT_EQ(facts.FindOrAdd({0, kMs, 4}, other, name), nullptr);
  EXPECT_EQ(facts.FindOrAdd({0, kMs + 60'000, 0}, visit, name), nullptr)
      << "another minute is another stream";
  facts.Clear();
  EXPECT_EQ(facts.FindOrAdd({0, kMs + 60'000, 1}, visit, name), nullptr);
}

}  // namespace
}  // namespace gatebook::logger
