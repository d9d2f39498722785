// Each check of `gatebook doctor` finds what it is for, and finds nothing where all is well.
#include "review/checkup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "logger/journal.h"
#include "logger/redis_keys.h"
#include "review/edge_checkup.h"
#include "review/journal_checkup.h"
#include "review/machine_checkup.h"
#include "review/redis_checkup.h"
#include "tests/support/dns_server.h"
#include "tests/support/mmdb_writer.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// What a check has said, the worst first; nothing if it was silent.
const Finding* WorstOf(const Checkup& checkup, Check check) {
  const Finding* worst = nullptr;
  for (const Finding& finding : checkup.findings()) {
    if (finding.check == check && (worst == nullptr || finding.severity > worst->severity)) worst = &finding;
  }
  return worst;
}

class CheckupTest : public testing::Test {
 protected:
  void Expect(const Checkup& checkup, Check check, Severity severity, const std::string& part) {
    const Finding* const finding = WorstOf(checkup, check);
    ASSERT_NE(finding, nullptr) << InfoOf(check).slug << " said nothing:\n" << checkup.Render(false);
    EXPECT_EQ(finding->severity, severity) << checkup.Render(false);
    EXPECT_THAT(finding->says, HasSubstr(part));
  }
  config::Config ConfigFor(const support::RedisServer& redis) {
    config::Config config;
    config.redis = redis.Config();
    config.journal.directory = directory_.Path("journal");
    config.session.key_file = directory_.Path("session.key");
    config.edge.name = "edge1";
    return config;
  }
  Checkup OfRedis(const config::Config& config, const base::Clock& clock = base::Clock::System()) {
    Checkup checkup;
    ExamineRedis(config, "aa", clock, checkup);
    return checkup;
  }
  Checkup OfFacts(const std::map<std::string, std::string>& changed,
                  std::optional<std::string> save = "3600 1", std::optional<std::string> fsync = "everysec") {
    RedisFacts facts{{{"redis_version", "7.0.15"},
                      {"redis_mode", "standalone"},
                      {"role", "master"},
                      {"maxmemory", "1000000"},
                      {"used_memory", "1000"},
                      {"maxmemory_policy", "noeviction"},
                      {"aof_enabled", "1"},
                      {"aof_last_write_status", "ok"},
                      {"rdb_last_bgsave_status", "ok"}},
                     std::move(save),
                     std::move(fsync)};
    for (const auto& [name, value] : changed) facts.info[name] = value;
    Checkup checkup;
    JudgeRedis({}, facts, checkup);
    return checkup;
  }
  Checkup OfJournal(const config::Config& config, bool edge_runs = false) {
    Checkup checkup;
    ExamineJournal(config, edge_runs, base::Clock::System(), checkup);
    return checkup;
  }
  Checkup OfHelpers(const config::Config& config) {
    Checkup checkup;
    ExamineHelpers(config, base::Clock::System(), checkup);
    return checkup;
  }
  Checkup OfEdge(const std::string& status, const std::string& why = "") {
    Checkup checkup;
    ExamineEdge(status, why, checkup);
    return checkup;
  }

  support::TempDirectory directory_;
};

TEST_F(CheckupTest, EveryCheckHasAName) {
  std::set<std::string> slugs;
  for (size_t i = 0; i < static_cast<size_t>(Check::kCount); ++i) {
    const CheckInfo& info = InfoOf(static_cast<Check>(i));
    EXPECT_TRUE(slugs.insert(info.slug).second) << info.slug;
    EXPECT_NE(std::string(info.looks_at), "");
    EXPECT_NE(std::string(info.remedy), "");
  }
}

TEST_F(CheckupTest, AFindingIsALineWithWhatToDoAndTheWorstDecidesTheExitCode) {
  Checkup checkup;
  EXPECT_EQ(checkup.exit_code(), base::ExitCode::kOk);
  checkup.Ok(Check::kClock, "it is synchronised");
  checkup.Warn(Check::kRedisMemory, "much is used");
  EXPECT_EQ(checkup.exit_code(), base::ExitCode::kOk);
  checkup.Fail(Check::kRedisEviction, "maxmemory-policy is \x1b[2Jallkeys\nlru");
  EXPECT_EQ(checkup.exit_code(), base::ExitCode::kNegative);
  const std::string text = checkup.Render(false);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_LT(text.find("redis_eviction"), text.find("redis_memory")) << "in the table's order";
  EXPECT_THAT(text, HasSubstr("To do: CONFIG SET maxmemory-policy noeviction"));
  std::istringstream lines(checkup.Render(true));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const auto first = nlohmann::json::parse(line);
  EXPECT_EQ(first["check"], "redis_eviction");
  EXPECT_EQ(first["severity"], "error");
  EXPECT_TRUE(first.contains("do"));
  checkup.Fail(Check::kRedis, "no answer");
  EXPECT_EQ(checkup.exit_code(), base::ExitCode::kUnavailable);
}

