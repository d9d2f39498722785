// RecoverJournal: what former processes left in a journal's directory.
//
// Every segment of any worker, in order, with what was found in it: its end (a
// torn tail is cut off), its visits, and where delivery goes on. Segments that
// were ended properly are not read through; those that were being written are.
// A file without a whole header goes to quarantine.
//
// Thread: the one that opens the journal.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "logger/journal_directory.h"
#include "logger/journal_quarantine.h"
#include "logger/journal_segment.h"

namespace gatebook::logger {

struct RecoveredLane {
  std::vector<std::unique_ptr<JournalSegment>> segments;  // in order of sequence
  uint32_t last_sequence = 0;                             // also of files that were not usable
};

struct RecoveredJournal {
  std::map<uint32_t, RecoveredLane> lanes;  // by worker
  RecordId last;                            // the greatest id of any worker
  uint64_t visits = 0;                      // not released; those known to be damaged counted as well
  uint64_t bad_files = 0;                   // moved to quarantine
  bool unended = false;                     // a segment was being written when its process ended
};

// An error (74) is not the files' fault (no descriptors, no memory, no rights): they are as they were, and
// the next start may find them well.
base::Result<RecoveredJournal> RecoverJournal(JournalDirectory& directory, JournalQuarantine& quarantine);

}  // namespace gatebook::logger
