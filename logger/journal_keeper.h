// JournalKeeper: the thread that does for a journal what a worker never waits for.
//
// Keeps a spare segment ready for each worker as far as max_size allows, flushes
// (every second, or for all who asked at once), unlinks what the recorder has
// retired, makes the directory again if somebody removed it, and purges the
// quarantine. What fails is counted, said in state() and tried again with
// back-off (logger/journal_trouble.h), so that the journal heals without a restart.
//
// Thread: RunOnce() is one round of the keeper's own thread (Start), or of a test
// that has not started it. state() any.
// Borrows everything it is made of. Ends: Stop() flushes and joins.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "config/config.h"
#include "logger/doorbell.h"
#include "logger/journal_directory.h"
#include "logger/journal_lane.h"
#include "logger/journal_quarantine.h"
#include "logger/journal_trouble.h"

namespace gatebook::logger {

struct JournalState {
  enum class Condition : uint8_t { kOk, kFull, kFailing };
  Condition condition = Condition::kOk;
  std::string error;  // kFailing: one sentence
  uint64_t segments = 0;
  uint64_t bytes = 0;
  uint64_t max_size = 0;
};

class JournalKeeper {
 public:
  struct Settings {
    config::Flush flush = config::Flush::kEverySecond;
    uint64_t max_size = 0;      // bytes, all segments together
    uint64_t segment_size = 0;  // bytes
    std::string edge;
    std::chrono::milliseconds quarantine_retention{0};
  };
  // `last`: the id that new segments go on from until a worker stamps its own.
  JournalKeeper(Settings settings, RecordId last, const base::Clock& clock, JournalDirectory& directory,
                JournalQuarantine& quarantine, std::vector<std::unique_ptr<JournalLane>>& lanes,
                base::MetricsBlock& metrics);
  ~JournalKeeper() { Stop(); }

  void Start();
  // Flushes everything. Nothing is appended or retired any more.
  void Stop();
  void RunOnce();

  Doorbell& bell() { return bell_; }
  JournalState state() const;

 private:
  void Run();
  int WaitMilliseconds() const;
  void CheckDirectory(base::SteadyTime now);
  // Of the segments that the path does not lead to any more: spares are dropped, others left as soon as can
  // be.
  void AbandonNameless();
  void RemoveRetired(base::SteadyTime now);
  void AllowErasing(base::SteadyTime now);
  void FlushDue(base::SteadyTime now);
  // Why not all that is published reached the disk; empty if it did.
  std::string Flush(JournalLane& lane);
  void Answer(JournalLane& lane);
  void ProvideSpares(base::SteadyTime now);
  base::Status Provide(JournalLane& lane);
  void PurgeQuarantine(base::SteadyTime now);
  void Fail(JournalTrouble& trouble, base::SteadyTime now, std::string error);
  // A sentence, by errno.
  std::string Failed(std::string_view what, const JournalSegment& segment) const;
  void Report();

  const Settings settings_;
  const RecordId last_;
  const base::Clock& clock_;
  JournalDirectory& directory_;
  JournalQuarantine& quarantine_;
  std::vector<std::unique_ptr<JournalLane>>& lanes_;
  base::MetricsBlock& metrics_;
  Doorbell bell_;

  base::SteadyTime flush_due_;
  base::SteadyTime check_due_;
  base::SteadyTime purge_due_;
  // Kinds of work, in the order in which state() tells of them.
  JournalTrouble directory_trouble_;
  JournalTrouble providing_;
  JournalTrouble removing_;
  JournalTrouble erasing_;
  JournalTrouble flushing_;

  mutable std::mutex mutex_;
  JournalState state_;     // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace gatebook::logger
