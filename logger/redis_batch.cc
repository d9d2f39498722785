#include "logger/redis_batch.h"

#include <algorithm>
#include <utility>

#include "logger/redis_command.h"
#include "logger/redis_keys.h"
#include "logger/visit_index.h"
#include "logger/visit_record.h"

namespace gatebook::logger {
namespace {

using base::Metric;

constexpr size_t kMostStreamsABatch = 16;
constexpr size_t kMostSpare = 6;

std::string Milliseconds(base::WallTime time) { return std::to_string(time.time_since_epoch().count()); }

}  // namespace

BatchTally& BatchTally::operator+=(const BatchTally& other) {
  visits_stored += other.visits_stored;
  visits_replayed += other.visits_replayed;
  visits_expired += other.visits_expired;
  visits_erased += other.visits_erased;
  visits_refused += other.visits_refused;
  closings_stored += other.closings_stored;
  closings_dropped += other.closings_dropped;
  return *this;
}

void BatchTally::CountIn(base::MetricsBlock& metrics) const {
  const base::MetricsBlock::Together together(metrics);
  metrics.Add(Metric::kVisitsStored, visits_stored);
  metrics.Add(Metric::kVisitsReplayed, visits_replayed);
  metrics.Add(Metric::kVisitsDroppedExpired, visits_expired);
  metrics.Add(Metric::kVisitsDroppedErased, visits_erased);
  metrics.Add(Metric::kVisitsDroppedRefused, visits_refused);
  metrics.Sub(Metric::kVisitsInJournal, Visits());
  metrics.Add(Metric::kClosingsStored, closings_stored);
  metrics.Add(Metric::kClosingsDropped, closings_dropped);
}

void RedisTransaction::Begin(Purpose for_what, size_t of_lane) {
  purpose = for_what;
  lane = of_lane;
  slot = 0;
  deadline = known_deadline = base::WallTime::max();
  commands.clear();
  kinds.clear();
  bare = replies_seen = redirects = 0;
  redirect.reset();
  asking = false;
}

RedisComposer::RedisComposer(const config::Config& config, const base::Clock& clock, std::string edge,
                             size_t lane, size_t most_records, const PlaceOf& place_of)
    : config_(config),
      clock_(clock),
      edge_(std::move(edge)),
      lane_(lane),
      most_records_(most_records),
      place_of_(place_of) {}

bool RedisComposer::Add(const VisitId& id, const Visit& visit, const Name& name) {
  const uint64_t minute = MinuteOf(id);
  if (records_ >= most_records_ || (visits_minute_ != 0 && visits_minute_ != minute)) return false;
  const base::WallTime now = clock_.SureNow();
  const base::WallTime deadline = DeadlineOf(visit.arrival, config_.visit.retention, now);
  if (deadline <= now) {
    ++records_;
    ++tally_.visits_expired;
    return true;
  }
  // Over only by a clock that is not believed: Redis, by the same clock perhaps, would destroy it at once.
  if (deadline <= clock_.WallNow()) return false;
  RedisTransaction* stream = StreamOf(id);
  if (stream == nullptr) return false;
  ++records_;
  visits_minute_ = minute;
  stream->deadline = std::min(stream->deadline, deadline);
  stream->kinds.push_back(RedisTransaction::Kind::kVisit);
  scratch_key_.clear();
  AppendVisitsKey(scratch_key_, edge_, id.worker, minute);
  scratch_id_.clear();
  AppendEntryId(scratch_id_, id.milliseconds, id.n);
  scratch_v_.clear();
  AppendVisitFacts(scratch_v_, id, visit);
  scratch_c_.clear();
  if (const VisitId* earlier = facts_.FindOrAdd(id, visit, name)) {
    AppendSameAs(scratch_c_, *earlier);
  } else {
    AppendClientFacts(scratch_c_, visit, name, place_of_(visit.ip));
    AddToIndex(id, visit, deadline);
  }
  if (stream->IsKnown()) {
    AppendCommand(stream->commands,
                  {"XADD", scratch_key_, "NOMKSTREAM", scratch_id_, "v", scratch_v_, "c", scratch_c_});
  } else {
    AppendCommand(stream->commands, {"XADD", scratch_key_, scratch_id_, "v", scratch_v_, "c", scratch_c_});
  }
  return true;
}

bool RedisComposer::Add(const VisitId& id, const Closing& closing) {
  if (records_ >= most_records_) return false;
  RedisTransaction* stream = StreamOf(closing.of);
  if (stream == nullptr) return false;
  ++records_;
  stream->kinds.push_back(RedisTransaction::Kind::kClosing);
  scratch_key_.clear();
  AppendVisitsKey(scratch_key_, edge_, closing.of.worker, MinuteOf(closing.of));
  scratch_id_.clear();
  AppendEntryId(scratch_id_, id.milliseconds, id.n);
  scratch_v_.clear();
  AppendClosingFacts(scratch_v_, closing);
  scratch_c_.clear();
  AppendClosingOf(scratch_c_, closing.of);
  // NOMKSTREAM: what is expired or erased must not come back.
  AppendCommand(stream->commands,
                {"XADD", scratch_key_, "NOMKSTREAM", scratch_id_, "v", scratch_v_, "c", scratch_c_});
  return true;
}

bool RedisComposer::PassOver() {
  if (records_ >= most_records_) return false;
  ++records_;
  ++tally_.visits_erased;
  return true;
}

RedisBatch RedisComposer::Take() {
  RedisBatch batch;
  batch.tally = std::exchange(tally_, BatchTally());
  records_ = 0;
  visits_minute_ = 0;
  if (streams_.empty()) return batch;
  for (const IndexPart& part : index_) batch.transactions.push_back(IndexTransaction(part));
  index_.clear();
  for (RedisTransaction& stream : streams_) {
    // A stream is made together with its deadline, and no command without one can make it.
    if (stream.deadline < stream.known_deadline) {
      known_.Set(stream.worker, stream.minute, stream.deadline);
      scratch_key_.clear();
      AppendVisitsKey(scratch_key_, edge_, stream.worker, stream.minute);
      // LT: a stream's deadline only ever comes nearer, whoever writes again what was there.
      AppendCommand(stream.commands, {"PEXPIREAT", scratch_key_, Milliseconds(stream.deadline), "LT"});
      stream.kinds.push_back(RedisTransaction::Kind::kExpiry);
    }
    batch.transactions.push_back(std::move(stream));
  }
  streams_.clear();
  return batch;
}

void RedisComposer::GiveBack(RedisTransaction transaction) {
  if (spare_.size() < kMostSpare) spare_.push_back(std::move(transaction));
}

void RedisComposer::Reset() {
  records_ = 0;
  visits_minute_ = 0;
  tally_ = BatchTally();
  streams_.clear();
  index_.clear();
  facts_.Clear();
  known_.Clear();
}

RedisTransaction RedisComposer::New(RedisTransaction::Purpose purpose) {
  RedisTransaction transaction;
  if (!spare_.empty()) {
    transaction = std::move(spare_.back());
    spare_.pop_back();
  }
  transaction.Begin(purpose, lane_);
  return transaction;
}

RedisTransaction* RedisComposer::StreamOf(const VisitId& id) {
  const uint64_t minute = MinuteOf(id);
  for (RedisTransaction& one : streams_) {
    if (one.minute == minute && one.worker == id.worker) return &one;
  }
  if (streams_.size() >= kMostStreamsABatch) return nullptr;
  RedisTransaction& stream = streams_.emplace_back(New(RedisTransaction::Purpose::kStream));
  stream.worker = id.worker;
  stream.minute = minute;
  if (config_.redis.cluster) stream.slot = SlotOf(VisitsKey(edge_, id.worker, minute));
  stream.known_deadline = known_.DeadlineOf(id.worker, minute, clock_.WallNow());
  return &stream;
}

void RedisComposer::AddToIndex(const VisitId& id, const Visit& visit, base::WallTime deadline) {
  const uint64_t minute = MinuteOf(id);
  const uint64_t hour = HourOfMinute(minute);
  auto part = std::find_if(index_.begin(), index_.end(),
                           [&](const IndexPart& one) { return one.worker == id.worker && one.hour == hour; });
  if (part == index_.end()) part = index_.insert(index_.end(), {id.worker, hour, base::WallTime::max(), {}});
  part->deadline = std::min(part->deadline, deadline);
  AppendIndexElement(part->elements, minute, visit.session, visit.ip);
}

RedisTransaction RedisComposer::IndexTransaction(const IndexPart& part) {
  RedisTransaction index = New(RedisTransaction::Purpose::kIndex);
  scratch_key_.clear();
  AppendIndexKey(scratch_key_, edge_, part.worker, part.hour);
  if (config_.redis.cluster) index.slot = SlotOf(scratch_key_);
  AppendCommand(index.commands, {"APPEND", scratch_key_, part.elements});
  // With every one: nobody says whether it made the string anew, after a FLUSHALL for one.
  AppendCommand(index.commands, {"PEXPIREAT", scratch_key_, Milliseconds(part.deadline), "LT"});
  index.kinds.push_back(RedisTransaction::Kind::kIndex);
  index.kinds.push_back(RedisTransaction::Kind::kExpiry);
  return index;
}

}  // namespace gatebook::logger
