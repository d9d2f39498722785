// Reading visits back from Redis.
//
// Streams are found by computing their names: each edge of gb:edges, each of its
// workers, each minute asked for. Their entries are joined with their closings,
// references to facts are followed, and what matches is handed over by time.
//
// Thread: one, which it blocks. Borrows: the client.
// Limits: holds the matches of one minute, and the facts of the clients in it; 500 entries a reply.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "logger/redis_client.h"
#include "logger/redis_keys.h"
#include "logger/visit_record.h"
#include "review/query.h"

namespace gatebook::review {

struct VisitsWanted {
  base::WallTime since{};  // of the arrival
  base::WallTime until = base::WallTime::max();
  std::optional<base::Cidr> ip = {};
  std::string session = {};  // empty: any
  const Query* where = nullptr;
};
bool IsWanted(const logger::StoredVisit& visit, const VisitsWanted& wanted);

// False: enough, read no further.
using VisitSink = std::function<bool(const logger::StoredVisit&)>;

// One stream, read from its beginning, on and on as it grows.
class VisitStream {
 public:
  VisitStream(std::string edge, uint32_t worker, uint64_t minute);

  // Asks for what came since the last time. To be followed by Take().
  void AskForMore(logger::RedisClient& client) const;
  // Takes the answer. False if there is more to ask for. Visits are given to `sink` at once, but for
  // those still open: they wait for their closing until TakeOpen().
  base::Result<bool> Take(logger::RedisClient& client,
                          const std::function<void(logger::StoredVisit&&)>& sink);
  // The visits whose closing has not come.
  std::vector<logger::StoredVisit> TakeOpen();

  uint64_t minute() const { return minute_; }

 private:
  struct EntryId {
    uint64_t milliseconds;
    uint32_t n;
    auto operator<=>(const EntryId&) const = default;
  };
  void TakeEntry(const logger::RedisReply& entry, const std::function<void(logger::StoredVisit&&)>& sink);

  const std::string edge_;
  const uint32_t worker_;
  const uint64_t minute_;
  const std::string key_;
  std::string after_;  // the last entry seen
  std::vector<std::string> facts_;
  std::map<EntryId, size_t> facts_of_;  // entry -> index into facts_
  std::map<EntryId, logger::StoredVisit> open_;
};

class VisitReader {
 public:
  VisitReader(logger::RedisClient& client, const base::Clock& clock) : client_(client), clock_(clock) {}

  // Hands over what is wanted, in the order of arrival.
  base::Status Read(const VisitsWanted& wanted, const VisitSink& sink);
  // Hands over what comes from now on, within a second, in the order of writing; visits that are
  // still open as they are. Ends when `sink` says so, `stop` is set or `wanted.until` has passed.
  base::Status Follow(const VisitsWanted& wanted, const VisitSink& sink, const std::atomic<bool>& stop);

  // Called now and then with the share of the work that is done, 0 to 1.
  void SetOnProgress(std::function<void(double)> on_progress) { on_progress_ = std::move(on_progress); }

 private:
  struct EdgeWorkers {
    std::string edge;
    uint32_t workers;
  };
  base::Result<std::vector<EdgeWorkers>> ReadEdges();
  base::Status ReadAll(std::vector<VisitStream>& streams,
                       const std::function<void(logger::StoredVisit&&)>& sink, size_t* entries);

  logger::RedisClient& client_;
  const base::Clock& clock_;
  std::function<void(double)> on_progress_;
};

}  // namespace gatebook::review
