// RedisDurability: whether what one Redis has acknowledged would survive its end.
//
// An acknowledged write is in Redis's memory. Redis 7.0 can't be asked to say when it is on the disk (WAITAOF
// came later), but looks at INFO prove it. A look is numbered; the answer is a number, too: all
// that was acknowledged before look N was sent would be there again after a kill -9 or a power cut.
//
//   append-only file  a look found no fsync under way, and a later one again, at least `hold` and the
//                     time in which Redis begins the next fsync later, and all writes well: one
//                     fsync lies between, begun after the first look
//   snapshots only    a save that began after the look has succeeded
//   neither           nothing is ever durable; waiting gains nothing
//   replicas online   besides: they have passed the offset of the look, so that a promotion keeps it
//
// Thread: one, pure: no clock, no input or output. Limits: 64 looks of each kind are remembered; the
// others are left out, which delays an answer by a thirtieth and never makes it wrong.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "config/config.h"

namespace gatebook::logger {

// What a look found. The slug is a metric's label and the first word of what status says.
enum class RedisLook : uint8_t {
  kOk,
  kLoading,
  kAofStarting,
  kAofFailing,
  kDiskBusy,
  kSaveFailing,
  kReplicaBehind,
  kNotTold,
  kCount
};
struct RedisLookInfo {
  base::Metric metric;
  const char* slug;
  const char* means;
};
const RedisLookInfo& InfoOf(RedisLook look);

// The lines of INFO persistence, server and replication that matter here.
struct RedisInfo {
  std::string run_id;
  std::string replication_id;
  bool loading = false;
  bool aof_enabled = false;
  bool aof_write_ok = true;
  bool aof_rewriting = false;  // or about to
  uint64_t aof_pending_fsync = 0;
  uint64_t saves_begun = 0;
  bool save_under_way = false;
  bool save_ok = true;
  uint64_t last_save = 0;  // when one last succeeded, seconds
  uint64_t offset = 0;
  std::vector<uint64_t> replicas;  // offsets of those that are online
};
// What is missing keeps its default.
RedisInfo ParseRedisInfo(std::string_view text);

class RedisDurability {
 public:
  explicit RedisDurability(const config::Redis& config) : config_(config) {}

  // A new connection: nothing that was found on an old one holds. Numbers go on.
  void Reset();

  // The number of the look that is now sent. One at a time: requires that the last was answered, or Reset().
  uint64_t BeginLook(base::SteadyTime now);
  // The next look's number is greater than that, too: looks at several nodes are numbered alike.
  void CountFrom(uint64_t looks) { looks_ = std::max(looks_, looks); }
  // How many have begun: what is acknowledged now is before look looks() + 1.
  uint64_t looks() const { return looks_; }

  // CONFIG GET save, appendfsync and no-appendfsync-on-rewrite, name by name; without it the worst is
  // assumed.
  void OnSetting(std::string_view name, std::string_view value);
  // The answer to INFO, `now` when it was read. False: another server, or another history of data, than
  // the look before found on this connection; nothing that was acknowledged is surely there.
  [[nodiscard]] bool OnInfo(const RedisInfo& info, base::SteadyTime now);
  // INFO is not permitted to us: what is `hold` old is taken to be durable.
  void OnInfoRefused(base::SteadyTime now);

  // All that was acknowledged before this look began is durable; 0: none.
  uint64_t durable() const;
  // Waiting is not wished for, or gains nothing: what is acknowledged may be released.
  bool IsWaitingVain() const;
  bool KeepsNothing() const { return rule_ == Rule::kNothing; }
  // Durable by snapshots alone: a save is what it waits for.
  bool WaitsForSave() const { return rule_ == Rule::kSnapshots; }

  // While something is held, the next look is due so long after the last.
  std::chrono::milliseconds next_look() const;
  // For people, "ok: …" or what is wrong.
  std::string state() const;
  RedisLook last_look() const { return found_; }
  // Over all connections: looks that no longer waited for a replica, and how often another process answered.
  uint64_t replicas_given_up() const { return replicas_given_up_; }
  uint64_t restarts() const { return restarts_; }

 private:
  enum class Rule { kUnknown, kNotTold, kAppendOnlyFile, kSnapshots, kNothing };
  enum class Fsync { kUnknown, kAlways, kEverySecond, kNever };
  struct FileMark {
    uint64_t look;
    base::SteadyTime seen;
  };
  struct SaveMark {
    uint64_t look;
    uint64_t saves;
    uint64_t last_save;
    bool settled;  // no save that began before the look can change last_save any more
  };
  struct ReplicaMark {
    uint64_t look;
    base::SteadyTime seen;
    uint64_t offset;
    size_t replicas;
  };

  void LookAtFile(const RedisInfo& info, base::SteadyTime now);
  // What was looked at `hold` ago is on the disk, and this look is to be.
  void HoldSince(base::SteadyTime now, std::chrono::milliseconds hold);
  void LookAtSaves(const RedisInfo& info);
  void LookAtReplicas(const RedisInfo& info, base::SteadyTime now);
  void PassReplicas(const RedisInfo& info);
  std::chrono::milliseconds FileHold() const;

  const config::Redis& config_;
  uint64_t looks_ = 0;
  base::SteadyTime sent_{};  // of the last look
  Rule rule_ = Rule::kUnknown;
  RedisLook found_ = RedisLook::kOk;
  std::string run_id_, replication_id_;  // of this connection
  std::string last_run_id_;              // of any
  uint64_t restarts_ = 0;
  bool told_settings_ = false;
  bool has_save_points_ = true;
  Fsync fsync_ = Fsync::kUnknown;
  bool no_fsync_on_rewrite_ = false;
  bool aof_runs_ = false;  // it was seen on, with its first rewriting done
  std::deque<FileMark> file_marks_;
  std::deque<SaveMark> save_marks_;
  std::deque<ReplicaMark> replica_marks_;
  uint64_t on_disk_ = 0;  // as durable(), of the disk alone and of the replicas alone
  uint64_t replicated_ = 0;
  uint64_t replicas_given_up_ = 0;
};

}  // namespace gatebook::logger
