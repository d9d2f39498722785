#include "review/visits.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "review/commands.h"
#include "review/moment.h"
#include "review/render.h"
#include "tests/review/visit_scribe.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using logger::VisitId;

TEST(Visits, ComeBackByTimeFromAllWorkersAndEdges) {
  support::RedisServer redis;
  Scribe scribe(redis);
  scribe.Claim("edge2", 1);
  const base::WallTime minute = PastMinute();
  scribe.Write(0, minute + 10s);
  scribe.Write(1, minute + 5s);
  scribe.Write(1, minute + 61s);
  scribe.edge = "edge2";
  scribe.Write(0, minute + 7s);
  const auto visits = ReadAll(redis, {.since = minute});
  ASSERT_EQ(visits.size(), 4u);
  EXPECT_EQ(visits[0].arrival, minute + 5s - 20ms);
  EXPECT_EQ(visits[1].edge, "edge2");
  EXPECT_EQ(visits[2].arrival, minute + 10s - 20ms);
  EXPECT_EQ(visits[3].arrival, minute + 61s - 20ms);
  EXPECT_EQ(ReadAll(redis, {.since = minute + 6s, .until = minute + 10s - 20ms}).size(), 1u);
}

TEST(Visits, ReferencesToFactsAreFollowedAlsoInChains) {
  support::RedisServer redis;
  Scribe scribe(redis);
  const base::WallTime minute = PastMinute();
  scribe.visit.ip = *base::IpAddress::Parse("198.51.100.7");
  const VisitId whole = scribe.Write(0, minute + 1s);
  const VisitId pointing = scribe.Write(0, minute + 2s, 0, Scribe::SameAs(whole));
  scribe.Write(0, minute + 3s, 0, Scribe::SameAs(pointing));
  scribe.Write(0, minute + 4s, 0, Scribe::SameAs({0, Ms(minute), 9}));
  const auto visits = ReadAll(redis, {.since = minute});
  ASSERT_EQ(visits.size(), 4u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(visits[static_cast<size_t>(i)].ip, "198.51.100.7");
  EXPECT_EQ(visits[3].ip, "") << "what it points to is gone";
}

TEST(Visits, AClosingCompletesItsVisitAndOneWithoutStaysOpen) {
  support::RedisServer redis;
  Scribe scribe(redis);
  const base::WallTime minute = PastMinute();
  scribe.visit.open = true;
  const VisitId closed = scribe.Write(0, minute + 1s);
  scribe.Write(0, minute + 2s);
  scribe.Close(closed, minute + 3min);
  scribe.Close({0, Ms(minute + 1500ms), 0}, minute + 4min);  // of a visit that was erased
  const auto visits = ReadAll(redis, {.since = minute});
  ASSERT_EQ(visits.size(), 2u);
  EXPECT_FALSE(visits[0].open);
  EXPECT_EQ(visits[0].status, 101);
  EXPECT_EQ(visits[0].bytes_out, 77u);
  EXPECT_TRUE(visits[1].open);
}

TEST(Visits, MoreThanAPageOfAMinuteIsReadWhole) {
  support::RedisServer redis;
  Scribe scribe(redis);
  const base::WallTime minute = PastMinute();
  auto client = logger::RedisClient::Connect(redis.Config());
  const std::string key = logger::VisitsKey("edge1", 0, logger::MinuteOf(Ms(minute)));
  for (int i = 0; i < 1700; ++i) {
    (*client)->Append({"XADD", key, std::to_string(Ms(minute) + 1) + "-" + std::to_string(i), "v",
                       "\t\t200\tGET\t/", "c",
                       i == 0 ? std::string("s\t192.0.2.1") : Scribe::SameAs({0, Ms(minute) + 1, 0})});
  }
  for (int i = 0; i < 1700; ++i) ASSERT_TRUE((*client)->Receive().ok());
  const auto visits = ReadAll(redis, {.since = minute});
  EXPECT_EQ(visits.size(), 1700u);
  for (const auto& visit : visits) ASSERT_EQ(visit.ip, "192.0.2.1");
}

TEST(Visits, WhatOthersPutIntoOurKeysIsSkipped) {
  support::RedisServer redis;
  Scribe scribe(redis);
  const base::WallTime minute = PastMinute();
  const std::string key = logger::VisitsKey("edge1", 0, logger::MinuteOf(Ms(minute)));
  const std::string at = std::to_string(Ms(minute));
  redis.Ask({"XADD", key, at + "-1", "other", "thing"});
  redis.Ask({"XADD", key, at + "-2", "v", "xx", "c", "=zz"});
  redis.Ask({"XADD", key, at + "-3", "v", "-99999999999999999", "c", "s"});
  redis.Ask({"XADD", key, "9999999999999999999-1", "v", "", "c", "s"});
  redis.Ask({"HSET", "gb:edges", "odd", "no claim", "many", "x 4000000000 1"});
  EXPECT_LE(ReadAll(redis, {.since = minute, .until = minute + 1min}).size(), 1u);
}

TEST(VisitsCommand, PrintsOneJsonObjectALine) {
  support::RedisServer redis;
  Scribe scribe(redis);
  const base::WallTime minute = PastMinute();
  scribe.name = {logger::DnsCheck::kConfirmed, "host.example.net"};
  scribe.visit.status = 404;
  scribe.visit.session.bytes = {1, 2, 3};
  scribe.visit.ip = *base::IpAddress::Parse("198.51.100.7");
  scribe.visit.path = "/\"<script>\xe2\x80\xae";
  scribe.visit.user_agent = "esc \xc2\x9b[1m";
  const VisitId id = scribe.Write(1, minute + 1s);
  scribe.visit.status = 200;
  scribe.Write(0, minute + 2s);
  config::Config config;
  config.redis = redis.Config();
  VisitsOptions options;
  options.form = Form::kJson;
  options.where = "status >= 400 and country = FI";
  support::TempDirectory files;
  config.audit.file = files.Path("audit.log");
  options.reveal = {.wanted = true, .reason = "case 7"};
  const Outcome outcome = Capture([&](std::FILE* out) { return RunVisits(config, options, out, false); });
  EXPECT_EQ(outcome.exit_code, 0);
  ASSERT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1);
  const auto object = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(object["id"], logger::ToText(id, "edge1"));
  EXPECT_EQ(object["status"], 404);
  EXPECT_EQ(object["session"], logger::ToText(scribe.visit.session));
  EXPECT_EQ(object["session_new"], false);
  EXPECT_EQ(object["ip"], "198.51.100.7");
  EXPECT_EQ(object["dns"], "host.example.net");
  EXPECT_EQ(object["country"], "FI");
  EXPECT_EQ(object["purpose"], (nlohmann::json::array({"administrative", "statistics"})));
  EXPECT_FALSE(object.contains("denied"));
  EXPECT_EQ(outcome.output.find("\xe2\x80\xae"), std::string::npos);
  EXPECT_EQ(outcome.output.find("\xc2\x9b"), std::string::npos);
  options.reveal = {};
  const auto discreet = nlohmann::json::parse(
      Capture([&](std::FILE* out) { return RunVisits(config, options, out, false); }).output);
  EXPECT_EQ(discreet["ip"], "198.51.100.0/24");
  EXPECT_EQ(discreet["dns"], "example.net");
}

