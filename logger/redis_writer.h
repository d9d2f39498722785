// RedisWriter: puts visits into Redis, each once, none beyond its time.
//
// Work comes in lanes, one a worker's journal, and in batches (logger/redis_batch.h): transactions, each
// done or not done. One batch a lane is under way at a time; the next is made meanwhile and sent
// after its answer. So a stream's entries arrive in order and without holes. What is sent again after a lost
// connection is refused by Redis, entry by entry, as "equal or smaller", and counts as stored.
//
// A stream that this connection has made is written to with NOMKSTREAM: a Redis that was flushed under us
// says so in its answer, before anything could stand in a new stream with a hole before it. What Redis has on
// its disk is looked at (logger/redis_watch.h) while somebody waits for it.
//
// Every error reply to a transaction as a whole (out of memory, read-only, loading,
// no permission …) closes the connection; it is tried again with back-off.
//
// Thread: the loop's. Owns: the connections (logger/redis_nodes.h). Borrows: config, clock, metrics, places.
// Ends: destroying drops what is under way; it is still in the journal.
// Limits: config.redis.pipeline commands under way, shared by the lanes, and as many ready; back-off
//   100 ms to 5 s; an edge name that is taken is asked for again every 30 s.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "config/config.h"
#include "logger/nodes_durability.h"
#include "logger/redis_batch.h"
#include "logger/redis_keys.h"
#include "logger/redis_nodes.h"
#include "logger/redis_watch.h"

namespace gatebook::logger {

class RedisWriter final : private RedisNodes::Handler {
 public:
  class Handler {
   public:
    // CanBegin() may have become true.
    virtual void OnWriterReady() = 0;
    virtual void OnBatchStored(size_t lane, const BatchTally& tally) = 0;
    // All batches under way are void: their records must be given again.
    virtual void OnWriterLost() = 0;
    // A look was answered: durability() may say more.
    virtual void OnWriterLooked() = 0;
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
  using PlaceOf = RedisComposer::PlaceOf;

  RedisWriter(net::Loop& loop, const config::Config& config, const base::Clock& clock,
              base::MetricsBlock& metrics, Identity identity, size_t lanes, PlaceOf place_of,
              Handler& handler);

  // Begins to connect. Never calls back before it returned.
  void Start();
  // To be called every few seconds: asks for the edge's name again when that is due, and looks.
  void Housekeep();
  // Something waits to be durable: looks again when the next look is due.
  void WatchDurability();
  // Asks for a snapshot, which what waits would be in. Not more often than Redis can bear.
  void AskToSave();

  // Connected, allowed to write, and the lane has no batch ready behind the one under way.
  bool CanBegin(size_t lane) const { return up_ && !lanes_[lane].ready; }
  // A batch of the lane is under way: another one is worth making if it is full.
  bool IsUnderWay(size_t lane) const { return lanes_[lane].under_way != 0; }
  // How many records a batch may have.
  size_t batch_size() const { return batch_size_; }
  // All three: require CanBegin(lane); false when the record must wait for the next batch
  // (another minute, or the batch is full). PassOver: a visit that is not to be sent; it counts as erased.
  bool Add(size_t lane, const VisitId& id, const Visit& visit, const Name& name);
  bool Add(size_t lane, const VisitId& id, const Closing& closing);
  bool PassOver(size_t lane);
  // Sends what was added when it is the lane's turn. OnBatchStored() follows for each batch, in order and
  // never before this returned, but for a batch in which everything had expired while none was under way:
  // that one is done, and `tally` says how.
  enum class Committed { kNothing, kUnderWay, kDone };
  Committed Commit(size_t lane, BatchTally* tally);

  // Entries must no longer point to those sent so far: some of them are being erased.
  void ForgetFacts();

  // For people: "ok", or what is wrong.
  const std::string& state() const { return state_; }
  bool IsUp() const { return up_; }
  // What is acknowledged now is durable when durability().durable() is beyond durability().looks().
  const NodesDurability& durability() const { return durability_; }

 private:
  using Purpose = RedisTransaction::Purpose;
  struct Lane {
    RedisComposer composer;
    size_t under_way = 0;             // transactions of the batch
    BatchTally tally;                 // of the batch under way
    std::optional<RedisBatch> ready;  // the next
  };

  void OnNodesConnected() override;
  void OnNodesReply(RedisNode& node, RedisTransaction& transaction, const RedisReply& reply,
                    bool last) override;
  void OnNodesLost(const RedisFailure& failure) override;
  void OnDone(RedisTransaction done, const RedisReply& reply);

  void SendBatch(Lane& lane, RedisBatch batch);
  void SendClaim();
  void OnClaimReply(const RedisReply& reply);
  // False: the stream, which this connection had made, was not there any more.
  bool OnStreamReply(const RedisTransaction& transaction, const RedisReply& reply);
  void CountRefusal(const RedisReply& reply);
  void OnWatchReply(RedisNode& node, const RedisReply& reply);
  void Look();
  void LoseData(const std::string& why);
  void Finish(RedisTransaction transaction);
  void Lose(const RedisFailure& failure);
  void SetState(std::string state, bool up);

  net::Loop& loop_;
  const config::Config& config_;
  const base::Clock& clock_;
  base::MetricsBlock& metrics_;
  const Identity identity_;
  const size_t batch_size_;
  PlaceOf place_of_;
  Handler& handler_;
  RedisNodes nodes_;
  NodesDurability durability_;
  std::vector<Lane> lanes_;
  net::Timer retry_;
  net::Timer look_;
  base::SteadyTime looked_{};
  base::SteadyTime claim_due_{};
  std::chrono::milliseconds back_off_;
  std::minstd_rand random_;
  std::string state_ = "not started";
  bool up_ = false;
};

}  // namespace gatebook::logger
