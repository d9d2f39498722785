// JournalReader: reads one worker's journal in order, across segments and restarts.
//
// Gives every whole record once, up to what the worker has published, and
// steps over damage: the bytes are copied to quarantine, the visits that were in
// them counted (by the ordinals of the records behind), and reading goes on at
// the next record whose checksum holds. Release says how far delivery is done;
// that is remembered in the segment itself, and a segment wholly released goes
// to the keeper to be unlinked; what is released of any other is erased in time.
//
// Counts in the recorder's metrics: visits quarantined (and no longer in the
// journal), damaged regions. A visit that is stored or dropped is the recorder's to count.
//
// Thread: the recorder's. Borrows everything. Ends: without effect.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "logger/doorbell.h"
#include "logger/journal_cursor.h"
#include "logger/journal_disk.h"
#include "logger/journal_lane.h"
#include "logger/journal_quarantine.h"
#include "logger/visit.h"

namespace gatebook::logger {

struct Record {
  VisitId id;  // the record's own, also of a closing
  RecordType type = RecordType::kVisit;
  Visit visit;      // kVisit; texts view into the mapped segment
  Closing closing;  // kClosing
  JournalPosition position = 0;
  std::string_view edge;  // the edge's name when it was written
};

class JournalReader {
 public:
  JournalReader(JournalLane& lane, const JournalDisk& disk, JournalQuarantine& quarantine,
                const base::Clock& clock, Doorbell& keeper, base::MetricsBlock& metrics);
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;

  // The next record; false if there is none now. Its views hold until Release goes past it.
  bool Next(Record* record);
  // Everything up to `position`, a record's, has been delivered. Positions below the last are ignored.
  void Release(JournalPosition position);
  // Erases from the files what is released, so that a segment which fills slowly holds nothing for longer
  // than it must. To be called every few seconds: what one call asks for a later one does, when the
  // keeper has been there in between.
  void EraseReleased();
  // Reads again from the first record that is not released. Nothing is counted twice.
  void Rewind();

  JournalPosition released() const { return released_; }
  // Bytes of the journal that are not released up to `position`, a record's that was given.
  uint64_t BytesUntil(JournalPosition position) const;
  // The worker has no room left but what its segment has: max_size is reached.
  bool IsJournalFull() const { return lane_.is_full.load(std::memory_order_relaxed); }
  uint32_t worker() const { return lane_.worker; }

 private:
  void Enter(JournalSegment* segment, uint64_t offset, uint32_t visits);
  // Moves on from a segment that has been read to its end. False if there is nowhere to go now.
  bool Leave(JournalSegment* next);
  // The segment is complete: what is missing at its end is known to be lost.
  void CountTail();
  bool Decode(Record* record);
  void Lose(uint32_t visits);
  void Quarantine(uint64_t from, uint64_t to);
  // No visit behind the last record given is older.
  base::WallTime OldestBehind() const;
  // When nothing read is unreleased, what was stepped over is released as well.
  void Settle();
  void ReleaseUpTo(const JournalSegment* segment);
  // Whether the current place has not been passed, and so not been counted, before.
  bool IsNew() const;
  JournalPosition Here() const;

  JournalLane& lane_;
  const JournalDisk& disk_;
  JournalQuarantine& quarantine_;
  const base::Clock& clock_;
  Doorbell& keeper_;
  base::MetricsBlock& metrics_;
  JournalSegment* reading_ = nullptr;
  JournalSegment* releasing_ = nullptr;  // the oldest that isn't wholly released
  std::optional<RecordCursor> cursor_;   // in reading_
  JournalPosition delivered_ = 0;        // behind the last record given
  RecordId delivered_id_;
  JournalPosition released_ = 0;
  JournalPosition passed_ = 0;  // how far anything has been counted
  bool finished_ = false;       // no writer, and all is released
};

// The visits before `offset` in a segment that ends at `end`. Reads no more than it must.
uint32_t VisitsBefore(const JournalSegment& segment, uint64_t offset, uint64_t end);

}  // namespace gatebook::logger
