// RedisWriter: puts visits into Redis, each once, none beyond its time.
//
// Work comes in lanes, one a worker's journal. A lane's batch is a run of records
// in journal order; it becomes one MULTI/EXEC for each stream it touches, with the
// stream's deadline inside. One batch a lane is under way at a time. So a stream's
// entries arrive in order and without holes: a transaction is done or not, and the
// next is sent only after it. What is sent again after a lost connection is refused
// by Redis, entry by entry, as "equal or smaller", and counts as stored.
//
// Every error reply to a transaction as a whole (out of memory, read-only, loading,
// no permission …) closes the connection; it is tried again with back-off.
//
// Thread: the loop's. Owns: the connection. Borrows: config, clock, metrics, places.
// Ends: destroying drops what is under way; it is still in the journal.
// Limits: config.redis.pipeline commands under way, shared by the lanes; back-off
//   100 ms to 5 s; an edge name that is taken is asked for again every 30 s.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "config/config.h"
#include "logger/client_facts.h"
#include "logger/redis_connection.h"
#include "logger/redis_keys.h"

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
};

class RedisWriter final : private RedisConnection::Handler {
 public:
  class Handler {
   public:
    // CanBegin() may have become true.
    virtual void OnWriterReady() = 0;
    virtual void OnBatchStored(size_t lane, const BatchTally& tally) = 0;
    // All batches under way are void: their records must be given again.
    virtual void OnWriterLost() = 0;
    // state() or IsUp() is another. Must not use the writer but for those.
    virtual void OnWriterStateChanged() = 0;

   protected:
    ~Handler() = default;
  };

  struct Identity {
    std::string edge;
    std::string instance;  // of the journal: says whose the edge's name is
    uint32_t workers = 1;
  };
  using PlaceOf = std::function<Place(const base::IpAddress&)>;

  RedisWriter(net::Loop& loop, const config::Config& config, const base::Clock& clock,
              base::MetricsBlock& metrics, Identity identity, size_t lanes, PlaceOf place_of,
              Handler& handler);

  // Begins to connect. Never calls back before it returned.
  void Start();
  // To be called every few seconds: asks for the edge's name again when that is due.
  void Housekeep();

  // Connected, allowed to write, and the lane has no batch under way.
  bool CanBegin(size_t lane) const;
  // How many records a batch may have.
  size_t batch_size() const { return batch_size_; }
  // Both: requires CanBegin(lane); false when the record must wait for the next batch
  // (another minute, or the batch is full).
  bool Add(size_t lane, const VisitId& id, const Visit& visit, const Name& name);
  bool Add(size_t lane, const VisitId& id, const Closing& closing);
  // Likewise, of a visit that is not to be sent: it counts as erased.
  bool PassOver(size_t lane);
  // Sends what was added. OnBatchStored() follows, never before this returned, but for a
  // batch in which everything had expired: that one is done, and `tally` says how.
  enum class Committed { kNothing, kUnderWay, kDone };
  Committed Commit(size_t lane, BatchTally* tally);

  // Entries must no longer point to those sent so far: some of them are being erased.
  void ForgetFacts();

  // For people: "ok", or what is wrong.
  const std::string& state() const { return state_; }
  bool IsUp() const { return up_; }
  // After how long an acknowledged write may be taken to be on Redis's disk.
  std::chrono::milliseconds durable_after() const { return durable_after_; }

 private:
  enum class Kind : uint8_t { kVisit, kClosing, kExpiry };
  // The commands between one MULTI and its EXEC, and what their replies mean.
  // kSessions holds several, each of kSessionReplies replies, MULTI and EXEC among
  // its commands; kInfo is a bare command.
  struct Transaction {
    enum class Purpose { kStream, kSessions, kClaim, kClaimed, kInfo };
    Purpose purpose = Purpose::kStream;
    size_t lane = 0;
    bool last_of_batch = false;
    uint32_t worker = 0;
    uint64_t minute = 0;
    base::WallTime deadline = base::WallTime::max();
    std::string commands;
    std::vector<Kind> kinds;
    size_t sessions = 0;
    size_t replies_seen = 0;

    size_t Replies() const;
  };
  static constexpr size_t kSessionReplies = 4;
  struct Lane {
    bool under_way = false;
    size_t records = 0;
    uint64_t visits_minute = 0;  // 0: none yet
    BatchTally tally;
    std::vector<Transaction> streams;
    Transaction sessions;
    ClientFacts facts;
  };

  void OnRedisConnected() override;
  void OnRedisReply(const RedisReply& reply) override;
  void OnRedisClosed(const std::string& reason) override;

  Transaction NewTransaction(Transaction::Purpose purpose, size_t lane);
  Transaction* StreamOf(Lane& lane, size_t index, const VisitId& id);
  void AddSession(Lane& lane, const Visit& visit, const Name& name, base::WallTime deadline);
  // Appends it to the output; how many replies will come.
  size_t Queue(Transaction transaction);
  void SendClaim();
  void OnClaimReply(const RedisReply& reply);
  void OnStreamReply(const Transaction& transaction, const RedisReply& reply);
  void CountRefusal(const RedisReply& reply);
  void OnInfoReply(const RedisReply& reply);
  void Finish(Transaction transaction);
  void Lose(std::string reason);
  void SetState(std::string state, bool up);

  net::Loop& loop_;
  const config::Config& config_;
  const base::Clock& clock_;
  base::MetricsBlock& metrics_;
  const Identity identity_;
  const size_t batch_size_;
  PlaceOf place_of_;
  Handler& handler_;
  RedisConnection connection_;
  std::vector<Lane> lanes_;
  std::deque<Transaction> under_way_;
  std::vector<Transaction> spare_;  // kept for their memory
  std::string scratch_key_, scratch_id_, scratch_v_, scratch_c_;
  net::Timer retry_;
  base::SteadyTime claim_due_{};
  std::chrono::milliseconds back_off_;
  std::minstd_rand random_;
  std::chrono::milliseconds durable_after_{0};
  std::string state_ = "not started";
  bool up_ = false;
};

}  // namespace gatebook::logger
