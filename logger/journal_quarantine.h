// JournalQuarantine: where damaged bytes of a journal are kept for a look.
//
// <journal>/quarantine/, 0700, its files 0600. The bytes may hold visits, so they are destroyed like
// visits: a file's time of change is that of the oldest visit that may stand in it, and Purge removes
// what is older than the retention.
//
// Thread: any. Borrows the disk.
// Limits: 16 MiB in all, each file counted in whole blocks; more is counted by the caller but not kept.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "logger/journal_disk.h"

namespace gatebook::logger {

class JournalQuarantine {
 public:
  static constexpr uint64_t kMostBytes = 16ULL << 20;
  static constexpr uint64_t kBlock = 4096;

  // `directory`: the journal's. Nothing is made until there is something to keep.
  JournalQuarantine(const std::string& directory, const JournalDisk& disk);

  // Keeps what fits under `name`; `since`: no visit in the bytes is older. What is kept there already stays,
  // as the name says which bytes it is. False if nothing could be kept.
  bool Keep(const std::string& name, std::string_view bytes, base::WallTime since);
  // Moves a whole file of the journal, opened as `journal`, here: as old as the file. False where it is
  // larger than what is left, and removed; or can't be moved.
  bool TakeFile(int journal, const std::string& name);
  void Purge(base::WallTime older_than);

 private:
  // The directory; not valid, with errno, if there is none.
  base::UniqueFd OpenDirectory(bool make) const;
  void Count();

  const std::string path_;
  const JournalDisk& disk_;
  std::mutex mutex_;
  uint64_t bytes_ = 0;  // guarded by mutex_
};

}  // namespace gatebook::logger
