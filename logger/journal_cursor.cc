#include "logger/journal_cursor.h"

namespace gatebook::logger {

RecordCursor::Step RecordCursor::Next(uint64_t end) {
  if (offset_ >= end) return Step::kEnd;
  const std::string_view before_end = segment_.substr(0, end);
  if (const auto record = ParseRecord(before_end, offset_, seed_)) {
    record_ = *record;
    lost_ = record_.head.visits > visits_ ? record_.head.visits - visits_ : 0;
    visits_ = record_.head.visits + (record_.head.type == RecordType::kVisit ? 1 : 0);
    offset_ = record_.end;
    return Step::kRecord;
  }
  damaged_from_ = offset_;
  do {
    offset_ += kRecordAlignment;
  } while (offset_ < end && !ParseRecord(before_end, offset_, seed_));
  if (offset_ > end) offset_ = end;
  return Step::kDamage;
}

}  // namespace gatebook::logger
