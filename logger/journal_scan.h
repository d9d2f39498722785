// ScanJournal: looks at what stands in a journal's files, and changes nothing.
//
// For commands that report, while a gatebook may be writing the same files or none is. A copy of each
// segment is walked from its first record to its last, also over what has been released and not yet
// erased: what can be read is there. What is torn by a writer in that moment is passed over.
//
// Thread: any; blocks on the disk. Limits: one segment in memory at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "logger/visit.h"

namespace gatebook::logger {

struct JournalVisit {
  VisitId id;
  std::string_view edge;
  bool is_released = false;  // Redis has it, or it was dropped; it waits to be erased
  Visit visit;               // its texts hold until the visitor returns
};

// An error (74): there is a directory, and it or a file of it can't be read. No directory is an empty
// journal.
base::Status ScanJournal(const std::string& directory,
                         const std::function<void(const JournalVisit&)>& visitor);

struct QuarantineFile {
  std::string path;
  base::WallTime since{};  // of the oldest that may stand in it
  uint64_t bytes = 0;
};
base::Result<std::vector<QuarantineFile>> ListQuarantine(const std::string& directory);

}  // namespace gatebook::logger
