// TopValues: how often each value came, of values without number, in bounded memory.
//
// Counts exactly up to `bound` values. Beyond it the rarest half is let go, as in space-saving
// (A. Metwally and others, 2005): whoever comes later may have been among them, and says how often at most.
// So every figure is a lower bound, and `missed` is how far it may be too low; what came more often than
// LetGo() is surely here.
//
// Thread: one. Limits: `bound` values of the lengths of logger/visit.h, each with a counter of its sessions:
// exact up to 512, then 1.6 % of standard error in 4 KiB.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "review/distinct_counter.h"

namespace gatebook::review {

class TopValues {
 public:
  struct Row {
    std::string value;
    uint64_t visits = 0;
    uint64_t missed = 0;  // visits before it was (again) kept, at most
    uint64_t sessions = 0;
    double sessions_error = 0;  // relative, one sigma; 0: exact
  };

  // Requires: bound of at least 2.
  explicit TopValues(size_t bound) : bound_(bound) {}

  // `session`: its hash.
  void Count(std::string_view value, uint64_t session);
  // The most frequent, at most `most`, equal ones by value.
  std::vector<Row> Rows(size_t most) const;
  // Values that are kept; below `bound` those that there were.
  size_t size() const { return cells_.size(); }
  // No value that is not here came more often. 0: all are here.
  uint64_t LetGo() const { return let_go_; }

 private:
  struct Cell {
    uint64_t visits = 0;
    uint64_t missed = 0;
    DistinctCounter sessions{512, 12};
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  void LetHalfGo();

  const size_t bound_;
  uint64_t let_go_ = 0;
  std::unordered_map<std::string, Cell, Hash, std::equal_to<>> cells_;
};

}  // namespace gatebook::review
