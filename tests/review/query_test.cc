#include "review/query.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "base/rfc3339.h"
#include "config/visit_field.h"
#include "review/visit_fields.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;

logger::StoredVisit SomeVisit() {
  logger::StoredVisit visit;
  visit.edge = "edge1";
  visit.id = {2, 1'763'900'000'000, 5};
  visit.arrival = *base::ParseRfc3339("2026-11-23T12:00:00Z");
  visit.session = "abc";
  visit.session_new = true;
  visit.ip = "203.0.113.9";
  visit.dns = "host.example.net";
  visit.dns_check = "confirmed";
  visit.channel = "campaign";
  visit.utm_campaign = "spring sale";
  visit.country = "FI";
  visit.asn = 64500;
  visit.method = "GET";
  visit.host = "shop.example";
  visit.path = "/cart/items";
  visit.status = 404;
  visit.bytes_out = 2 << 20;
  visit.duration_us = 750'000;
  visit.user_agent = "It's \"quoted\"";
  visit.purpose = 3;
  return visit;
}

bool Matches(const std::string& text) {
  const auto query = Query::Parse(text);
  EXPECT_TRUE(query.ok()) << text << "\n" << (query.ok() ? "" : query.error().message);
  return query.ok() && query->Matches(SomeVisit());
}

TEST(Query, ComparesEveryKindOfField) {
  for (const char* holds : {"",
                            "  ",
                            "status = 404",
                            "status==404",
                            "status != 200",
                            "status >= 400 and status < 500",
                            "country = FI",
                            "country != DE",
                            "country in (DE, FI)",
                            "country not in (DE,SE)",
                            "ip = 203.0.113.0/24",
                            "ip in (10.0.0.0/8, 203.0.113.9)",
                            "ip != 10.0.0.0/8",
                            "session_new",
                            "session_new = true",
                            "not open",
                            "open = false",
                            "path ~ '^/cart/'",
                            "path !~ admin",
                            "method = GET or method = POST",
                            "not (status = 200 or country = DE)",
                            "time >= 2026-11-23T12:00:00Z and time < 2026-11-23T12:00:01Z",
                            "bytes_out >= 2MiB",
                            "duration_us > 500ms and duration_us < 750001",
                            "campaign = 'spring sale'",
                            "utm_campaign ~ sale$",
                            "user_agent = 'It\\'s \"quoted\"'",
                            "user_agent ~ \"\\\"quoted\\\"\"",
                            "id = edge1.2-1763900000000-5",
                            "asn = 64500",
                            "purpose ~ statistics",
                            "dns ~ '[.]example[.]net$'",
                            "dns > a and dns < z",
                            "denied = ''",
                            "not not session_new",
                            "status = 200 or status = 404 and country = FI"}) {
    EXPECT_TRUE(Matches(holds)) << holds;
  }
  for (const char* fails :
       {"status = 200", "country = fi", "ip = 10.0.0.0/8", "open", "path ~ ^cart", "not session_new",
        "status = 404 and country = DE", "(status = 404 or status = 200) and country = DE",
        "bytes_out > 2MiB", "ip in (2001:db8::/32)", "time > 2026-11-23T12:00:00Z", "session_new != true"}) {
    EXPECT_FALSE(Matches(fails)) << fails;
  }
}

void ExpectError(const std::string& text, const std::string& what, size_t column) {
  const auto query = Query::Parse(text);
  ASSERT_FALSE(query.ok()) << text;
  const std::string& message = query.error().message;
  EXPECT_NE(message.find(what), std::string::npos) << message;
  EXPECT_EQ(query.error().exit_code, base::ExitCode::kUsage);
  const std::string last = message.substr(message.rfind('\n') + 1);
  EXPECT_EQ(last, std::string(2 + column, ' ') + "^") << message;
}

TEST(Query, AnErrorPointsAtItsPlace) {
  ExpectError("status >= 400 and contry = FI", "did you mean \"country\"?", 18);
  ExpectError("status >=", "expected a value", 9);
  ExpectError("status 400", "expected =", 7);
  ExpectError("status = four", "status wants a number", 9);
  ExpectError("(status = 1", "expected \")\"", 11);
  ExpectError("status = 1 status = 2", "\"and\"", 11);
  ExpectError("ip > 10.0.0.1", "no order", 3);
  ExpectError("ip = 10.0.0.0/99", "address or a network", 5);
  ExpectError("time > yesterday", "wants a time", 7);
  ExpectError("path ~ '('", "not a regular expression", 7);
  ExpectError("status ~ 4", "not a text", 7);
  ExpectError("host = 'open", "not closed", 7);
  ExpectError("country in FI", "expected \"(\"", 11);
  ExpectError("country in (FI", "expected \",\"", 14);
  ExpectError("country in ()", "expected a value", 12);
  ExpectError("session_new = maybe", "true or false", 14);
  ExpectError("and", "no field", 0);
  ExpectError("! status", "unexpected character", 0);
  ExpectError("host = 'ä' or x", "no field", 14);
}

