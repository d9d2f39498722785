#include "review/redis_checkup.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include <charconv>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/rfc3339.h"
#include "logger/redis_client.h"
#include "logger/redis_keys.h"
#include "logger/redis_login.h"

namespace gatebook::review {
namespace {

using logger::RedisClient;
using logger::RedisReply;
using namespace std::chrono_literals;

constexpr int kLeastMajor = 7;
constexpr auto kClockWarning = 2s;
constexpr auto kClockError = 60s;  // within what docs/data-model.md says of deadlines there is no more room

bool IsLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address);
    return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
  }
  return address->sa_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

// Whether bytes for it may leave this machine.
bool LeadsAway(const config::Endpoint& server) {
  if (server.kind == config::Endpoint::Kind::kUnix) return false;
  if (server.kind == config::Endpoint::Kind::kIp) return !server.ip.IsLoopback();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(server.hostname.c_str(), nullptr, &hints, &found) != 0) return true;
  bool away = false;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) away |= !IsLoopback(one->ai_addr);
  ::freeaddrinfo(found);
  return away;
}

int64_t ToNumber(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::map<std::string, std::string> ParseInfo(std::string_view text) {
  std::map<std::string, std::string> info;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    if (value.ends_with('\r')) value.remove_suffix(1);
    info.emplace(line.substr(0, colon), value);
  }
  return info;
}

class Judge {
 public:
  Judge(const config::Config& config, const RedisFacts& facts, Checkup& checkup)
      : config_(config), facts_(facts), checkup_(checkup) {}

  void Version() {
    const std::string version = Info("redis_version");
    int major = 0;
    std::from_chars(version.data(), version.data() + version.size(), major);
    if (major < kLeastMajor)
      return checkup_.Fail(Check::kRedisVersion, fmt::format("Redis is {}, and 7.0 is needed", version));
    checkup_.Ok(Check::kRedisVersion, fmt::format("Redis {}", version));
  }
  void Role() {
    if (Info("redis_mode") == "sentinel")
      return checkup_.Fail(Check::kRedisRole, "this is a sentinel, which holds no visits");
    if (Info("redis_mode") == "cluster" && !config_.redis.cluster)
      return checkup_.Fail(Check::kRedisRole, "this is a node of a cluster, and redis.cluster is off");
    if (Info("role") == "slave")
      return checkup_.Fail(Check::kRedisRole, "this is a replica: it takes no writes");
    if (Info("loading") == "1") return checkup_.Warn(Check::kRedisRole, "it is still loading its data");
    checkup_.Ok(Check::kRedisRole,
                fmt::format("{}, with {} replicas", Info("redis_mode"), Number("connected_slaves")));
  }
  void Eviction() {
    const std::string policy = Info("maxmemory_policy");
    if (policy != "noeviction") {
      return checkup_.Fail(
          Check::kRedisEviction,
          fmt::format("maxmemory-policy is {}: when memory is short, Redis throws visits away "
                      "before their time, and nobody is told",
                      policy));
    }
    checkup_.Ok(Check::kRedisEviction, "noeviction");
  }
  void Memory() {
    const uint64_t most = Number("maxmemory");
    const uint64_t used = Number("used_memory");
    if (most == 0) {
      return checkup_.Warn(
          Check::kRedisMemory,
          fmt::format("maxmemory is not set ({} are used): Redis grows until the kernel ends it",
                      InBytes(used)));
    }
    const double share = static_cast<double>(used) / static_cast<double>(most);
    const std::string says =
        fmt::format("{} of {} are used ({:.0f} %)", InBytes(used), InBytes(most), share * 100);
    if (share >= 0.95)
      return checkup_.Fail(Check::kRedisMemory, says + ": visits are, or soon will be, refused");
    if (share >= 0.8) return checkup_.Warn(Check::kRedisMemory, says);
    checkup_.Ok(Check::kRedisMemory, says);
  }
  void Durability() {
    const bool has_aof = Info("aof_enabled") == "1";
    const auto& saves = facts_.save;
    if (!has_aof && saves && saves->empty()) {
      return checkup_.Fail(Check::kRedisDurability,
                           "Redis writes nothing to its disk: with its process all visits are gone");
    }
    if (!has_aof) {
      return checkup_.Warn(Check::kRedisDurability,
                           "only snapshots, no append-only file: a crash loses what came since the last one");
    }
    const auto& flush = facts_.appendfsync;
    if (flush && *flush == "no") {
      return checkup_.Warn(Check::kRedisDurability,
                           "appendfsync is no: a power cut loses more than the 2 s that the journal holds");
    }
    checkup_.Ok(Check::kRedisDurability, fmt::format("append-only file, appendfsync {}",
                                                     flush.value_or("is not for this user to see")));
  }
  void Disk() {
    bool is_well = true;
    const auto look = [&](const char* name, const char* what) {
      const std::string status = Info(name);
      if (status.empty() || status == "ok") return;
      is_well = false;
      checkup_.Fail(Check::kRedisDisk, fmt::format("{} is \"{}\": {}", name, status, what));
    };
    look("aof_last_write_status", "what Redis acknowledges is not on its disk");
    look("rdb_last_bgsave_status", "the last snapshot failed; Redis may refuse writes (MISCONF)");
    look("aof_last_bgrewrite_status", "the append-only file could not be written anew, and grows");
    if (is_well) checkup_.Ok(Check::kRedisDisk, "the last writes went well");
  }

