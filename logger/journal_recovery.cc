#include "logger/journal_recovery.h"

#include <algorithm>

#include "base/log.h"
#include "logger/journal_cursor.h"
#include "logger/journal_reader.h"

namespace gatebook::logger {
namespace {

struct Contents {
  uint64_t end = kSegmentHeaderBytes;
  uint32_t visits = 0;
  RecordId last;
};

// Walks a segment that nobody ended. Behind the last whole record stand zeros; or
// the beginning of a record whose first word was never stored: a torn append,
// not a visit; or a published record that is damaged now, which was one.
Contents SearchContents(const JournalSegment& segment) {
  Contents contents;
  RecordCursor cursor(segment.bytes(), segment.identity().seed, kSegmentHeaderBytes, 0);
  for (;;) {
    switch (cursor.Next(segment.size())) {
      case RecordCursor::Step::kRecord:
        contents.end = cursor.offset();
        contents.visits = cursor.visits();
        contents.last = std::max(contents.last, cursor.record().head.id);
        break;
      case RecordCursor::Step::kDamage:
        if (cursor.offset() < segment.size()) break;
        if (const uint8_t claimed = ClaimedType(segment.bytes(), cursor.damaged_from()); claimed != 0) {
          contents.end = segment.size();
          contents.visits += claimed == static_cast<uint8_t>(RecordType::kClosing) ? 0 : 1;
        }
        break;
      case RecordCursor::Step::kEnd:
        return contents;
    }
  }
}

// False if the disk can't give the segment's pages.
bool FindContents(JournalSegment& segment, RecordId* last) {
  const uint64_t seed = segment.identity().seed;
  const uint64_t released = LoadReleased(segment.data(), seed, segment.size());
  Contents contents;
  const auto seal = ReadSeal(segment.data(), seed);
  if (seal && seal->end >= kSegmentHeaderBytes) {
    contents = {std::min(seal->end, segment.size()), seal->visits, seal->last};
  } else {
    if (!segment.IsReadable()) return false;
    contents = SearchContents(segment);
  }
  const uint64_t start = std::min(released, contents.end);
  segment.SetFound(contents.end, contents.visits, start, 0);
  if (start > kSegmentHeaderBytes) {
    if (start < contents.end && !segment.IsReadable()) return false;
    segment.SetFound(contents.end, contents.visits, start, VisitsBefore(segment, start, contents.end));
  }
  *last = std::max(*last, contents.last);
  if (const auto opening = ReadOpening(segment.data(), seed)) *last = std::max(*last, *opening);
  return true;
}

}  // namespace

RecoveredJournal RecoverJournal(JournalDirectory& directory, JournalQuarantine& quarantine) {
  RecoveredJournal journal;
  for (const std::string& name : directory.ListSegments()) {
    uint32_t worker = 0;
    uint32_t sequence = 0;
    if (!ParseSegmentName(name, &worker, &sequence)) continue;
    RecoveredLane& lane = journal.lanes[worker];
    lane.last_sequence = std::max(lane.last_sequence, sequence);
    auto opened = JournalSegment::Open(directory, name);
    if (!opened || !FindContents(**opened, &journal.last)) {
      base::LogError("journal", "{}; it is moved to quarantine",
                     opened ? "the disk cannot read the journal segment " + name : opened.error().message);
      quarantine.TakeFile(name);
      ++journal.bad_files;
      continue;
    }
    JournalSegment& segment = **opened;
    journal.visits += segment.visits() - std::min(segment.visits(), segment.start_visits());
    lane.segments.push_back(std::move(opened).value());
  }
  for (auto& [worker, lane] : journal.lanes) {
    std::sort(lane.segments.begin(), lane.segments.end(),
              [](const auto& a, const auto& b) { return a->identity().sequence < b->identity().sequence; });
    for (size_t i = 1; i < lane.segments.size(); ++i)
      lane.segments[i - 1]->next.store(lane.segments[i].get());
  }
  return journal;
}

}  // namespace gatebook::logger