TEST_F(CheckupTest, ARedisAsItShouldBeIsWell) {
  support::RedisServer redis({"--appendonly", "yes", "--maxmemory", "100mb"});
  const Checkup checkup = OfRedis(ConfigFor(redis));
  EXPECT_EQ(checkup.exit_code(), base::ExitCode::kOk) << checkup.Render(false);
  for (const Check check :
       {Check::kRedis, Check::kRedisVersion, Check::kRedisRole, Check::kRedisEviction, Check::kRedisMemory,
        Check::kRedisDurability, Check::kRedisDisk, Check::kRedisClock, Check::kRedisNetwork,
        Check::kRedisRights, Check::kEdgeName}) {
    Expect(checkup, check, Severity::kOk, "");
  }
  EXPECT_EQ(redis.Ask({"DBSIZE"}), "0") << "looking leaves nothing behind";
}

TEST_F(CheckupTest, ARedisThatIsAwayIsAnErrorOfItsOwn) {
  support::RedisServer redis;
  const config::Config config = ConfigFor(redis);
  redis.Kill();
  const Checkup checkup = OfRedis(config);
  Expect(checkup, Check::kRedis, Severity::kError, "Redis at");
  EXPECT_EQ(checkup.exit_code(), base::ExitCode::kUnavailable);
}

TEST_F(CheckupTest, BadSettingsOfARealRedisAreFound) {
  support::RedisServer redis({"--maxmemory-policy", "allkeys-lru"});
  const config::Config config = ConfigFor(redis);
  Checkup checkup = OfRedis(config);
  Expect(checkup, Check::kRedisEviction, Severity::kError, "allkeys-lru");
  Expect(checkup, Check::kRedisMemory, Severity::kWarning, "maxmemory is not set");
  Expect(checkup, Check::kRedisDurability, Severity::kError, "nothing to its disk");

  redis.Ask({"CONFIG", "SET", "save", "3600 1"});
  redis.Ask({"CONFIG", "SET", "maxmemory", "1"});
  checkup = OfRedis(config);
  Expect(checkup, Check::kRedisDurability, Severity::kWarning, "only snapshots");
  Expect(checkup, Check::kRedisMemory, Severity::kError, "refused");
  redis.Ask({"CONFIG", "SET", "maxmemory", "0"});

  redis.Ask({"CONFIG", "SET", "appendonly", "yes"});
  redis.Ask({"CONFIG", "SET", "appendfsync", "no"});
  redis.Ask({"REPLICAOF", "127.0.0.1", "1"});
  checkup = OfRedis(config);
  Expect(checkup, Check::kRedisDurability, Severity::kWarning, "power cut");
  Expect(checkup, Check::kRedisRole, Severity::kError, "replica");
}

TEST_F(CheckupTest, WhatOnlySomeServersSayIsJudgedByTheirWords) {
  EXPECT_EQ(OfFacts({}).exit_code(), base::ExitCode::kOk);
  Expect(OfFacts({{"redis_version", "6.2.14"}}), Check::kRedisVersion, Severity::kError, "6.2.14");
  Expect(OfFacts({{"redis_mode", "sentinel"}}), Check::kRedisRole, Severity::kError, "sentinel");
  Expect(OfFacts({{"redis_mode", "cluster"}}), Check::kRedisRole, Severity::kError, "cluster");
  Expect(OfFacts({{"loading", "1"}}), Check::kRedisRole, Severity::kWarning, "loading");
  Expect(OfFacts({{"used_memory", "850000"}}), Check::kRedisMemory, Severity::kWarning, "85 %");
  Expect(OfFacts({{"aof_last_write_status", "err"}}), Check::kRedisDisk, Severity::kError, "not on its disk");
  Expect(OfFacts({{"rdb_last_bgsave_status", "err"}}), Check::kRedisDisk, Severity::kError, "MISCONF");
  Expect(OfFacts({{"aof_last_bgrewrite_status", "err"}}), Check::kRedisDisk, Severity::kError, "grows");
  Expect(OfFacts({}, std::nullopt, std::nullopt), Check::kRedisDurability, Severity::kOk, "append-only");
}

