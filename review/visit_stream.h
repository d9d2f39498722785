// VisitStream: one stream of visits, read from its beginning, on and on as it grows.
//
// Entries are joined with their closings, and references to facts are followed.
//
// Thread: one. Limits: holds the facts of the clients in it, and its visits that are still open; 1,000
//   entries a reply.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "logger/redis_client.h"
#include "logger/visit_record.h"

namespace gatebook::review {

class VisitStream {
 public:
  // The visit holds until the function returns.
  using Take = std::function<void(const logger::StoredVisit&)>;

  VisitStream(std::string_view edge, uint32_t worker, uint64_t minute);

  static constexpr size_t kMostAPage = 1000;

  // Asks for what came since the last time, so many entries at most. To be followed by TakeMore().
  void AskForMore(logger::RedisClient& client, size_t page = kMostAPage);
  // Takes the answer. False if there is more to ask for. Visits are given to `take` at once, but for those
  // still open: they wait for their closing until TakeOpen().
  base::Result<bool> TakeMore(logger::RedisClient& client, const Take& take);
  // The visits whose closing has not come.
  void TakeOpen(const Take& take);

  uint64_t minute() const { return minute_; }
  uint64_t entries() const { return entries_; }  // so far

 private:
  struct EntryId {
    uint64_t milliseconds;
    uint32_t n;
    auto operator<=>(const EntryId&) const = default;
  };
  void TakeEntry(const logger::RedisReply& entry, const Take& take);

  std::string edge_;
  uint32_t worker_;
  uint64_t minute_;
  std::string key_;
  std::string after_;  // the last entry seen
  size_t page_ = 0;    // as last asked for
  uint64_t entries_ = 0;
  std::vector<std::string> facts_;
  std::vector<std::pair<EntryId, size_t>> facts_of_;  // entry, in their order -> index into facts_
  std::map<EntryId, logger::StoredVisit> open_;
  logger::StoredVisit visit_;  // used again, for the memory of its texts
};

}  // namespace gatebook::review
