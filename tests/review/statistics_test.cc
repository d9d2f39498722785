#include "review/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "review/device_class.h"
#include "review/statistics_text.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using logger::StoredVisit;
using testing::HasSubstr;

constexpr base::WallTime kNoon =
    base::WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 27) + 12h);

StoredVisit Visit(const std::string& session) {
  StoredVisit visit;
  visit.arrival = kNoon;
  visit.session = session;
  visit.ip = "192.0.2.1";
  visit.channel = "direct";
  visit.country = "FI";
  visit.asn = 64500;
  visit.as_org = "Example Oy";
  visit.host = "www.example.com";
  visit.path = "/";
  visit.status = 200;
  visit.user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
  visit.purpose = logger::kPurposeAdministrative | logger::kPurposeStatistics;
  return visit;
}

TEST(Statistics, CountVisitsAndSessionsInEveryDimension) {
  Statistics statistics;
  StoredVisit visit = Visit("a");
  visit.session_new = true;
  visit.channel = "search";
  visit.referrer = "https://search.example";
  statistics.Take(visit);
  visit = Visit("a");
  visit.path = "/prices";
  visit.arrival += 61min;
  statistics.Take(visit);
  visit = Visit("b");
  visit.country.clear();
  visit.asn = 0;
  visit.status = 404;
  statistics.Take(visit);

  EXPECT_EQ(statistics.visits(), 3u);
  EXPECT_EQ(statistics.sessions().Count(), 2u);
  EXPECT_EQ(statistics.new_sessions(), 1u);
  EXPECT_EQ(statistics.Unknown(Dimension::kCountry), 1u);
  EXPECT_EQ(statistics.Unknown(Dimension::kReferrer), 2u);
  const auto json = nlohmann::json::parse(
      RenderStatistics(statistics, {.since = kNoon, .until = kNoon + 2h, .top = 10, .form = Form::kJson}));
  EXPECT_EQ(json["visits"], 3);
  EXPECT_EQ(json["since"], "2026-11-27T12:00:00.000Z");
  EXPECT_EQ(json["channels"]["rows"], nlohmann::json::parse(R"([{"value":"direct","visits":2,"sessions":2},
                                      {"value":"search","visits":1,"sessions":1}])"));
  EXPECT_EQ(json["referrers"]["rows"][0]["value"], "https://search.example");
  EXPECT_EQ(json["countries"]["rows"], nlohmann::json::parse(R"([{"value":"FI","visits":2,"sessions":1}])"));
  EXPECT_EQ(json["networks"]["rows"][0]["value"], "AS64500 Example Oy");
  EXPECT_EQ(json["pages"]["rows"][0],
            nlohmann::json::parse(R"({"value":"www.example.com/","visits":2,"sessions":2})"));
  EXPECT_EQ(json["statuses"]["rows"][1]["value"], "404");
  EXPECT_EQ(json["devices"]["rows"][0]["value"], "desktop");
  EXPECT_EQ(json["hours"]["rows"][1], nlohmann::json::parse(R"({"value":"13","visits":1,"sessions":1})"));
  EXPECT_FALSE(json.contains("sessions_error"));
}

TEST(Statistics, WhoObjectedStandsInNoFigure) {
  Statistics statistics;
  StoredVisit visit = Visit("a");
  visit.purpose = logger::kPurposeAdministrative;
  visit.session_new = true;
  visit.path = "/secret";
  statistics.Take(visit);
  EXPECT_EQ(statistics.visits(), 0u);
  EXPECT_EQ(statistics.sessions().Count(), 0u);
  EXPECT_EQ(statistics.new_sessions(), 0u);
  for (const DimensionInfo& info : AllDimensions()) {
    EXPECT_EQ(statistics.Of(info.dimension).size() + statistics.Unknown(info.dimension), 0u) << info.name;
  }
}