TEST_F(CheckupTest, AnotherClockIsFound) {
  support::RedisServer redis;
  for (const auto& [off, severity] : {std::pair{5s, Severity::kWarning}, std::pair{-5s, Severity::kWarning},
                                      std::pair{-90s, Severity::kError}}) {
    const base::ManualClock clock(base::Clock::System().WallNow() + off);
    Expect(OfRedis(ConfigFor(redis), clock), Check::kRedisClock, severity,
           off > 0s ? "behind ours" : "before ours");
  }
}

TEST_F(CheckupTest, RightsThatAreMissingAreNamedAndNothingIsExecuted) {
  support::RedisServer redis({"--appendonly", "yes"});
  redis.Ask({"ACL", "SETUSER", "default", "resetkeys", "-@all", "+multi", "+exec", "+xadd", "+append", "+hset",
             "+hget", "+ping", "+select", "+info", "+acl", "+dbsize", "~gb:*"});
  Checkup checkup = OfRedis(ConfigFor(redis));
  Expect(checkup, Check::kRedisRights, Severity::kError, "may not HSETNX, PEXPIRE, PEXPIREAT on gb:*");
  redis.Ask({"ACL", "SETUSER", "default", "+@all", "resetkeys", "~other:*"});
  checkup = OfRedis(ConfigFor(redis));
  Expect(checkup, Check::kRedisRights, Severity::kError, "XADD");
  redis.Ask({"ACL", "SETUSER", "default", "resetkeys", "~gb:*", "-set", "-scan"});
  Expect(OfRedis(ConfigFor(redis)), Check::kRedisRights, Severity::kWarning, "may not SET, SCAN");
  EXPECT_EQ(redis.Ask({"DBSIZE"}), "0");
}

TEST_F(CheckupTest, ANameThatAnotherHasIsFound) {
  support::RedisServer redis;
  const base::WallTime now = base::Clock::System().WallNow();
  redis.Ask({"HSET", logger::kEdgesKey, "edge1", logger::ToText(logger::EdgeClaim{"bb", 1, now})});
  Expect(OfRedis(ConfigFor(redis)), Check::kEdgeName, Severity::kError, "another edge");
  redis.Ask({"HSET", logger::kEdgesKey, "edge1", logger::ToText(logger::EdgeClaim{"aa", 1, now})});
  Expect(OfRedis(ConfigFor(redis)), Check::kEdgeName, Severity::kOk, "ours");
}

TEST_F(CheckupTest, ARedisOverANetworkWithoutTlsIsFound) {
  config::Config config;
  config.redis.connect_timeout = 50ms;
  config.redis.server.text = "redis://192.0.2.1:6379";
  config.redis.server.ip = base::IpAddress::FromV4(0xc0000201);  // TEST-NET-1
  config.redis.server.port = 6379;
  Expect(OfRedis(config), Check::kRedisNetwork, Severity::kWarning, "in the clear");
  config.redis.server.ip = base::IpAddress::FromV4(0x7f000001);
  config.redis.server.port = 1;
  Expect(OfRedis(config), Check::kRedisNetwork, Severity::kOk, "this machine");
}

TEST_F(CheckupTest, AJournalsDirectoryIsLookedAt) {
  config::Config config;
  config.journal.directory = directory_.Path("journal");
  Expect(OfJournal(config), Check::kJournal, Severity::kOk, "not there yet");
  EXPECT_FALSE(std::filesystem::exists(config.journal.directory)) << "looking makes nothing";
  std::filesystem::create_directory(config.journal.directory);
  ASSERT_EQ(::chmod(config.journal.directory.c_str(), 0755), 0);
  Expect(OfJournal(config), Check::kJournal, Severity::kError, "open to others");
  ASSERT_EQ(::chmod(config.journal.directory.c_str(), 0700), 0);
  Expect(OfJournal(config), Check::kJournal, Severity::kOk, "is new");
  config.edge.user = "nobody";
  Expect(OfJournal(config), Check::kJournal, Severity::kError, "does not belong");
  config.edge.user.clear();
  std::ofstream(config.journal.directory + "/instance") << "damaged";
  Expect(OfJournal(config), Check::kJournal, Severity::kError, "instance is damaged");
  config.journal.directory = directory_.Write("file", "");
  Expect(OfJournal(config), Check::kJournal, Severity::kError, "not a directory");
}

