// Statistics: what the operator asks of many visits at once, counted in one pass.
//
// Visits of people who objected are not counted: in no figure and no total, as if they had not come. A total
// with them beside one without would itself be a statistic of those who objected.
//
// Thread: one. Owns: its counters, and the key of their hashes: nothing of them outlives it.
// Limits: in all it holds at most 65,536 sessions exactly (then: 0.8 % of standard error), and in each
// dimension `bound` values (review/top_values.h): some 100 MiB when all are full and all have many sessions.
#pragma once

#include <vector>

#include "logger/visit_record.h"
#include "review/dimension.h"
#include "review/distinct_counter.h"
#include "review/keyed_hash.h"
#include "review/top_values.h"

namespace gatebook::review {

class Statistics {
 public:
  static constexpr size_t kBound = 8192;
  explicit Statistics(size_t bound = kBound);

  void Take(const logger::StoredVisit& visit);

  uint64_t visits() const { return visits_; }
  uint64_t new_sessions() const { return new_sessions_; }
  const DistinctCounter& sessions() const { return sessions_; }
  const TopValues& Of(Dimension dimension) const { return dimensions_[static_cast<size_t>(dimension)]; }
  // Visits of which nothing is known in this dimension: they stand in none of its rows.
  uint64_t Unknown(Dimension dimension) const { return unknown_[static_cast<size_t>(dimension)]; }

 private:
  KeyedHash hash_;
  uint64_t visits_ = 0;
  uint64_t new_sessions_ = 0;
  DistinctCounter sessions_{65'536, 14};
  std::vector<TopValues> dimensions_;
  std::vector<uint64_t> unknown_;
  std::string scratch_;
};

}  // namespace gatebook::review