 private:
  std::string Info(const std::string& name) const {
    const auto found = facts_.info.find(name);
    return found == facts_.info.end() ? std::string() : found->second;
  }
  uint64_t Number(const std::string& name) const {
    return static_cast<uint64_t>(std::max<int64_t>(0, ToNumber(Info(name))));
  }

  const config::Config& config_;
  const RedisFacts& facts_;
  Checkup& checkup_;
};

// Asks one server; says so once if the connection breaks.
class Questions {
 public:
  Questions(RedisClient& client, size_t master, const base::Clock& clock, Checkup& checkup)
      : client_(client), master_(master), clock_(clock), checkup_(checkup) {}

  std::optional<RedisFacts> Facts() {
    const RedisReply* const reply = Ask({"INFO"});
    if (reply == nullptr) return std::nullopt;
    if (reply->IsError()) {
      checkup_.Warn(Check::kRedisRights,
                    fmt::format("INFO is refused, so most can't be looked at: {}", reply->text));
      return std::nullopt;
    }
    RedisFacts facts{ParseInfo(reply->text)};
    facts.save = Setting("save");
    facts.appendfsync = Setting("appendfsync");
    return facts;
  }
  void Time() {
    const base::WallTime before = clock_.WallNow();
    const RedisReply* const reply = Ask({"TIME"});
    const base::WallTime after = clock_.WallNow();
    if (reply == nullptr) return;
    if (reply->elements.size() != 2 || reply->elements[0].text.empty()) {
      return checkup_.Warn(Check::kRedisClock, fmt::format("TIME can't be asked: {}", reply->text));
    }
    const base::WallTime theirs(std::chrono::milliseconds(ToNumber(reply->elements[0].text) * 1000 +
                                                          ToNumber(reply->elements[1].text) / 1000));
    // What lies within the question's own time can't be told.
    const auto off = theirs > after ? theirs - after : theirs < before ? before - theirs : 0ms;
    const std::string says =
        fmt::format("Redis's clock is {:.1f} s {} ours", std::chrono::duration<double>(off).count(),
                    theirs > after ? "before" : "behind");
    if (off >= kClockError)
      return checkup_.Fail(Check::kRedisClock,
                           says + ": visits are destroyed that much too early or too late");
    if (off >= kClockWarning) return checkup_.Warn(Check::kRedisClock, says);
    checkup_.Ok(Check::kRedisClock, "Redis's clock and ours agree");
  }

 private:
  const RedisReply* Ask(std::initializer_list<std::string_view> words) {
    if (broken_) return nullptr;
    const auto reply = client_.CommandAt(master_, words);
    if (reply.ok()) return *reply;
    broken_ = true;
    checkup_.Fail(Check::kRedis, reply.error().message);
    return nullptr;
  }
  std::optional<std::string> Setting(std::string_view name) {
    const RedisReply* const reply = Ask({"CONFIG", "GET", name});
    if (reply == nullptr || reply->elements.size() != 2) return std::nullopt;
    return std::string(reply->elements[1].text);
  }

  RedisClient& client_;
  const size_t master_;
  const base::Clock& clock_;
  Checkup& checkup_;
  bool broken_ = false;
};

void ExamineEdgeName(const std::string& edge, const std::string& instance, RedisClient& client,
                     Checkup& checkup) {
  const auto asked = client.Command({"HGET", logger::kEdgesKey, edge});
  if (!asked.ok()) return checkup.Fail(Check::kRedis, asked.error().message);
  const RedisReply* const reply = *asked;
  if (reply->IsError()) return;  // the rights tell
  logger::EdgeClaim claim;
  if (reply->type == RedisReply::Type::kNil || !logger::ParseEdgeClaim(reply->text, &claim)) {
    return checkup.Ok(Check::kEdgeName, fmt::format("\"{}\" is free, and will be ours", edge));
  }
  if (claim.instance == instance) return checkup.Ok(Check::kEdgeName, fmt::format("\"{}\" is ours", edge));
  checkup.Fail(
      Check::kEdgeName,
      fmt::format("\"{}\" belongs to another edge{}, last seen {}: nothing is written for this one", edge,
                  instance.empty() ? " (there is no journal here yet)" : "", base::ToRfc3339(claim.seen)));
}

