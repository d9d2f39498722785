// The order of stores is what makes a crash harmless: the payload, then the
// record's fields, then the one word that makes the record exist, then the
// published offset for the recorder of this process. A kill between any two
// leaves bytes that no reader takes for a record. Preallocated zeros stand
// behind, so that nothing has to be written to end the file.
#include "logger/journal_writer.h"

#include <limits>

#include "logger/visit_codec.h"

namespace gatebook::logger {

static_assert(kMostEncodedVisit <= kMostPayload && kMostEncodedClosing <= kMostPayload);

using base::Metric;
using Outcome = Appended::Outcome;

JournalWriter::JournalWriter(JournalLane& lane, RecordId last, const base::Clock& clock, Doorbell& recorder,
                             Doorbell& keeper, base::MetricsBlock& metrics)
    : lane_(lane), clock_(clock), recorder_(recorder), keeper_(keeper), metrics_(metrics), last_(last) {}

Appended JournalWriter::Append(const Visit& visit) noexcept {
  const size_t bound = EncodedVisitBound(visit);
  if (bound == 0) {
    CountVisit(Metric::kVisitsDroppedTooLarge);
    return {Outcome::kTooLarge, {}, 0};
  }
  if (!MakeRoom(bound)) {
    const Outcome why = WhyNoRoom();
    CountVisit(why == Outcome::kFull ? Metric::kVisitsDroppedFull : Metric::kVisitsDroppedNoSegment);
    return {why, {}, 0};
  }
  char* const payload = data_ + offset_ + kRecordHeaderBytes;
  const char* const end = EncodeVisit(visit, payload);
  CountVisit(Metric::kVisitsInJournal);
  return Finish(RecordType::kVisit, static_cast<size_t>(end - payload));
}

Appended JournalWriter::Append(const Closing& closing) noexcept {
  if (!MakeRoom(kMostEncodedClosing)) {
    metrics_.Add(Metric::kClosingsDropped);
    return {WhyNoRoom(), {}, 0};
  }
  char* const payload = data_ + offset_ + kRecordHeaderBytes;
  const char* const end = EncodeClosing(closing, payload);
  metrics_.Add(Metric::kClosingsAccepted);
  return Finish(RecordType::kClosing, static_cast<size_t>(end - payload));
}

bool JournalWriter::HasRoom() const noexcept {
  return size_ - offset_ >= RecordBytes(kMostPayload) ||
         lane_.spare.load(std::memory_order_relaxed) != nullptr;
}

void JournalWriter::RequestFlush() noexcept {
  if (!lane_.flush_asked.exchange(true, std::memory_order_seq_cst)) keeper_.Ring();
}

void JournalWriter::SetFlushCallback(std::function<void()> callback) {
  const std::lock_guard lock(lane_.callback_mutex);
  lane_.on_flushed = std::move(callback);
}

void JournalWriter::Close() noexcept {
  if (segment_ != nullptr) Seal();
}

bool JournalWriter::MakeRoom(size_t payload) noexcept {
  if (segment_ != nullptr && segment_->is_abandoned()) TakeSpare();
  return size_ - offset_ >= RecordBytes(payload) || TakeSpare();
}

bool JournalWriter::TakeSpare() noexcept {
  if (lane_.spare.load(std::memory_order_relaxed) == nullptr) return false;
  JournalSegment* const spare = lane_.spare.exchange(nullptr, std::memory_order_acquire);
  if (segment_ != nullptr) Seal();
  WriteOpening(spare->data(), spare->identity().seed, last_);
  auto* const link = segment_ == nullptr ? lane_.end_of_chain : &segment_->next;
  link->store(spare, std::memory_order_seq_cst);  // from here on the former segment is not ours
  segment_ = spare;
  data_ = spare->data();
  offset_ = kSegmentHeaderBytes;
  size_ = spare->size();
  seed_ = spare->identity().seed;
  visits_ = 0;
  keeper_.Ring();
  return true;
}

void JournalWriter::Seal() noexcept { WriteSeal(data_, seed_, {last_, offset_, visits_}); }

Appended JournalWriter::Finish(RecordType type, size_t payload) noexcept {
  const RecordId id = NextId();
  SealRecord(data_, offset_, payload, {type, id, visits_}, seed_);
  offset_ += RecordBytes(payload);
  if (type == RecordType::kVisit) ++visits_;
  segment_->Publish(offset_, visits_);
  recorder_.Ring();
  return {Outcome::kOk,
          {lane_.worker, id.milliseconds, id.n},
          MakePosition(segment_->identity().sequence, offset_)};
}

void JournalWriter::CountVisit(Metric what_became_of_it) noexcept {
  const base::MetricsBlock::Together together(metrics_);
  metrics_.Add(Metric::kVisitsAccepted);
  metrics_.Add(what_became_of_it);
}

Outcome JournalWriter::WhyNoRoom() const noexcept {
  return lane_.is_full.load(std::memory_order_relaxed) ? Outcome::kFull : Outcome::kNoSegment;
}

RecordId JournalWriter::NextId() noexcept {
  const auto now = clock_.WallNow().time_since_epoch().count();
  const auto milliseconds = static_cast<uint64_t>(now > 0 ? now : 0);
  if (milliseconds > last_.milliseconds) {
    last_ = {milliseconds, 0};
  } else if (last_.n < std::numeric_limits<uint32_t>::max()) {
    ++last_.n;
  } else {
    last_ = {last_.milliseconds + 1, 0};
  }
  return last_;
}

}  // namespace gatebook::logger
