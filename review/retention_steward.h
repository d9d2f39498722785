// RetentionSteward: the thread of the running edge that sees every day that the promise is kept.
//
// Once a day, the first time a minute after the start if the ledger has no line of that day, it makes a
// *round*: strikes out erasures that cover nothing any more, destroys lines of the audit log that are over,
// has Redis write its files anew (retention.rewrite), looks at every place (of each stream only the first
// entry), writes a line into the ledger, and says in the operations log how it went, with the digests of
// ledger and audit log. Every minute it notes what time it is (logger/known_time.h), also for a round that is
// due. A round that fails is tried again after ten minutes.
//
// It has a thread of its own because a round takes as long as Redis and the disk like: no worker, the
// recorder, the keeper, nor the main thread could wait for it.
//
// Thread: Start and Stop by one thread; AskForRound and state any. Borrows: all parts until Stop.
// Ends: Stop waits for what is asked of Redis at the moment, redis.reply_timeout at most.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/guarded_clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "config/config.h"
#include "review/retention_report.h"

namespace gatebook::review {

// For `gatebook status`.
struct StewardState {
  uint64_t rounds = 0;            // made since the start, well or not
  std::string state = "not yet";  // of the last: "kept", what is broken, or why it failed
  std::optional<base::WallTime> looked = {};
  std::optional<base::WallTime> next_destruction = {};
  uint64_t overdue = 0;
  uint64_t undated = 0;
  std::string rewrite = "not yet";  // "ok", "off", or why not
  std::optional<base::WallTime> rewritten = {};
  uint64_t ledger_lines = 0;
  std::string ledger_digest = {};
};

class RetentionSteward {
 public:
  struct Parts {
    const config::Config& config;
    const base::GuardedClock& clock;
    base::MetricsBlock& metrics;      // this thread's
    std::function<uint64_t()> names;  // in the edge's memory
  };
  explicit RetentionSteward(Parts parts);
  ~RetentionSteward() { Stop(); }
  RetentionSteward(const RetentionSteward&) = delete;
  RetentionSteward& operator=(const RetentionSteward&) = delete;

  void Start();
  void Stop();
  // A round begins as soon as the one under way has ended: what state().rounds will be when it has been made.
  uint64_t AskForRound();
  StewardState state() const;

 private:
  void Run();
  // Waits; false: end.
  bool Pause(std::chrono::milliseconds time);
  void NoteTime();
  bool IsRoundDue() const;
  base::Status Round(StewardState* state);
  base::Status DestroyOldAudit();
  base::Status WriteLedger(const RetentionReport& report, StewardState* state);

  const Parts parts_;
  base::SteadyTime not_before_{};  // a round of its own accord
  std::optional<int64_t> day_;     // of the last line of the ledger, days since 1970
  bool cannot_note_ = false;       // has been said
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  uint64_t asked_ = 0;  // rounds; guarded by mutex_
  StewardState state_;  // guarded by mutex_
};

}  // namespace gatebook::review
