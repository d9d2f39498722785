#include "logger/journal_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

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
  const SegmentErased erased = ReadErased(segment.data(), segment.identity().seed, segment.size());
  contents.end = erased.offset;
  contents.visits = erased.visits;
  RecordCursor cursor(segment.bytes(), segment.identity().seed, erased.offset, erased.visits);
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

void FindContents(JournalSegment& segment, const JournalDisk& disk, RecoveredJournal* journal) {
  const uint64_t seed = segment.identity().seed;
  const uint64_t released = LoadReleased(segment.data(), seed, segment.size());
  Contents contents;
  const auto seal = ReadSeal(segment.data(), seed);
  if (seal && seal->end >= kSegmentHeaderBytes) {
    contents = {std::min(seal->end, segment.size()), seal->visits, seal->last};
  } else {
    segment.BlankUnreadable(disk);
    contents = SearchContents(segment);
    journal->unended = true;
  }
  const uint64_t start = std::min(released, contents.end);
  segment.SetFound(contents.end, contents.visits, start, 0);
  if (start > kSegmentHeaderBytes) {
    if (start < contents.end) segment.BlankUnreadable(disk);
    segment.SetFound(contents.end, contents.visits, start, VisitsBefore(segment, start, contents.end));
  }
  // The opening may not have reached the disk: then what is known is when the file was made.
  journal->last =
      std::max({journal->last, contents.last, RecordId{segment.identity().created_milliseconds, 0}});
  if (const auto opening = ReadOpening(segment.data(), seed))
    journal->last = std::max(journal->last, *opening);
}

}  // namespace

base::Result<RecoveredJournal> RecoverJournal(JournalDirectory& directory, JournalQuarantine& quarantine) {
  RecoveredJournal journal;
  std::vector<std::string> names;
  if (!directory.ListSegments(&names)) {
    return base::Error{
        fmt::format("cannot list the journal directory {}: {}", directory.path(), std::strerror(errno)),
        base::ExitCode::kInputOutput};
  }
  for (const std::string& name : names) {
    uint32_t worker = 0;
    uint32_t sequence = 0;
    if (!ParseSegmentName(name, &worker, &sequence)) continue;
    RecoveredLane& lane = journal.lanes[worker];
    lane.last_sequence = std::max(lane.last_sequence, sequence);
    auto opened = JournalSegment::Open(directory, name);
    if (!opened && opened.error().exit_code == base::ExitCode::kInputOutput) return opened.error();
    if (!opened) {
      const bool kept = quarantine.TakeFile(directory.fd(), name);
      base::LogError("journal", "{}; it is {}", opened.error().message,
                     kept ? "moved to quarantine" : "not read, and could not be kept in quarantine");
      ++journal.bad_files;
      continue;
    }
    FindContents(**opened, directory.disk(), &journal);
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