TEST(Query, HasOnlySoManyPatternsForEachCostsMemoryAndTime) {
  std::string text = "path ~ a";
  for (int i = 1; i < 16; ++i) text += " or path !~ a";
  EXPECT_TRUE(Query::Parse(text).ok());
  const auto query = Query::Parse(text + " or path ~ a");
  ASSERT_FALSE(query.ok());
  EXPECT_NE(query.error().message.find("more than 16 patterns"), std::string::npos) << query.error().message;
}

TEST(Query, AnErrorPointsIntoQuotesAndLongTexts) {
  ExpectError("path ~ '^/a(b[' and open", "missing ]", 13);
  ExpectError("open and\n\t contry = FI", "no field", 11);
  std::string many = "status = 1";
  while (many.size() < 1000) many += " or status = 1";
  const auto query = Query::Parse(many + " or contry = FI" + many);
  ASSERT_FALSE(query.ok());
  const std::string& message = query.error().message;
  const size_t line = message.find('\n') + 1;
  const size_t caret = message.rfind('^') - message.rfind('\n') - 1;
  EXPECT_LT(message.size(), 400u);
  EXPECT_TRUE(message.substr(line).starts_with("  …")) << message;
  EXPECT_EQ(message.substr(line + caret + std::string("…").size() - 1, 6), "contry") << message;
}

TEST(Query, AnErrorIsInert) {
  const auto query = Query::Parse("\x1b[2J\xe2\x80\xae = 1");
  ASSERT_FALSE(query.ok());
  EXPECT_EQ(query.error().message.find('\x1b'), std::string::npos);
  EXPECT_EQ(query.error().message.find("\xe2\x80\xae"), std::string::npos);
}

TEST(Query, TimesMayBeRelative) {
  const logger::StoredVisit visit = SomeVisit();
  const auto matches = [&](const std::string& text) {
    const auto query = Query::Parse(text, {.now = visit.arrival + 1h});
    EXPECT_TRUE(query.ok()) << text;
    return query->Matches(visit);
  };
  EXPECT_TRUE(matches("time >= -60m"));
  EXPECT_TRUE(matches("time <= -1h"));
  EXPECT_FALSE(matches("time > -1h"));
  EXPECT_TRUE(matches("time < now"));
  EXPECT_TRUE(matches("time in (2026-11-23T12:00:00Z)"));
  ExpectError("time > -90", "wants a time", 7);
}

TEST(Query, ADiscreetOneAsksNoMoreThanIsShown) {
  const auto ask = [](const std::string& text) { return Query::Parse(text, {.discreet = true}); };
  for (const char* may : {"ip = 203.0.113.0/24", "ip = 127.0.0.1", "ip in (10.0.0.0/8, 2001:db8::/48)",
                          "dns = example.net", "session = 'x'"}) {
    EXPECT_TRUE(ask(may).ok()) << may;
  }
  const auto refused = ask("status = 200 and ip in (10.0.0.0/8, 203.0.113.7)");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("use 203.0.113.0/24, or --reveal --reason TEXT"), std::string::npos);
  EXPECT_EQ(refused.error().message.substr(refused.error().message.rfind('\n') + 1),
            std::string(2 + 36, ' ') + "^");
  for (const char* finer :
       {"ip = 203.0.113.0/25", "ip != 203.0.113.7", "not ip = 2001:db8::1", "ip ~ '7$'"}) {
    EXPECT_FALSE(ask(finer).ok()) << finer;
  }
  const logger::StoredVisit visit = SomeVisit();
  EXPECT_TRUE(ask("dns = example.net")->Matches(visit));
  EXPECT_FALSE(ask("dns ~ host")->Matches(visit));
  EXPECT_TRUE(ask("ip = 203.0.113.0/24")->Matches(visit));
}