TEST(VisitsCommand, AnswersInItsExitCode) {
  support::RedisServer redis;
  config::Config config;
  config.redis = redis.Config();
  config.redis.connect_timeout = 1s;
  const auto run = [&](const VisitsOptions& options) {
    return Capture([&](std::FILE* out) { return RunVisits(config, options, out, true); }).exit_code;
  };
  EXPECT_EQ(run({}), 1);
  EXPECT_EQ(run({.where = "contry = FI"}), 2);
  EXPECT_EQ(run({.ip = "nowhere"}), 2);
  EXPECT_EQ(run({.session = "short"}), 2);
  const base::WallTime now = Scribe::Now();
  EXPECT_EQ(run({.since = now, .until = now - 1h}), 2);
  EXPECT_EQ(
      Capture([&](std::FILE* out) { return RunSession(config, {.session = "x"}, out, true); }).exit_code, 2);
  EXPECT_EQ(Capture([&](std::FILE* out) {
              return RunSession(config, {.session = std::string(22, 'A')}, out, true);
            }).exit_code,
            1);
  redis.Kill();
  EXPECT_EQ(run({}), 69);
}

TEST(VisitsCommand, ATableHasItsColumnsAndEndsNoLineInMischief) {
  logger::StoredVisit visit;
  visit.edge = "e";
  visit.session = std::string(22, 's');
  visit.ip = "2001:db8::1234:5678:9abc";
  visit.dns = "a-very-long-name-indeed.example.net";
  visit.dns_check = "unconfirmed";
  visit.channel = "campaign";
  visit.utm_source = "letter";
  visit.host = "h";
  visit.path = "/\x1b]0;title\x07";
  visit.status = 418;
  const std::string line = RenderVisit(visit, Form::kTable);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_NE(line.find("a-very-long-name-indeed…"), std::string::npos) << line;
  EXPECT_EQ(RenderHeading(Form::kTable).find("STATUS"), [&] {
    // Every cell is one column wide a character; "…" has three bytes.
    size_t at = line.find("418");
    for (size_t dots = line.find("…"); dots < line.find("418"); dots = line.find("…", dots + 3)) at -= 2;
    return at;
  }());
  EXPECT_NE(RenderVisit(visit, Form::kPlain).find("a-very-long-name-indeed.example.net?\t"),
            std::string::npos);
}

