// Reading visits back from Redis.
//
// Streams are found by computing their names: each edge of gb:edges, each of its workers, each minute that
// may hold something (review/minutes_to_read.h). What matches is handed over by time, oldest or newest first,
// as soon as nothing can come before it any more.
//
// Thread: one, which it blocks. Borrows: the client.
// Limits: holds some 100,000 visits, and the matches of a minute (review/visit_sweep.h).
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "logger/redis_client.h"
#include "logger/redis_keys.h"
#include "logger/visit_record.h"
#include "review/minutes_to_read.h"
#include "review/query.h"

namespace gatebook::review {

struct VisitsWanted {
  base::WallTime since{};  // of the arrival
  base::WallTime until = base::WallTime::max();
  std::optional<base::Cidr> ip = {};
  std::string session = {};  // empty: any
  const Query* where = nullptr;
  bool newest_first = false;  // Read() only
  bool discreet = false;      // handed over as review/discreet.h says
};
// Of a visit as it is stored.
bool IsWanted(const logger::StoredVisit& visit, const VisitsWanted& wanted);

// False: enough, read no further.
using VisitSink = std::function<bool(const logger::StoredVisit&)>;

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
  base::Result<std::vector<Lane>> ReadLanes();

  logger::RedisClient& client_;
  const base::Clock& clock_;
  std::function<void(double)> on_progress_;
};

}  // namespace gatebook::review
