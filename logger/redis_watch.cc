#include "logger/redis_watch.h"

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "logger/redis_command.h"
#include "logger/redis_keys.h"

namespace gatebook::logger {
namespace {

using namespace std::chrono_literals;
using base::Metric;

constexpr auto kSettingsEvery = 1min;
constexpr auto kSaveEvery = 1min;

}  // namespace

RedisWatch::RedisWatch(const config::Redis& config, base::MetricsBlock& metrics, std::string edge,
                       std::string instance)
    : metrics_(metrics), edge_(std::move(edge)), instance_(std::move(instance)), durability_(config) {}

void RedisWatch::Reset() {
  durability_.Reset();
  expected_.clear();
  looking_ = false;
  settings_due_ = {};
  save_refused_ = false;
}

size_t RedisWatch::AppendLook(std::string& to, bool claimed, uint64_t looks, base::SteadyTime now) {
  if (looking_) return 0;
  looking_ = true;
  info_refused_ = claim_lost_ = false;
  const size_t before = expected_.size();
  if (now >= settings_due_) {
    settings_due_ = now + kSettingsEvery;
    AppendCommand(to, {"CONFIG", "GET", "save", "appendfsync", "no-appendfsync-on-rewrite"});
    expected_.push_back(Expected::kSettings);
  }
  AppendCommand(to, {"INFO", "server", "persistence", "replication"});
  expected_.push_back(Expected::kInfo);
  // After INFO: what is flushed between the two is found missing.
  AppendCommand(to, {"HGET", kEdgesKey, edge_});
  expected_.push_back(claimed ? Expected::kClaim : Expected::kNoClaim);
  durability_.CountFrom(looks);
  durability_.BeginLook(now);
  return expected_.size() - before;
}

size_t RedisWatch::AppendSave(std::string& to, base::SteadyTime now) {
  if (now < save_due_ || save_refused_) return 0;
  save_due_ = now + kSaveEvery;
  AppendCommand(to, {"BGSAVE"});
  expected_.push_back(Expected::kSave);
  metrics_.Add(Metric::kRedisSavesAsked);
  return 1;
}

RedisWatch::Answer RedisWatch::OnReply(const RedisReply& reply, base::SteadyTime now) {
  CHECK(!expected_.empty());
  const Expected expected = expected_.front();
  expected_.pop_front();
  switch (expected) {
    case Expected::kSettings:
      if (reply.IsError()) break;
      for (size_t i = 0; i + 1 < reply.elements.size(); i += 2)
        durability_.OnSetting(reply.elements[i].text, reply.elements[i + 1].text);
      break;
    case Expected::kInfo:
      info_refused_ = reply.type != RedisReply::Type::kString;
      if (!info_refused_) info_ = ParseRedisInfo(reply.text);
      break;
    case Expected::kClaim: {
      EdgeClaim claim;
      claim_lost_ = !reply.IsError() && !(reply.type == RedisReply::Type::kString &&
                                          ParseEdgeClaim(reply.text, &claim) && claim.instance == instance_);
      return FinishLook(now);
    }
    case Expected::kNoClaim:
      return FinishLook(now);
    case Expected::kSave:
      // "Background save already in progress" is as good.
      save_refused_ = reply.IsError() && reply.text.starts_with("NOPERM");
      if (save_refused_) {
        base::LogWarning("redis",
                         "a snapshot is wanted, because visits that wait for one fill the journal, and "
                         "may not be asked for: allow the ACL user +bgsave");
      }
      break;
  }
  return Answer::kMore;
}

RedisWatch::Answer RedisWatch::FinishLook(base::SteadyTime now) {
  looking_ = false;
  if (claim_lost_) {
    why_lost_ = "the claim of this edge's name is gone: Redis was flushed, or its data replaced";
    return Answer::kDataLost;
  }
  if (info_refused_) {
    durability_.OnInfoRefused(now);
  } else if (!durability_.OnInfo(info_, now)) {
    why_lost_ = "another server or another history of data answers on the same connection";
    return Answer::kDataLost;
  }
  Count();
  return Answer::kLookDone;
}

void RedisWatch::Count() {
  metrics_.Add(InfoOf(durability_.last_look()).metric);
  metrics_.Add(Metric::kRedisReplicasGivenUp, durability_.replicas_given_up() - given_up_counted_);
  given_up_counted_ = durability_.replicas_given_up();
  if (durability_.restarts() != restarts_said_) {
    restarts_said_ = durability_.restarts();
    base::LogInfo(
        "redis",
        "it was started anew, or is another server; what is not known to be on its disk comes again");
  }
}

}  // namespace gatebook::logger