TEST(VisitsCommand, FollowShowsWhatComesOnce) {
  support::RedisServer redis;
  Scribe scribe(redis);
  scribe.Write(0, Scribe::Now() - 2s);
  config::Config config;
  config.redis = redis.Config();
  std::atomic<bool> stop{false};
  VisitsOptions options;
  options.since = Scribe::Now() - 1min;
  options.follow = true;
  options.form = Form::kJson;
  options.limit = 3;
  options.stop = &stop;
  auto following = std::async(std::launch::async, [&] {
    return Capture([&](std::FILE* out) { return RunVisits(config, options, out, false); });
  });
  scribe.Write(1, Scribe::Now());
  scribe.visit.open = true;
  scribe.Write(0, Scribe::Now());
  const bool ended = following.wait_for(20s) == std::future_status::ready;
  stop = true;
  const Outcome outcome = following.get();
  EXPECT_TRUE(ended) << outcome.output;
  EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 3) << outcome.output;
}

TEST(VisitsCommand, FollowShowsWhatComesFromEveryEdgeWithinASecond) {
  support::RedisServer redis;
  Scribe scribe(redis);
  scribe.Claim("edge2", 1);
  auto client = logger::RedisClient::Connect(redis.Config());
  std::map<std::string, base::SteadyTime> seen;
  std::mutex mutex;
  std::atomic<bool> stop{false};
  auto following = std::async(std::launch::async, [&] {
    return VisitReader(**client, base::Clock::System())
        .Follow(
            {.since = Scribe::Now() - 1min},
            [&](const logger::StoredVisit& visit) {
              const std::lock_guard lock(mutex);
              seen[visit.edge] = base::Clock::System().SteadyNow();
              return true;
            },
            stop);
  });
  scribe.Write(0, Scribe::Now());
  scribe.edge = "edge2";
  scribe.Write(0, Scribe::Now());
  const base::SteadyTime written = base::Clock::System().SteadyNow();
  EXPECT_TRUE(support::WaitUntil([&] {
    const std::lock_guard lock(mutex);
    return seen.size() == 2;
  }));
  stop = true;
  EXPECT_TRUE(following.get().ok());
  EXPECT_LT(std::max(seen["edge1"], seen["edge2"]) - written, 1s);
}

TEST(SessionCommand, ShowsHowASessionBeganAndItsVisits) {
  support::RedisServer redis;
  Scribe scribe(redis);
  const base::WallTime minute = PastMinute();
  scribe.visit.session.bytes = {9};
  scribe.visit.ip = *base::IpAddress::Parse("192.0.2.1");
  scribe.visit.session_new = true;
  scribe.Write(0, minute + 1s);
  scribe.visit.session_new = false;
  scribe.Write(1, minute + 2s);
  scribe.visit.session.bytes = {8};
  scribe.Write(0, minute + 3s);
  logger::SessionId session;
  session.bytes = {9};
  config::Config config;
  config.redis = redis.Config();
  const Outcome outcome = Capture(
      [&](std::FILE* out) { return RunSession(config, {.session = logger::ToText(session)}, out, false); });
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.output.find("visits\t2"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("ip\t192.0.2.0/24\n"), std::string::npos) << outcome.output;
  EXPECT_EQ(outcome.output.find('\x1b'), std::string::npos);
  const Outcome json = Capture([&](std::FILE* out) {
    return RunSession(config, {.session = logger::ToText(session), .form = Form::kJson}, out, false);
  });
  EXPECT_EQ(nlohmann::json::parse(json.output.substr(0, json.output.find('\n')))["visits"], 2);
  const Outcome csv = Capture([&](std::FILE* out) {
    return RunSession(config, {.session = logger::ToText(session), .form = Form::kCsv}, out, false);
  });
  EXPECT_EQ(csv.output.find("id,time,session"), 0u) << csv.output;
  EXPECT_EQ(std::count(csv.output.begin(), csv.output.end(), '\n'), 3) << "the heading and two visits";
}

TEST(SessionCommand, AMomentIsATimeOrSoLongAgo) {
  const base::WallTime now = Scribe::Now();
  EXPECT_EQ(ParseMoment("2h", now), now - 2h);
  EXPECT_EQ(ParseMoment("2026-11-23T12:00:00Z", now),
            base::WallTime(std::chrono::milliseconds(1795435200000)));
  EXPECT_EQ(ParseMoment("30", now), std::nullopt);
}

}  // namespace
}  // namespace gatebook::review
