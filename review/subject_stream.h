// SubjectStream: one stream of visits, searched for those of one person.
//
// Thread: one. Owns: the facts of the clients in it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logger/redis_client.h"
#include "logger/visit_record.h"

namespace gatebook::review {

struct StreamName {
  std::string edge;
  uint32_t worker = 0;
  uint64_t minute = 0;
};
// Nothing unless `key` is logger::VisitsKey of some edge, worker and minute.
std::optional<StreamName> ParseVisitsKey(std::string_view key);

struct IndexName {
  std::string edge;
  uint32_t worker = 0;
  uint64_t hour = 0;
};
// Nothing unless `key` is logger::IndexKey of some edge, worker and hour.
std::optional<IndexName> ParseIndexKey(std::string_view key);

class SubjectStream {
 public:
  using Matches = std::function<bool(const logger::StoredVisit&)>;
  SubjectStream(std::string key, StreamName name) : key_(std::move(key)), name_(std::move(name)) {}

  void AskForMore(logger::RedisClient& client) const;
  // Takes the answer. False if there is more to ask for.
  base::Result<bool> Take(logger::RedisClient& client, const Matches& matches);

  const std::string& key() const { return key_; }
  // What matched, completed by its closings.
  const std::vector<logger::StoredVisit>& visits() const { return visits_; }
  // Everything that goes with it: its entries, those that lean on them, and their closings.
  const std::vector<std::string>& entries() const { return entries_; }

 private:
  struct EntryId {
    uint64_t milliseconds;
    uint32_t n;
    auto operator<=>(const EntryId&) const = default;
  };
  void TakeEntry(const logger::RedisReply& entry, const Matches& matches);

  const std::string key_;
  const StreamName name_;
  std::string after_;
  std::map<EntryId, std::string> facts_;  // what an entry says of its client, followed to its source
  std::map<EntryId, size_t> open_;        // matching visits whose closing has not come: index into visits_
  std::set<EntryId> doomed_;
  std::vector<logger::StoredVisit> visits_;
  std::vector<std::string> entries_;
};

}  // namespace gatebook::review
