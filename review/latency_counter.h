// LatencyCounter: durations counted in classes, so that their percentiles are known to 6 %.
//
// Each power of two of microseconds has eight classes. What is said of a percentile is the upper end of its
// class: never too low, at most an eighth too high.
//
// Thread: one. Limits: 1 KiB each; durations over 70 minutes are one class.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gatebook::review {

class LatencyCounter {
 public:
  void Add(uint64_t microseconds);
  void Add(const LatencyCounter& other);
  uint64_t Count() const { return count_; }
  // 0 to 1: a duration in microseconds that this share does not exceed; 0 if there are none.
  uint64_t At(double share) const;

 private:
  static constexpr size_t kClasses = 256;
  static size_t ClassOf(uint64_t microseconds);
  static uint64_t EndOf(size_t number);

  std::array<uint32_t, kClasses> counts_{};
  uint64_t count_ = 0;
};

}  // namespace gatebook::review