TEST(Query, SaysWhereToLook) {
  const auto needs = [](const std::string& text) { return Query::Parse(text)->Needs(); };
  const auto addresses = [&](const std::string& text) {
    const auto found = needs(text).addresses;
    return found ? static_cast<int>(found->size()) : -1;
  };
  EXPECT_EQ(addresses(""), -1);
  EXPECT_EQ(addresses("ip = 192.0.2.1"), 1);
  EXPECT_EQ(addresses("ip = 192.0.2.0/31"), -1);
  EXPECT_EQ(addresses("ip in (192.0.2.1, ::1) and open"), 2);
  EXPECT_EQ(addresses("ip in (192.0.2.1, ::1) and ip = ::1"), 1);
  EXPECT_EQ(addresses("ip = 192.0.2.1 or open"), -1);
  EXPECT_EQ(addresses("not ip = 192.0.2.1"), -1);
  EXPECT_EQ(addresses("ip != 192.0.2.1"), -1);
  EXPECT_TRUE(needs("session = AAAAAAAAAAAAAAAAAAAAAA").sessions.has_value());
  EXPECT_FALSE(needs("session != AAAAAAAAAAAAAAAAAAAAAA").sessions.has_value());
  const auto at = *base::ParseRfc3339("2026-11-23T12:00:00Z");
  EXPECT_EQ(needs("open and time >= 2026-11-23T12:00:00Z").since, at);
  EXPECT_EQ(needs("time < 2026-11-23T12:00:00Z and open").until, at);
  EXPECT_EQ(needs("time < 2026-11-23T12:00:00Z or open").until, base::WallTime::max());
  EXPECT_EQ(needs("not time < 2026-11-23T12:00:00Z").until, base::WallTime::max());
  EXPECT_EQ(needs("time = 2026-11-23T12:00:00Z").until, at + 1ms);
}

TEST(Query, BothHoldsWhereBothHold) {
  const logger::StoredVisit visit = SomeVisit();
  const auto both = [&](const char* a, const char* b) {
    return Query::Both(Query::Parse(a).value(), Query::Parse(b).value()).Matches(visit);
  };
  EXPECT_TRUE(both("status = 404", "country = FI"));
  EXPECT_FALSE(both("status = 404", "country = DE"));
  EXPECT_FALSE(both("", "country = DE"));
  EXPECT_FALSE(both("country = DE", ""));
  EXPECT_TRUE(both("", ""));
}

TEST(Query, IsBounded) {
  EXPECT_FALSE(Query::Parse(std::string(5000, ' ')).ok());
  EXPECT_FALSE(Query::Parse(std::string(1000, '(') + "open" + std::string(1000, ')')).ok());
  std::string nots;
  for (int i = 0; i < 500; ++i) nots += "not ";
  EXPECT_FALSE(Query::Parse(nots + "open").ok());
  EXPECT_FALSE(Query::Parse("path ~ '((a{100}){100}){100}'").ok());
}

TEST(Query, ARegularExpressionMeantToExplodeDoesNot) {
  logger::StoredVisit visit = SomeVisit();
  visit.path = std::string(1024, 'a') + "!";
  const auto query = Query::Parse("path ~ '^(a+)+(a+)+(a+)+$'");
  ASSERT_TRUE(query.ok());
  EXPECT_FALSE(query->Matches(visit));
}

TEST(Query, NoTextCrashesIt) {
  const std::string text = "not (status >= 400 and ip in (10.0.0.0/8, ::1)) or path ~ '^/a' and session_new";
  for (size_t i = 0; i < text.size(); ++i) {
    for (const char with : {'\'', '(', ')', '=', ' ', ',', '\0', '\xff'}) {
      std::string damaged = text;
      damaged[i] = with;
      (void)Query::Parse(damaged);
      (void)Query::Parse(damaged.substr(0, i));
    }
  }
}

// config/visit_field.h says what each is for; no field of a visit may stand outside it.
TEST(VisitFields, AllHaveAPurposeInTheTableOfWhatIsRecorded) {
  std::set<std::string, std::less<>> members;
  for (size_t i = 0; i < static_cast<size_t>(config::VisitField::kCount); ++i) {
    std::istringstream words{std::string(config::InfoOf(static_cast<config::VisitField>(i)).members)};
    for (std::string word; words >> word;) members.insert(word);
  }
  for (const FieldInfo& field : AllFields())
    EXPECT_EQ(members.erase(std::string(field.name)), 1u) << field.name;
  EXPECT_TRUE(members.empty()) << *members.begin();
}

}  // namespace
}  // namespace gatebook::review
