// The proofs, by the way of Redis 7.0:
//
// Append-only file. Redis writes to the file before it answers, or, while an fsync is under way, at most
// two seconds later; appendfsync everysec begins an fsync in the background when a second has begun in which
// none was, also when nothing is written any more (flushAppendOnlyFile). A look that finds none under way is
// a moment from which the next one begins within a second and a tenth, with all that was written before it.
// A second look, that much later, that again finds none under way has it behind it. Looks that meet
// one under way prove nothing; they are repeated soon. A disk that is always behind keeps visits in the
// journal: that is the truth. aof_last_write_status tells of writes and fsyncs that failed.
// A file that is switched on at run time counts when its first rewriting is done: before, a restart loads
// none.
//
// Snapshots. rdb_saves counts saves when they begin, SAVE and BGSAVE both, also those that fail.
// rdb_last_bgsave_status is not touched by a SAVE that fails; rdb_last_save_time moves only with success. So
// a look remembers both; the save that frees it has a greater number, is over, and the time has moved since
// those that were under way at the look were over. The time has seconds: two saves within one look like one,
// and the next one decides.
#include "logger/redis_durability.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace gatebook::logger {
namespace {

using namespace std::chrono_literals;
using base::Metric;

constexpr size_t kMostSaveMarks = 64;
constexpr int kMarksInAWait = 32;
// everysec: the next fsync begins when the clock's second has changed, seen at least ten times a second.
constexpr std::chrono::milliseconds kFsyncBegins = 1200ms;
// appendfsync no: Linux writes pages that are 30 s old, looking every 5 s.
constexpr std::chrono::milliseconds kKernelWritesBack = 35s;
// If Redis may not tell, the worst that everysec allows.
constexpr std::chrono::milliseconds kNotToldHold = 2s;
constexpr std::chrono::milliseconds kNextLook = 250ms;
constexpr std::chrono::milliseconds kNextLookSoon = 100ms;
constexpr std::chrono::milliseconds kNextLookForSave = 1s;
constexpr std::chrono::milliseconds kReplicaIsBehind = 2s;

constexpr RedisLookInfo kLooks[] = {
    {Metric::kRedisLooksOk, "ok", ""},
    {Metric::kRedisLooksLoading, "loading", "Redis is loading its data"},
    {Metric::kRedisLooksAofStarting, "aof_starting",
     "the append-only file was switched on and is being written for the first time"},
    {Metric::kRedisLooksAofFailing, "aof_write_failing",
     "Redis cannot write its append-only file; see its log and the disk it is on"},
    {Metric::kRedisLooksDiskBusy, "disk_busy", "Redis's disk is slow: an fsync is under way"},
    {Metric::kRedisLooksSaveFailing, "save_failing",
     "the last snapshot failed; see Redis's log and the disk it is on"},
    {Metric::kRedisLooksReplicaBehind, "replica_behind", "a replica does not follow"},
    {Metric::kRedisLooksNotTold, "not_told", "INFO is not permitted: allow the ACL user +info"},
};
static_assert(std::size(kLooks) == static_cast<size_t>(RedisLook::kCount));

uint64_t Number(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "ip=…,port=…,state=online,offset=14,lag=1"
void AddReplica(std::string_view fields, std::vector<uint64_t>* replicas) {
  if (fields.find("state=online") == std::string_view::npos) return;
  const size_t at = fields.find("offset=");
  replicas->push_back(at == std::string_view::npos ? 0 : Number(fields.substr(at + 7)));
}

// Marks are this far apart at least, so that few of them span any wait.
bool IsFarEnough(base::SteadyTime last, base::SteadyTime now, std::chrono::milliseconds wait) {
  return last + wait / kMarksInAWait <= now;
}

}  // namespace

const RedisLookInfo& InfoOf(RedisLook look) { return kLooks[static_cast<size_t>(look)]; }

RedisInfo ParseRedisInfo(std::string_view text) {
  RedisInfo info;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 1);
    if (name == "run_id") info.run_id = value;
    if (name == "master_replid") info.replication_id = value;
    if (name == "loading" || name == "async_loading") info.loading = info.loading || value != "0";
    if (name == "aof_enabled") info.aof_enabled = value != "0";
    if (name == "aof_last_write_status") info.aof_write_ok = value == "ok";
    if (name == "aof_rewrite_in_progress" || name == "aof_rewrite_scheduled")
      info.aof_rewriting = info.aof_rewriting || value != "0";
    if (name == "aof_pending_bio_fsync") info.aof_pending_fsync = Number(value);
    if (name == "rdb_saves") info.saves_begun = Number(value);
    if (name == "rdb_bgsave_in_progress") info.save_under_way = value != "0";
    if (name == "rdb_last_bgsave_status") info.save_ok = value == "ok";
    if (name == "rdb_last_save_time") info.last_save = Number(value);
    if (name == "master_repl_offset") info.offset = Number(value);
    if (name.starts_with("slave") && name.size() > 5 && name[5] >= '0' && name[5] <= '9')
      AddReplica(value, &info.replicas);
  }
  return info;
}

