// Journal: the queue, crash log and outage spool between workers and recorder.
//
// A directory of segments; for each worker a JournalWriter, for each worker that
// is or ever was and left something undelivered a JournalReader, and one keeper
// thread that prepares, flushes and unlinks. docs/journal-format.md has the bytes.
//
// Thread: Open and Close by the main thread; writer(i) is worker i's, the readers
// are the recorder's; state() and the other getters any.
// Owns: the directory (locked), all segments, the keeper's thread, the recorder's doorbell.
// Ends: Close, or destroying: requires that workers and recorder have ended.
// Limits: config::Journal::max_size bytes on disk over all workers, and the
// quarantine's 16 MiB.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "config/config.h"
#include "logger/doorbell.h"
#include "logger/journal_directory.h"
#include "logger/journal_keeper.h"
#include "logger/journal_quarantine.h"
#include "logger/journal_reader.h"
#include "logger/journal_writer.h"

namespace gatebook::logger {

struct JournalOptions {
  // Blocks of the threads that will write and read. Where none is given, the journal has its own.
  std::vector<base::MetricsBlock*> worker_metrics;  // one a worker, or empty
  base::MetricsBlock* recorder_metrics = nullptr;
  // How long damaged bytes are kept: not longer than visits.
  std::chrono::milliseconds quarantine_retention = std::chrono::hours(720);
  // Tests: no thread, rounds are made with RunKeeperOnce(); and failing disks.
  bool start_keeper = true;
  DiskFault disk_fault;
};

class Journal {
 public:
  // An error is one sentence and an exit code: the directory can't be made (73), is in use by another
  // process, is damaged or can't be read (74), max_size is too small for so many workers (78). A full
  // disk is not an error here: it shows in state() and heals.
  static base::Result<std::unique_ptr<Journal>> Open(const config::Journal& config, std::string_view edge,
                                                     uint32_t workers, const base::Clock& clock,
                                                     JournalOptions options = {});
  ~Journal();

  // 128 random bits in hexadecimal, the same at every start: who this journal is.
  const std::string& instance() const { return directory_->instance(); }
  // Visits that waited in the journal when it was opened, counted as accepted and in journal.
  uint64_t recovered_visits() const { return recovered_visits_; }

  JournalWriter& writer(uint32_t worker) { return *writers_[worker]; }
  std::vector<JournalReader*> readers();
  // Rung after each append; the recorder answers it.
  Doorbell& doorbell() { return doorbell_; }

  JournalState state() const { return keeper_->state(); }
  // The keeper's counters.
  const base::MetricsBlock& metrics() const { return keeper_metrics_; }

  // Ends the keeper, marks the segments as ended and flushes them.
  void Close();

  // Tests, without the thread.
  void RunKeeperOnce() { keeper_->RunOnce(); }

 private:
  Journal() = default;
  base::MetricsBlock& OwnMetrics();

  std::unique_ptr<JournalDirectory> directory_;
  std::unique_ptr<JournalQuarantine> quarantine_;
  Doorbell doorbell_;
  base::MetricsBlock keeper_metrics_;
  std::vector<std::unique_ptr<base::MetricsBlock>> own_metrics_;
  std::vector<std::unique_ptr<JournalLane>> lanes_;
  std::unique_ptr<JournalKeeper> keeper_;
  std::vector<std::unique_ptr<JournalWriter>> writers_;
  std::vector<std::unique_ptr<JournalReader>> readers_;
  uint64_t recovered_visits_ = 0;
  bool closed_ = false;
};

}  // namespace gatebook::logger
