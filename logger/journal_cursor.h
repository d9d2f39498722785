// RecordCursor: walks the records of one segment, over damage if there is any.
//
// Where no whole record stands, it looks at every 8-byte boundary for the next
// one whose checksum holds, and gives the bytes between as one damaged region.
// How many visits were in there is told by the ordinals of the records behind it.
//
// Thread: one. Borrows the segment's bytes. Always ends: every step moves forward.
#pragma once

#include <cstdint>
#include <string_view>

#include "logger/journal_format.h"

namespace gatebook::logger {

class RecordCursor {
 public:
  // `visits`: the visit records before `offset`.
  RecordCursor(std::string_view segment, uint64_t seed, uint64_t offset, uint32_t visits)
      : segment_(segment), seed_(seed), offset_(offset), visits_(visits) {}

  enum class Step { kRecord, kDamage, kEnd };
  // Moves over the next record or damaged region that lies before `end`. Requires: end <= segment.size().
  Step Next(uint64_t end);

  // After kRecord: the record, valid as long as the segment, and the visits missing just before it.
  const RecordView& record() const { return record_; }
  uint32_t lost() const { return lost_; }
  // After kDamage: its first byte; it reaches to offset().
  uint64_t damaged_from() const { return damaged_from_; }

  // Where the next step begins, and the visits before there as far as known.
  uint64_t offset() const { return offset_; }
  uint32_t visits() const { return visits_; }

 private:
  std::string_view segment_;
  uint64_t seed_;
  uint64_t offset_;
  uint32_t visits_;
  RecordView record_;
  uint32_t lost_ = 0;
  uint64_t damaged_from_ = 0;
};

}  // namespace gatebook::logger
