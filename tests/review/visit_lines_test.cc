// A visit as a line for other tools: ECS, OpenTelemetry, combined.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <re2/re2.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "base/rfc3339.h"
#include "logger/visit_record.h"
#include "review/visit_combined.h"
#include "review/visit_ecs.h"
#include "review/visit_otel.h"

namespace gatebook::review {
namespace {

using logger::StoredVisit;
using Json = nlohmann::json;

StoredVisit AVisit() {
  StoredVisit visit;
  visit.edge = "edge1";
  visit.id = {3, 1'790'000'000'123, 7};
  visit.arrival = *base::ParseRfc3339("2026-11-23T21:53:01.042Z");
  visit.session = "abcdefghijklmnopqrstuv";
  visit.session_new = true;
  visit.ip = "203.0.113.7";
  visit.dns = "host7.example.net";
  visit.dns_check = "confirmed";
  visit.channel = "search";
  visit.referrer = "https://search.example";
  visit.country = "FI";
  visit.city = "Helsinki";
  visit.asn = 64500;
  visit.as_org = "Example Oy";
  visit.method = "GET";
  visit.host = "shop.example";
  visit.path = "/a/b";
  visit.query = "page=2";
  visit.status = 200;
  visit.bytes_in = 5;
  visit.bytes_out = 512;
  visit.duration_us = 1500;
  visit.upstream_us = 900;
  visit.protocol = "h2";
  visit.tls = "1.3";
  visit.user_agent = "Mozilla/5.0";
  visit.request_id = "00112233445566aa";
  visit.policy = "2026-01";
  visit.purpose = logger::kPurposeAdministrative | logger::kPurposeStatistics;
  return visit;
}

Json Ecs(const StoredVisit& visit) {
  std::string line;
  AppendEcs(line, visit);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  return Json::parse(line);
}

Json Otel(const StoredVisit& visit) {
  std::string line;
  AppendOtel(line, visit);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  return Json::parse(line);
}

std::string Combined(const StoredVisit& visit) {
  std::string line;
  AppendCombined(line, visit);
  return line;
}

// What strangers put into visits to harm who reads them.
const std::string kHostile[] = {
    "\"><script>alert(1)</script>",
    "\x1b[2J\x1b]0;owned\x07",
    "a\"b\\c\\",
    "line\r\nGET /forged HTTP/1.1",
    "\xe2\x80\xae"
    "txt.exe",  // right-to-left override
    "\xff\xfe\x80 not UTF-8 \xc3",
    "=cmd|' /C calc'!A0",
    std::string("nul\0nul", 7),
    std::string(8192, '"'),
    std::string(8192, '\x1b'),
    "\xe2\x80\xa8line separator\xc2\x85",
};

void FillTexts(StoredVisit& visit, const std::string& text) {
  for (std::string* field :
       {&visit.session,  &visit.ip,         &visit.dns,        &visit.dns_check,    &visit.channel,
        &visit.referrer, &visit.utm_source, &visit.utm_medium, &visit.utm_campaign, &visit.country,
        &visit.as_org,   &visit.city,       &visit.method,     &visit.host,         &visit.path,
        &visit.query,    &visit.protocol,   &visit.user_agent, &visit.request_id,   &visit.denied,
        &visit.rule,     &visit.policy}) {
    *field = text;
  }
}

// No octet that acts on a terminal, none that ends the line early, and whole UTF-8.
void ExpectInert(const std::string& line) {
  ASSERT_TRUE(line.ends_with('\n'));
  for (const char c : line.substr(0, line.size() - 1)) {
    EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line.substr(0, 200);
    EXPECT_NE(c, 0x7f);
  }
  for (const char* hidden : {"\xe2\x80\xae", "\xe2\x80\xa8", "\xc2\x85"}) {
    EXPECT_EQ(line.find(hidden), std::string::npos);
  }
}

TEST(VisitLines, EcsHasTheNamesOfTheSchema) {
  const Json line = Ecs(AVisit());
  EXPECT_EQ(line["@timestamp"], "2026-11-23T21:53:01.042Z");
  EXPECT_EQ(line["event.id"], "edge1.3-1790000000123-7");
  EXPECT_EQ(line["event.dataset"], "gatebook.visit");
  EXPECT_EQ(line["event.duration"], 1'500'000);
  EXPECT_EQ(line["event.outcome"], "success");
  EXPECT_EQ(line["client.ip"], "203.0.113.7");
  EXPECT_EQ(line["client.domain"], "host7.example.net");
  EXPECT_EQ(line["client.geo.country_iso_code"], "FI");
  EXPECT_EQ(line["client.as.number"], 64500);
  EXPECT_EQ(line["client.as.organization.name"], "Example Oy");
  EXPECT_EQ(line["http.request.method"], "GET");
  EXPECT_EQ(line["http.request.referrer"], "https://search.example");
  EXPECT_EQ(line["http.request.body.bytes"], 5);
  EXPECT_EQ(line["http.response.status_code"], 200);
  EXPECT_EQ(line["http.response.body.bytes"], 512);
  EXPECT_EQ(line["http.version"], "2");
  EXPECT_EQ(line["url.domain"], "shop.example");
  EXPECT_EQ(line["url.path"], "/a/b");
  EXPECT_EQ(line["url.query"], "page=2");
  EXPECT_EQ(line["url.scheme"], "https");
  EXPECT_EQ(line["user_agent.original"], "Mozilla/5.0");
  EXPECT_EQ(line["tls.version"], "1.3");
  EXPECT_EQ(line["gatebook.session"], "abcdefghijklmnopqrstuv");
  EXPECT_FALSE(line.contains("gatebook.open"));
}

TEST(VisitLines, OtelHasTheShapeOfALogRecordAndTheNamesOfTheConventions) {
  const Json line = Otel(AVisit());
  EXPECT_EQ(line["Timestamp"], "1795470781042000000");
  EXPECT_EQ(line["SeverityText"], "INFO");
  EXPECT_EQ(line["SeverityNumber"], 9);
  EXPECT_EQ(line["Body"], "GET shop.example/a/b 200");
  EXPECT_EQ(line["Resource"]["service.name"], "gatebook");
  EXPECT_EQ(line["Resource"]["service.instance.id"], "edge1");
  const Json& attributes = line["Attributes"];
  EXPECT_EQ(attributes["client.address"], "203.0.113.7");
  EXPECT_EQ(attributes["http.request.method"], "GET");
  EXPECT_EQ(attributes["http.response.status_code"], 200);
  EXPECT_EQ(attributes["http.response.body.size"], 512);
  EXPECT_EQ(attributes["server.address"], "shop.example");
  EXPECT_EQ(attributes["url.path"], "/a/b");
  EXPECT_EQ(attributes["user_agent.original"], "Mozilla/5.0");
  EXPECT_EQ(attributes["network.protocol.version"], "2");
  EXPECT_EQ(attributes["geo.country.iso_code"], "FI");
  EXPECT_EQ(attributes["session.id"], "abcdefghijklmnopqrstuv");
  EXPECT_EQ(attributes["gatebook.duration_us"], 1500);
}

TEST(VisitLines, CombinedIsWhatWebServersWrite) {
  EXPECT_EQ(Combined(AVisit()),
            "203.0.113.7 - - [23/Nov/2026:21:53:01 +0000] \"GET /a/b?page=2 HTTP/2.0\" 200 512 "
            "\"https://search.example\" \"Mozilla/5.0\"\n");
}

TEST(VisitLines, WhatIsEmptyIsLeftOutAndStandsForNothingInCombined) {
  StoredVisit visit;
  visit.edge = "e";
  const Json ecs = Ecs(visit);
  EXPECT_FALSE(ecs.contains("client.ip"));
  EXPECT_FALSE(ecs.contains("http.response.status_code"));
  EXPECT_FALSE(ecs.contains("client.as.number"));
  EXPECT_FALSE(Otel(visit)["Attributes"].contains("client.address"));
  EXPECT_EQ(Combined(visit), "0.0.0.0 - - [01/Jan/1970:00:00:00 +0000] \"-\" 499 0 \"-\" \"-\"\n");
}

TEST(VisitLines, AShortenedAddressIsNoAddressInEcsAndParseableInCombined) {
  StoredVisit visit = AVisit();
  visit.ip = "203.0.113.0/24";
  EXPECT_FALSE(Ecs(visit).contains("client.ip"));
  EXPECT_EQ(Ecs(visit)["client.address"], "203.0.113.0/24");
  EXPECT_TRUE(Combined(visit).starts_with("203.0.113.0 - - ["));
}

TEST(VisitLines, AnOpenVisitSaysSo) {
  StoredVisit visit = AVisit();
  visit.open = true;
  EXPECT_EQ(Ecs(visit)["gatebook.open"], true);
  EXPECT_FALSE(Ecs(visit).contains("event.outcome"));
  EXPECT_EQ(Otel(visit)["Attributes"]["gatebook.open"], true);
}

TEST(VisitLines, ARefusalIsMarked) {
  StoredVisit visit = AVisit();
  visit.denied = "rate";
  visit.rule = "logins";
  EXPECT_EQ(Ecs(visit)["event.type"], Json({"access", "denied"}));
  EXPECT_EQ(Ecs(visit)["event.reason"], "rate");
  EXPECT_EQ(Ecs(visit)["rule.name"], "logins");
  EXPECT_EQ(Otel(visit)["SeverityText"], "WARN");
}

TEST(VisitLines, NoTextOfAStrangerEndsItsFieldOrActsOnATerminal) {
  static const RE2 kCombined(
      R"re(\S+ - - \[[^\]]+\] "(-|\S+ \S+ HTTP/\d\.\d)" \d{3} \d+ "[^"\n]*" "[^"\n]*"\n)re");
  for (const std::string& text : kHostile) {
    StoredVisit visit = AVisit();
    FillTexts(visit, text);
    std::string ecs, otel;
    AppendEcs(ecs, visit);
    AppendOtel(otel, visit);
    const std::string combined = Combined(visit);
    for (const std::string& line : {ecs, otel, combined}) ExpectInert(line);
    // Strict about UTF-8, and one object.
    EXPECT_TRUE(Json::accept(ecs)) << ecs.substr(0, 300);
    EXPECT_TRUE(Json::accept(otel)) << otel.substr(0, 300);
    EXPECT_TRUE(RE2::FullMatch(combined, kCombined)) << combined.substr(0, 300);
  }
}

}  // namespace
}  // namespace gatebook::review