TEST_F(CheckupTest, ADiskWithTooLittleRoomIsFound) {
  config::Config config;
  config.journal.directory = directory_.Path("journal");
  config.journal.max_size = 1ULL << 60;
  Expect(OfJournal(config), Check::kJournalDisk, Severity::kWarning, "are free");
  config.journal.segment_size = 1ULL << 60;
  Expect(OfJournal(config), Check::kJournalDisk, Severity::kError, "not even enough");
  config = {};
  config.journal.directory = "/dev/shm/gatebook";  // in memory
  Expect(OfJournal(config), Check::kJournalDisk, Severity::kWarning, "tmpfs");
}

TEST_F(CheckupTest, WhatWaitsForAnEdgeAndWhatIsInQuarantineIsSaid) {
  config::Config config;
  config.journal.directory = directory_.Path("journal");
  config.journal.flush = config::Flush::kNo;
  config.journal.segment_size = logger::kLeastSegment;
  {
    const base::Clock& clock = base::Clock::System();
    auto journal = logger::Journal::Open(config.journal, "edge1", 1, clock);
    ASSERT_TRUE(journal);
    logger::Visit visit;
    visit.arrival = clock.WallNow() - 3h;
    visit.method = "GET";
    visit.host = "localhost";
    visit.path = "/";
    for (int i = 0; i < 3; ++i) (*journal)->writer(0).Append(visit);
    Expect(OfJournal(config, /*edge_runs=*/true), Check::kQuarantine, Severity::kOk, "empty");
  }
  Expect(OfJournal(config), Check::kJournalBacklog, Severity::kWarning, "3 visits wait");
  Expect(OfJournal(config), Check::kJournalBacklog, Severity::kWarning, "3 h");
  std::filesystem::create_directory(config.journal.directory + "/quarantine");
  std::ofstream(config.journal.directory + "/quarantine/piece") << "bytes";
  Expect(OfJournal(config), Check::kQuarantine, Severity::kWarning, "1 damaged regions, 5 bytes");
}