// Rights are checked when a command is queued in a transaction. On a connection of its own, which is closed
// before anything is executed. The keys are of our own prefix.
void ExamineRights(const config::Config& config, Checkup& checkup) {
  const auto client = RedisClient::Connect(config.redis);
  if (!client.ok()) return;  // said already, or by the next question
  std::string refused;
  const auto look = [&](std::initializer_list<std::string_view> words) {
    const auto reply = (*client)->CommandAt(0, words);
    if (!reply.ok() || !(*reply)->IsError()) return reply.ok();
    if ((*reply)->text.starts_with("NOPERM"))
      refused += fmt::format("{}{}", refused.empty() ? "" : ", ", *words.begin());
    return true;
  };
  look({"EXEC"});  // there is nothing to execute yet
  look({"MULTI"});
  constexpr std::string_view kKey = "gb:doctor";
  look({"XADD", kKey, "NOMKSTREAM", "*", "v", ""});
  look({"APPEND", kKey, ""});
  look({"HSET", kKey, "f", ""});
  look({"HSETNX", kKey, "f", ""});
  look({"HGET", kKey, "f"});
  look({"PEXPIRE", kKey, "1"});
  look({"PEXPIREAT", kKey, "1"});
  look({"PING"});
  look({"SELECT", std::to_string(config.redis.database)});
  if (!look({"INFO", "persistence"})) return;
  if (!refused.empty()) {
    return checkup.Fail(Check::kRedisRights,
                        fmt::format("the user may not {} on gb:*: no visit can be stored", refused));
  }
  look({"CONFIG", "GET", "save"});
  look({"BGSAVE"});
  if (!refused.empty()) {
    return checkup.Warn(
        Check::kRedisRights,
        fmt::format("the user may not {}: the edge can't see how Redis keeps its data", refused));
  }
  look({"XRANGE", kKey, "-", "+"});
  look({"HGETALL", kKey});
  look({"GET", kKey});
  look({"SET", kKey, ""});
  look({"SCAN", "0"});
  look({"XLEN", kKey});
  look({"PEXPIRETIME", kKey});
  if (!look({"TIME"})) return;
  if (!refused.empty()) {
    return checkup.Warn(
        Check::kRedisRights,
        fmt::format("the user may not {}: the edge can't prove daily that all is destroyed, nor count days", refused));
  }
  checkup.Ok(Check::kRedisRights, "the user may do all that an edge does");
}

void ExamineNetwork(const config::Redis& redis, Checkup& checkup) {
  if (redis.tls) return checkup.Ok(Check::kRedisNetwork, "TLS");
  std::vector<config::Endpoint> servers = redis.sentinels;
  if (servers.empty()) servers.push_back(redis.server);
  servers.insert(servers.end(), redis.nodes.begin(), redis.nodes.end());
  for (const config::Endpoint& server : servers) {
    if (!LeadsAway(server)) continue;
    return checkup.Warn(Check::kRedisNetwork,
                        fmt::format("visits go to {} in the clear", logger::ToText(server)));
  }
  checkup.Ok(Check::kRedisNetwork, "nothing leaves this machine");
}

}  // namespace

void ExamineRedis(const config::Config& config, const std::string& instance, const base::Clock& clock,
                  Checkup& checkup) {
  ExamineNetwork(config.redis, checkup);
  const auto client = RedisClient::Connect(config.redis);
  if (!client.ok()) return checkup.Fail(Check::kRedis, client.error().message);
  checkup.Ok(Check::kRedis, fmt::format("{} answers", logger::RedisName(config.redis)));
  ExamineRights(config, checkup);
  ExamineEdgeName(config.edge.name, instance, **client, checkup);
  const size_t masters = (*client)->masters();
  for (size_t master = 0; master < masters; ++master) {
    Checkup of_master;
    Questions questions(**client, master, clock, of_master);
    questions.Time();
    if (const auto facts = questions.Facts()) JudgeRedis(config, *facts, of_master);
    const std::string which = masters > 1 ? fmt::format("master {} of {}: ", master + 1, masters) : "";
    for (const Finding& finding : of_master.findings())
      checkup.Add(finding.check, finding.severity, which + finding.says);
  }
}

void JudgeRedis(const config::Config& config, const RedisFacts& facts, Checkup& checkup) {
  Judge judge(config, facts, checkup);
  judge.Version();
  judge.Role();
  judge.Eviction();
  judge.Memory();
  judge.Durability();
  judge.Disk();
}

}  // namespace gatebook::review