void RedisDurability::Reset() {
  run_id_.clear();
  replication_id_.clear();
  rule_ = Rule::kUnknown;
  found_ = RedisLook::kOk;
  told_settings_ = false;
  has_save_points_ = true;
  fsync_ = Fsync::kUnknown;
  no_fsync_on_rewrite_ = false;
  aof_runs_ = false;
  file_marks_.clear();
  save_marks_.clear();
  replica_marks_.clear();
  on_disk_ = replicated_ = 0;
}

uint64_t RedisDurability::BeginLook(base::SteadyTime now) {
  sent_ = now;
  return ++looks_;
}

void RedisDurability::OnSetting(std::string_view name, std::string_view value) {
  told_settings_ = true;
  if (name == "save") has_save_points_ = !value.empty();
  if (name == "no-appendfsync-on-rewrite") no_fsync_on_rewrite_ = value == "yes";
  if (name == "appendfsync") {
    fsync_ = value == "always"     ? Fsync::kAlways
             : value == "everysec" ? Fsync::kEverySecond
             : value == "no"       ? Fsync::kNever
                                   : Fsync::kUnknown;
  }
}

bool RedisDurability::OnInfo(const RedisInfo& info, base::SteadyTime now) {
  const bool same = run_id_.empty() || (run_id_ == info.run_id && replication_id_ == info.replication_id);
  run_id_ = info.run_id;
  replication_id_ = info.replication_id;
  if (!last_run_id_.empty() && last_run_id_ != info.run_id) ++restarts_;
  last_run_id_ = info.run_id;
  if (!same) return false;
  if (info.loading) {
    found_ = RedisLook::kLoading;
    return true;
  }
  found_ = RedisLook::kOk;
  LookAtReplicas(info, now);
  if (info.aof_enabled) {
    rule_ = Rule::kAppendOnlyFile;
    LookAtFile(info, now);
  } else {
    aof_runs_ = false;
    file_marks_.clear();
    rule_ = told_settings_ && !has_save_points_ ? Rule::kNothing : Rule::kSnapshots;
  }
  // Also beside an append-only file, in case that is switched off.
  LookAtSaves(info);
  return true;
}

void RedisDurability::OnInfoRefused(base::SteadyTime now) {
  found_ = RedisLook::kNotTold;
  rule_ = Rule::kNotTold;
  replicated_ = looks_;
  HoldSince(now, std::max(kNotToldHold, config_.hold));
}

void RedisDurability::HoldSince(base::SteadyTime now, std::chrono::milliseconds hold) {
  while (!file_marks_.empty() && file_marks_.front().seen + hold <= sent_) {
    on_disk_ = std::max(on_disk_, file_marks_.front().look);
    file_marks_.pop_front();
  }
  if (file_marks_.empty() || IsFarEnough(file_marks_.back().seen, now, hold))
    file_marks_.push_back({looks_, now});
}

std::chrono::milliseconds RedisDurability::FileHold() const {
  switch (fsync_) {
    case Fsync::kAlways:
      return config_.hold;
    case Fsync::kNever:
      return std::max(kKernelWritesBack, config_.hold);
    case Fsync::kUnknown:
    case Fsync::kEverySecond:
      break;
  }
  return std::max(kFsyncBegins, config_.hold);
}

void RedisDurability::LookAtFile(const RedisInfo& info, base::SteadyTime now) {
  aof_runs_ = aof_runs_ || !info.aof_rewriting;
  if (!info.aof_write_ok) {
    found_ = RedisLook::kAofFailing;
  } else if (!aof_runs_) {
    found_ = RedisLook::kAofStarting;
  } else if (info.aof_pending_fsync != 0 ||
             (no_fsync_on_rewrite_ && (info.aof_rewriting || info.save_under_way))) {
    found_ = RedisLook::kDiskBusy;
  } else {
    HoldSince(now, FileHold());
  }
}