TEST(Statistics, WhatIsNotExactSaysHowMuchItMayBeOff) {
  Statistics statistics(4);
  for (int i = 0; i < 100; ++i) {
    StoredVisit visit = Visit("s");
    visit.path = "/" + std::to_string(i);
    statistics.Take(visit);
  }
  const StatisticsShown shown{.since = kNoon, .until = kNoon + 1h, .top = 3, .form = Form::kTable};
  EXPECT_THAT(RenderStatistics(statistics, shown), HasSubstr("others that were let go"));
  auto as_json = shown;
  as_json.form = Form::kJson;
  const auto json = nlohmann::json::parse(RenderStatistics(statistics, as_json));
  EXPECT_GT(json["pages"]["values_let_go_had_at_most"], 0);
  EXPECT_LE(json["pages"]["rows"].size(), 3u);
}

TEST(Statistics, TablesShowTheTopAndHowManyMore) {
  Statistics statistics;
  for (int i = 0; i < 5; ++i) {
    for (int n = 0; n <= i; ++n) {
      StoredVisit visit = Visit("s" + std::to_string(n));
      visit.path = "/" + std::to_string(i);
      statistics.Take(visit);
    }
  }
  StatisticsShown shown{.since = kNoon, .until = kNoon + 1h, .top = 2, .form = Form::kTable};
  const std::string table = RenderStatistics(statistics, shown);
  EXPECT_THAT(table, HasSubstr("www.example.com/4"));
  EXPECT_THAT(table, HasSubstr("www.example.com/3"));
  EXPECT_THAT(table, testing::Not(HasSubstr("www.example.com/2")));
  EXPECT_THAT(table, HasSubstr("and 3 more"));
  shown.form = Form::kPlain;
  const std::string lines = RenderStatistics(statistics, shown);
  EXPECT_THAT(lines, testing::StartsWith("total\tvisits\t15\ntotal\tsessions\t5\n"));
  EXPECT_THAT(lines, HasSubstr("page\twww.example.com/4\t5\t5\n"));
}

TEST(Statistics, HostileTextIsInertInEveryForm) {
  Statistics statistics;
  StoredVisit visit = Visit("s");
  visit.path = "/\x1b[2J\xff\n";
  statistics.Take(visit);
  for (const Form form : {Form::kTable, Form::kPlain, Form::kJson}) {
    const std::string text =
        RenderStatistics(statistics, {.since = kNoon, .until = kNoon + 1h, .top = 9, .form = form});
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\xff'), std::string::npos);
  }
}

TEST(DeviceClass, IsToldFromTheAgentsOwnWords) {
  const std::pair<const char*, DeviceClass> agents[] = {
      {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 "
       "Safari/537.36",
       DeviceClass::kDesktop},
      {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.6 Safari/605.1.15",
       DeviceClass::kDesktop},
      {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/128.0.0.0 Safari/537.36",
       DeviceClass::kDesktop},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 Version/17.6 "
       "Mobile/15E148 "
       "Safari/604.1",
       DeviceClass::kMobile},
      {"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/129.0.0.0 Mobile Safari/537.36",
       DeviceClass::kMobile},
      {"Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 Chrome/80.0 Mobile Safari/537.36",
       DeviceClass::kMobile},
      {"Mozilla/5.0 (Android 14; Tablet; rv:130.0) Gecko/130.0 Firefox/130.0", DeviceClass::kTablet},
      {"Mozilla/5.0 (Linux; Android 13; SM-X200) AppleWebKit/537.36 Chrome/129.0.0.0 Safari/537.36",
       DeviceClass::kTablet},
      {"Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
       DeviceClass::kTablet},
      {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", DeviceClass::kBot},
      {"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) AppleWebKit/537.36 Mobile Safari/537.36 (compatible; "
       "Googlebot/2.1; +http://www.google.com/bot.html)",
       DeviceClass::kBot},
      {"curl/7.88.1", DeviceClass::kBot},
      {"python-requests/2.32.3", DeviceClass::kBot},
      {"Go-http-client/2.0", DeviceClass::kBot},
      {"", DeviceClass::kOther},
      {"My refrigerator", DeviceClass::kOther},
  };
  for (const auto& [agent, device] : agents) {
    EXPECT_EQ(ToText(DeviceClassOf(agent)), ToText(device)) << agent;
  }
}

}  // namespace
}  // namespace gatebook::review
