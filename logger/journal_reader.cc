#include "logger/journal_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "logger/visit_codec.h"

namespace gatebook::logger {

using base::Metric;

// A record is written at most that long after its visit arrived (docs/data-model.md).
constexpr std::chrono::milliseconds kLatestRecord{30'000};

JournalReader::JournalReader(JournalLane& lane, const JournalDisk& disk, JournalQuarantine& quarantine,
                             const base::Clock& clock, Doorbell& keeper, base::MetricsBlock& metrics)
    : lane_(lane), disk_(disk), quarantine_(quarantine), clock_(clock), keeper_(keeper), metrics_(metrics) {}

bool JournalReader::Next(Record* record) {
  if (finished_) return false;
  if (reading_ == nullptr) {
    JournalSegment* const first = lane_.first.load(std::memory_order_seq_cst);
    if (first == nullptr) return false;
    releasing_ = first;
    Enter(first, first->start(), first->start_visits());
    released_ = delivered_ = passed_ = Here();
  }
  for (;;) {
    // In this order: with a next segment, what is published here is final.
    JournalSegment* const next = reading_->next.load(std::memory_order_seq_cst);
    const RecordCursor::Step step = cursor_->Next(reading_->published());
    const bool is_new = IsNew();
    passed_ = std::max(passed_, Here());
    switch (step) {
      case RecordCursor::Step::kRecord:
        if (is_new) Lose(cursor_->lost());
        if (Decode(record)) return true;
        if (is_new) {
          Lose(cursor_->record().head.type == RecordType::kVisit ? 1 : 0);
          Quarantine(OffsetOf(Here()) - RecordBytes(cursor_->record().payload.size()), OffsetOf(Here()));
        }
        break;
      case RecordCursor::Step::kDamage:
        if (is_new) Quarantine(cursor_->damaged_from(), cursor_->offset());
        break;
      case RecordCursor::Step::kEnd:
        if (!Leave(next)) return false;
        break;
    }
  }
}

void JournalReader::Release(JournalPosition position) {
  CHECK(position <= delivered_);
  if (position <= released_) return;
  while (releasing_->identity().sequence < SequenceOf(position)) ReleaseUpTo(releasing_->next.load());
  released_ = position;
  StoreReleased(releasing_->data(), releasing_->identity().seed, OffsetOf(position));
  Settle();
}

void JournalReader::EraseReleased() {
  if (finished_ || releasing_ == nullptr) return;
  releasing_->Erase();
  const uint64_t released = OffsetOf(released_);
  if (released <= releasing_->erase_asked()) return;
  // The ids of what is erased must stay known: new ones go on from them also after a restart.
  char* const data = releasing_->data();
  const uint64_t seed = releasing_->identity().seed;
  if (ReadOpening(data, seed).value_or(RecordId()) < delivered_id_) WriteOpening(data, seed, delivered_id_);
  // Here is behind or at `released`, and never behind what is published: the count before it is final.
  const bool is_here = Here() == released_;
  WriteErased(
      data, seed,
      {released, is_here ? cursor_->visits() : VisitsBefore(*releasing_, released, releasing_->published())});
  releasing_->AskToErase(released);
  keeper_.Ring();
}

void JournalReader::Rewind() {
  // Here() == released_: nothing to read again, and what stands before may have been erased.
  if (finished_ || reading_ == nullptr || Here() == released_) return;
  const uint64_t offset = OffsetOf(released_);
  Enter(releasing_, offset, VisitsBefore(*releasing_, offset, releasing_->published()));
  delivered_ = released_;
}

uint64_t JournalReader::BytesUntil(JournalPosition position) const {
  if (finished_ || releasing_ == nullptr || position <= released_) return 0;
  uint64_t bytes = 0;
  const JournalSegment* segment = releasing_;
  for (; segment->identity().sequence < SequenceOf(position); segment = segment->next.load())
    bytes += segment->size();
  return bytes + OffsetOf(position) - OffsetOf(released_);
}

void JournalReader::Enter(JournalSegment* segment, uint64_t offset, uint32_t visits) {
  reading_ = segment;
  if (const uint64_t pages = segment->BlankUnreadable(disk_); pages > 0) {
    base::LogError("journal", "the disk cannot read {} pages of {}; what stood there is lost", pages,
                   segment->name());
  }
  cursor_.emplace(segment->bytes(), segment->identity().seed, offset, visits);
}

bool JournalReader::Leave(JournalSegment* next) {
  if (next != nullptr || reading_->is_recovered()) CountTail();
  if (next != nullptr) Enter(next, next->start(), next->start_visits());
  Settle();
  if (next == nullptr && !lane_.has_writer && released_ == delivered_) {
    ReleaseUpTo(nullptr);
    reading_ = nullptr;
    finished_ = true;
  }
  return next != nullptr;
}

void JournalReader::CountTail() {
  const JournalPosition behind = MakePosition(reading_->identity().sequence, reading_->size() + 1);
  if (passed_ >= behind) return;
  passed_ = behind;
  Lose(reading_->visits() > cursor_->visits() ? reading_->visits() - cursor_->visits() : 0);
}

bool JournalReader::Decode(Record* record) {
  const RecordView& view = cursor_->record();
  record->id = {lane_.worker, view.head.id.milliseconds, view.head.id.n};
  record->type = view.head.type;
  record->edge = reading_->identity().edge;
  const bool whole = view.head.type == RecordType::kVisit
                         ? DecodeVisit(view.payload, &record->visit)
                         : DecodeClosing(view.payload, lane_.worker, &record->closing);
  if (!whole) return false;
  record->position = delivered_ = Here();
  delivered_id_ = view.head.id;
  return true;
}

void JournalReader::Lose(uint32_t visits) {
  if (visits == 0) return;
  const base::MetricsBlock::Together together(metrics_);
  metrics_.Add(Metric::kVisitsQuarantined, visits);
  metrics_.Sub(Metric::kVisitsInJournal, visits);
}

void JournalReader::Quarantine(uint64_t from, uint64_t to) {
  metrics_.Add(Metric::kJournalDamage);
  const std::string name = fmt::format("{}-{}", reading_->name(), from);
  std::string_view bytes = reading_->bytes().substr(from, to - from);
  bytes = bytes.substr(0, bytes.find_last_not_of('\0') + 1);  // preallocated, never written
  const bool kept = quarantine_.Keep(name, bytes, OldestBehind());
  base::LogWarning("journal", "skipped {} damaged bytes at {} of {}{}", bytes.size(), from, reading_->name(),
                   kept ? "; they are kept in quarantine" : "");
}

base::WallTime JournalReader::OldestBehind() const {
  const uint64_t known = std::max(reading_->identity().created_milliseconds, delivered_id_.milliseconds);
  return std::min(clock_.WallNow(), base::WallTime(std::chrono::milliseconds(known)) - kLatestRecord);
}

void JournalReader::Settle() {
  if (released_ != delivered_) return;
  while (releasing_ != reading_) ReleaseUpTo(releasing_->next.load());
  if (released_ == Here()) return;
  released_ = delivered_ = Here();
  StoreReleased(releasing_->data(), releasing_->identity().seed, OffsetOf(released_));
}

void JournalReader::ReleaseUpTo(const JournalSegment* segment) {
  while (releasing_ != segment) {
    JournalSegment* const done = releasing_;
    releasing_ = done->next.load();
    // A restart before it is unlinked redelivers nothing of it.
    StoreReleased(done->data(), done->identity().seed, done->published());
    done->retired.store(true, std::memory_order_release);
  }
  keeper_.Ring();
}

bool JournalReader::IsNew() const { return Here() > passed_; }

JournalPosition JournalReader::Here() const {
  return MakePosition(reading_->identity().sequence, cursor_->offset());
}

uint32_t VisitsBefore(const JournalSegment& segment, uint64_t offset, uint64_t end) {
  if (offset >= end) return segment.visits();
  if (const auto record = ParseRecord(segment.bytes(), offset, segment.identity().seed))
    return record->head.visits;
  SegmentErased from = ReadErased(segment.data(), segment.identity().seed, segment.size());
  if (from.offset > offset) from = {};
  RecordCursor cursor(segment.bytes(), segment.identity().seed, from.offset, from.visits);
  while (cursor.offset() < offset && cursor.Next(end) != RecordCursor::Step::kEnd) {
  }
  return cursor.visits();
}

}  // namespace gatebook::logger