void RedisDurability::LookAtSaves(const RedisInfo& info) {
  const uint64_t over = info.saves_begun - (info.save_under_way && info.saves_begun > 0 ? 1 : 0);
  if (rule_ == Rule::kSnapshots && !info.save_ok && found_ == RedisLook::kOk)
    found_ = RedisLook::kSaveFailing;
  for (SaveMark& mark : save_marks_) {
    if (!mark.settled && over >= mark.saves) {
      mark.settled = true;
      mark.last_save = info.last_save;
    }
  }
  while (!save_marks_.empty()) {
    const SaveMark& mark = save_marks_.front();
    if (!mark.settled || over <= mark.saves || !info.save_ok || info.last_save == mark.last_save) break;
    on_disk_ = std::max(on_disk_, mark.look);
    save_marks_.pop_front();
  }
  const SaveMark mark{looks_, info.saves_begun, info.last_save, !info.save_under_way};
  if (!save_marks_.empty() && save_marks_.back().saves == mark.saves &&
      save_marks_.back().settled == mark.settled && save_marks_.back().last_save == mark.last_save) {
    save_marks_.back().look = looks_;
  } else {
    save_marks_.push_back(mark);
    // Save after save failed: who waits for the oldest waits for the next.
    if (save_marks_.size() > kMostSaveMarks) save_marks_.pop_front();
  }
}

void RedisDurability::LookAtReplicas(const RedisInfo& info, base::SteadyTime now) {
  if (config_.replica_wait.count() == 0) {
    replicated_ = looks_;
    return;
  }
  PassReplicas(info);
  if (!replica_marks_.empty() && !IsFarEnough(replica_marks_.back().seen, now, config_.replica_wait)) return;
  replica_marks_.push_back({looks_, now, info.offset, info.replicas.size()});
  PassReplicas(info);
}

void RedisDurability::PassReplicas(const RedisInfo& info) {
  while (!replica_marks_.empty()) {
    const ReplicaMark& mark = replica_marks_.front();
    const bool all = info.replicas.size() >= mark.replicas &&
                     std::all_of(info.replicas.begin(), info.replicas.end(),
                                 [&mark](uint64_t offset) { return offset >= mark.offset; });
    if (!all) {
      if (sent_ < mark.seen + config_.replica_wait) {
        if (mark.seen + kReplicaIsBehind <= sent_) found_ = RedisLook::kReplicaBehind;
        return;
      }
      ++replicas_given_up_;
    }
    replicated_ = mark.look;
    replica_marks_.pop_front();
  }
}

bool RedisDurability::IsWaitingVain() const {
  return config_.durability == config::Durability::kAcknowledged || rule_ == Rule::kNothing;
}

uint64_t RedisDurability::durable() const { return std::min(on_disk_, replicated_); }

std::chrono::milliseconds RedisDurability::next_look() const {
  if (found_ == RedisLook::kDiskBusy) return kNextLookSoon;
  return rule_ == Rule::kSnapshots ? kNextLookForSave : kNextLook;
}

std::string RedisDurability::state() const {
  if (config_.durability == config::Durability::kAcknowledged)
    return "ok: released when acknowledged, as redis.durability says";
  if (found_ != RedisLook::kOk) return fmt::format("{}: {}", InfoOf(found_).slug, InfoOf(found_).means);
  switch (rule_) {
    case Rule::kUnknown:
      return "not known yet";
    case Rule::kNotTold:
      break;
    case Rule::kAppendOnlyFile:
      return fmt::format("ok: append-only file, fsync {}", fsync_ == Fsync::kAlways        ? "always"
                                                           : fsync_ == Fsync::kEverySecond ? "every second"
                                                           : fsync_ == Fsync::kNever
                                                               ? "left to the kernel"
                                                               : "not told (allow +config|get)");
    case Rule::kSnapshots:
      return told_settings_ ? "ok: snapshots only; visits wait in the journal for the next one"
                            : "ok: snapshots, if there are any (not told: allow +config|get)";
    case Rule::kNothing:
      return "nothing: Redis keeps nothing on disk; what it has ends with it (appendonly yes)";
  }
  return {};
}

}  // namespace gatebook::logger
