// MinutesToRead: which minutes of which workers may hold a visit that is wanted.
//
// All of the window, at first. If addresses or sessions are named, the index (logger/visit_index.h) is asked,
// an hour of a worker a string, and the minutes that it does not name are left out; where it is missing or
// may not be read, all of the hour's stay.
//
// Thread: one. Limits: 8 bytes an hour and worker; 16 strings are asked for at a time; an index is not asked
//   for more than 64 addresses and sessions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "logger/redis_client.h"
#include "logger/visit_index.h"
#include "review/query.h"

namespace gatebook::review {

// One worker of one edge: whose visits stand in streams of their own.
struct Lane {
  std::string edge;
  uint32_t worker = 0;
};

class MinutesToRead {
 public:
  // Minutes of the epoch, the last one with it.
  MinutesToRead(std::vector<Lane> lanes, uint64_t first, uint64_t last);

  // Leaves out what the index says is in vain. Errors: Redis is gone.
  base::Status Narrow(logger::RedisClient& client, const QueryNeeds& needs);

  const std::vector<Lane>& lanes() const { return lanes_; }
  uint64_t first() const { return first_; }
  uint64_t last() const { return last_; }
  // Requires: first() <= minute <= last().
  bool Has(size_t lane, uint64_t minute) const;

 private:
  const std::vector<Lane> lanes_;
  const uint64_t first_;
  const uint64_t last_;
  const size_t hours_;
  std::vector<logger::MinutesOfHour> of_hours_;  // lane by lane; empty: all
};

}  // namespace gatebook::review