TEST_F(CheckupTest, AnEdgeIsBelieved) {
  Expect(OfEdge("", "no such file"), Check::kEdge, Severity::kWarning, "no such file");
  Expect(OfEdge("nonsense"), Check::kEdge, Severity::kError, "not readable");
  const auto with = [](const std::string& place, const nlohmann::json& value) {
    nlohmann::json status = {{"pid", 7},
                             {"generation", {{"in_force", 3}}},
                             {"upstreams", nlohmann::json::array()},
                             {"visits", {{"in_journal", 12}}},
                             {"journal", {{"state", "ok"}}},
                             {"redis", {{"state", "well"}, {"up", true}, {"lag_ms", 5}}}};
    status[nlohmann::json::json_pointer(place)] = value;
    return status.dump();
  };
  EXPECT_EQ(ProcessOf(with("/pid", 7)), 7);
  const Checkup well = OfEdge(with("/pid", 7));
  Expect(well, Check::kEdge, Severity::kOk, "generation 3");
  Expect(well, Check::kJournalBacklog, Severity::kOk, "12 visits");
  Expect(OfEdge(with("/generation/refused_because", "a bad key")), Check::kEdge, Severity::kWarning,
         "a bad key");
  Expect(OfEdge(with("/journal/state", "cannot flush")), Check::kJournal, Severity::kError, "cannot flush");
  Expect(OfEdge(with("/redis/up", false)), Check::kJournalBacklog, Severity::kError, "12 visits wait");
  Expect(OfEdge(with("/redis/lag_ms", 61'000)), Check::kJournalBacklog, Severity::kWarning, "61.0 s");
  const auto servers = [](const char* first, const char* second) {
    return nlohmann::json{{{"name", "app"}, {"servers", {{{"state", first}}, {{"state", second}}}}}};
  };
  Expect(OfEdge(with("/upstreams", servers("up", "up"))), Check::kUpstreams, Severity::kOk, "2 of 2");
  Expect(OfEdge(with("/upstreams", servers("up", "down"))), Check::kUpstreams, Severity::kWarning, "1 of 2");
  Expect(OfEdge(with("/upstreams", servers("down", "ejected"))), Check::kUpstreams, Severity::kError,
         "0 of 2");
}

TEST_F(CheckupTest, TheSessionKeyIsForTheEdgeAlone) {
  config::Config config;
  config.dns.enabled = false;
  config.session.key_file = directory_.Path("session.key");
  Expect(OfHelpers(config), Check::kSessionKey, Severity::kOk, "not there yet");
  directory_.Write("session.key", std::string(32, 'k'));
  Expect(OfHelpers(config), Check::kSessionKey, Severity::kOk, "0600");
  ASSERT_EQ(::chmod(config.session.key_file.c_str(), 0644), 0);
  Expect(OfHelpers(config), Check::kSessionKey, Severity::kError, "read or written by others");
  directory_.Write("session.key", "short");
  Expect(OfHelpers(config), Check::kSessionKey, Severity::kError, "5 bytes");
}

TEST_F(CheckupTest, ANameServerThatDoesNotAnswerIsFound) {
  config::Config config;
  config.session.key_file = directory_.Path("session.key");
  config.dns.timeout = 300ms;
  const auto ask = [&](const std::string& address) {
    config::Endpoint server;
    server.text = address;
    server.ip = base::IpAddress::FromV4(0x7f000001);
    server.port = static_cast<uint16_t>(std::stoi(address.substr(address.find(':') + 1)));
    config.dns.servers.push_back(server);
  };
  support::DnsServer dns;
  ask(dns.address());
  config.dns.timeout = 5s;
  Expect(OfHelpers(config), Check::kDns, Severity::kOk, "answers");
  support::SilentDnsServer silent;
  config.dns.timeout = 300ms;
  ask(silent.address());
  Expect(OfHelpers(config), Check::kDns, Severity::kWarning, "no answer within 300 ms");
}

TEST_F(CheckupTest, APlaceDatabaseThatIsDamagedOrOldIsFound) {
  config::Config config;
  config.dns.enabled = false;
  config.session.key_file = directory_.Path("session.key");
  support::MmdbWriter writer(6, 24);
  writer.Add("127.0.0.0/8", support::MmdbMap{{"country_code", "FI"}});
  writer.Write(directory_.Path("places.mmdb"));
  config.geo.databases = {directory_.Path("places.mmdb")};
  const Checkup readable = OfHelpers(config);
  ASSERT_NE(WorstOf(readable, Check::kPlaces), nullptr);
  EXPECT_LT(WorstOf(readable, Check::kPlaces)->severity, Severity::kError);
  config.geo.databases = {directory_.Write("damaged.mmdb", "no database")};
  Expect(OfHelpers(config), Check::kPlaces, Severity::kError, "damaged.mmdb");
}

TEST_F(CheckupTest, WhatTheKernelAllowsIsHeldAgainstTheConfig) {
  config::Config config;
  config.limits.connections = 1000;
  const auto of = [&config](int process, const ProcessLimits& limits, ClockState clock) {
    Checkup checkup;
    ExamineMachine(config, process, limits, clock, checkup);
    return checkup;
  };
  const Checkup well = of(1, {3000, 0}, ClockState::kSynchronised);
  EXPECT_EQ(well.exit_code(), base::ExitCode::kOk);
  Expect(well, Check::kDescriptors, Severity::kOk, "3000");
  Expect(well, Check::kCores, Severity::kOk, "");
  Expect(well, Check::kClock, Severity::kOk, "synchronised");
  Expect(of(1, {1024, 0}, ClockState::kFree), Check::kDescriptors, Severity::kError, "1024");
  Expect(of(0, {1024, 0}, ClockState::kFree), Check::kDescriptors, Severity::kWarning, "started from here");
  Expect(of(1, {3000, 1}, ClockState::kFree), Check::kCores, Severity::kError, "core");
  Expect(of(1, {3000, 0}, ClockState::kFree), Check::kClock, Severity::kWarning, "not synchronised");
  Expect(of(1, {3000, 0}, ClockState::kUnknown), Check::kClock, Severity::kWarning, "does not say");
  // A process's own limits are read as the kernel writes them.
  EXPECT_GT(LimitsOf(::getpid()).descriptors, 0u);
}

}  // namespace
}  // namespace gatebook::review
