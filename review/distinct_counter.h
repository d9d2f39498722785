// DistinctCounter: how many different things there were, in bounded memory.
//
// Takes 64-bit hashes (review/keyed_hash.h). Counts exactly until it holds `exact` of them; then it becomes
// a HyperLogLog of 2^precision registers, whose standard error is 1.04 / sqrt(2^precision).
//
// Thread: one. Limits: 16 bytes each of `exact`, then 2^precision bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gatebook::review {

class DistinctCounter {
 public:
  // Requires: precision from 4 to 18.
  DistinctCounter(uint32_t exact, uint8_t precision) : exact_(exact), precision_(precision) {}

  // Requires: well mixed hashes.
  void Add(uint64_t hash);
  uint64_t Count() const;
  bool IsExact() const { return registers_.empty(); }
  // Relative, one sigma; 0 while it is exact.
  double StandardError() const;

 private:
  void Insert(uint64_t hash);
  void Grow();
  void Register(uint64_t hash);
  double Estimate() const;

  uint32_t exact_;
  uint8_t precision_;
  uint32_t held_ = 0;
  std::vector<uint64_t> slots_;     // open addressing, a power of two; 0: free
  std::vector<uint8_t> registers_;  // once it is no longer exact
};

}  // namespace gatebook::review
