// RedisBatch, RedisTransaction: what is written to Redis at a time, and what its answers mean.
// RedisComposer: makes the batches of one lane, that is, of one worker's journal.
//
// A batch is a run of records in journal order. It becomes one transaction (MULTI … EXEC) for each stream it
// touches, with the stream's deadline inside, and before them one for the index of their hour
// (logger/visit_index.h), whose slot in a Cluster is another. Entries point to earlier entries with the same
// facts of a client, and streams that were made before are written to only if they are still there
// (NOMKSTREAM): so the batches of a composer must reach Redis in their order, each after the one before was
// carried out, or Reset() must be called.
//
// Thread: one. Borrows: config, clock, places. Ends: without effect.
// Limits: `most_records` a batch, of one minute's visits, 16 streams.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "config/config.h"
#include "logger/client_facts.h"
#include "logger/known_streams.h"
#include "logger/redis_slots.h"
#include "logger/visit.h"

namespace gatebook::logger {

// What became of a batch.
struct BatchTally {
  uint64_t visits_stored = 0;    // with the replayed
  uint64_t visits_replayed = 0;  // Redis had them already
  uint64_t visits_expired = 0;   // their deadline had passed: not sent
  uint64_t visits_erased = 0;    // on a person's wish: not sent
  uint64_t visits_refused = 0;
  uint64_t closings_stored = 0;
  uint64_t closings_dropped = 0;  // the visit is gone, or Redis refused

  // Visits that are no longer in the journal.
  uint64_t Visits() const { return visits_stored + visits_expired + visits_erased + visits_refused; }
  BatchTally& operator+=(const BatchTally& other);
  // Enters it in the book: what was in the journal is stored, or dropped.
  void CountIn(base::MetricsBlock& metrics) const;
};

struct RedisTransaction {
  // kWatch holds `bare` commands. Around those of the others MULTI and EXEC go, and of each there is one
  // answer a kind, in EXEC's.
  enum class Purpose { kStream, kIndex, kClaim, kClaimed, kWatch };
  enum class Kind : uint8_t { kVisit, kClosing, kIndex, kExpiry };

  // Empty, with the memory it had.
  void Begin(Purpose for_what, size_t of_lane);
  size_t Replies() const { return IsWrapped() ? kinds.size() + 2 : bare; }
  bool IsWrapped() const { return purpose != Purpose::kWatch; }
  // The stream must be there: this connection has made it.
  bool IsKnown() const { return known_deadline != base::WallTime::max(); }

  Purpose purpose = Purpose::kStream;
  size_t lane = 0;
  uint16_t slot = 0;  // of its key, in a Cluster
  uint32_t worker = 0;
  uint64_t minute = 0;
  base::WallTime deadline = base::WallTime::max();
  base::WallTime known_deadline = base::WallTime::max();
  std::string commands;
  std::vector<Kind> kinds;
  size_t bare = 0;  // of kWatch
  size_t replies_seen = 0;
  // A node of a Cluster sent it on: to where, how often so far, and whether to ask for what is being moved.
  std::optional<RedisRedirect> redirect;
  size_t redirects = 0;
  bool asking = false;
};

struct RedisBatch {
  std::vector<RedisTransaction> transactions;  // none: nothing of it is to be sent
  BatchTally tally;                            // of what is known without Redis
};

class RedisComposer {
 public:
  using PlaceOf = std::function<Place(const base::IpAddress&)>;

  RedisComposer(const config::Config& config, const base::Clock& clock, std::string edge, size_t lane,
                size_t most_records, const PlaceOf& place_of);

  // Each: false when the record must wait for the next batch.
  bool Add(const VisitId& id, const Visit& visit, const Name& name);
  bool Add(const VisitId& id, const Closing& closing);
  // Of a visit that is not to be sent: it counts as erased.
  bool PassOver();
  bool IsEmpty() const { return records_ == 0; }
  // What was added, and begins the next. Its transactions may be given back for their memory.
  RedisBatch Take();
  void GiveBack(RedisTransaction transaction);

  // Entries must no longer point to those of earlier batches.
  void ForgetFacts() { facts_.Clear(); }
  // Redis refused an entry: it may not have made the stream.
  void ForgetStreams() { known_.Clear(); }
  // A new connection, or batches were lost: nothing is known to be in Redis.
  void Reset();

 private:
  // What a batch adds to the index of one hour of a worker.
  struct IndexPart {
    uint32_t worker = 0;
    uint64_t hour = 0;
    base::WallTime deadline = base::WallTime::max();
    std::string elements;
  };

  RedisTransaction New(RedisTransaction::Purpose purpose);
  // The batch's transaction for the stream of `id`; null if it has too many.
  RedisTransaction* StreamOf(const VisitId& id);
  void AddToIndex(const VisitId& id, const Visit& visit, base::WallTime deadline);
  RedisTransaction IndexTransaction(const IndexPart& part);

  const config::Config& config_;
  const base::Clock& clock_;
  const std::string edge_;
  const size_t lane_;
  const size_t most_records_;
  const PlaceOf& place_of_;
  size_t records_ = 0;
  uint64_t visits_minute_ = 0;  // 0: none yet
  BatchTally tally_;
  std::vector<RedisTransaction> streams_;
  std::vector<IndexPart> index_;
  ClientFacts facts_;
  KnownStreams known_;
  std::vector<RedisTransaction> spare_;
  std::string scratch_key_, scratch_id_, scratch_v_, scratch_c_;
};

}  // namespace gatebook::logger
