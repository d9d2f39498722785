// RedisWatch: looks at one Redis, over a connection that carries other things too, for what is durable there
// and whether it still has what it acknowledged.
//
// A look is INFO and, where our claim of the edge's name should stand, a reading of it: a Redis without
// it was flushed, or has other data than it had. Now and then the settings are asked for as well.
// Replies that we may not have (no permission) are lived with.
//
// Thread: the connection's. Borrows: config, metrics. Ends: without effect.
// Limits: one look under way; a snapshot is asked for once a minute at most.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/metrics.h"
#include "logger/redis_durability.h"
#include "logger/redis_reply.h"

namespace gatebook::logger {

class RedisWatch {
 public:
  RedisWatch(const config::Redis& config, base::MetricsBlock& metrics, std::string edge,
             std::string instance);

  // A new connection.
  void Reset();
  // Appends the commands of a look, unless one is under way. `claimed`: our claim must be there.
  // Its number is `looks` + 1. How many replies will come.
  size_t AppendLook(std::string& to, bool claimed, uint64_t looks, base::SteadyTime now);
  // Appends the wish for a snapshot, if it may be asked for again. How many replies will come.
  size_t AppendSave(std::string& to, base::SteadyTime now);

  // A reply to any of these, in the order of the commands.
  enum class Answer { kMore, kLookDone, kDataLost };
  Answer OnReply(const RedisReply& reply, base::SteadyTime now);
  // After kDataLost: why, for people.
  const std::string& why_lost() const { return why_lost_; }

  const RedisDurability& durability() const { return durability_; }

 private:
  enum class Expected { kSettings, kInfo, kClaim, kNoClaim, kSave };

  Answer FinishLook(base::SteadyTime now);
  void Count();

  base::MetricsBlock& metrics_;
  const std::string edge_;
  const std::string instance_;
  RedisDurability durability_;
  std::deque<Expected> expected_;
  bool looking_ = false;
  base::SteadyTime settings_due_{};
  base::SteadyTime save_due_{};
  bool save_refused_ = false;
  RedisInfo info_;
  bool info_refused_ = false;
  bool claim_lost_ = false;
  uint64_t given_up_counted_ = 0;
  uint64_t restarts_said_ = 0;
  std::string why_lost_;
};

}  // namespace gatebook::logger
