#include "review/latency_counter.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace gatebook::review {
namespace {

constexpr int kBits = 3;  // of the value behind its first that tell classes apart
constexpr uint64_t kParts = 1ULL << kBits;

}  // namespace

size_t LatencyCounter::ClassOf(uint64_t microseconds) {
  if (microseconds < kParts) return static_cast<size_t>(microseconds);
  const int width = static_cast<int>(std::bit_width(microseconds));  // 4 and more
  const uint64_t part = microseconds >> (width - 1 - kBits);         // kParts to 2 * kParts - 1
  const auto number = static_cast<uint64_t>(width - 1 - kBits) * kParts + part;
  return static_cast<size_t>(std::min<uint64_t>(number, kClasses - 1));
}

uint64_t LatencyCounter::EndOf(size_t number) {
  if (number < kParts) return number;
  const uint64_t shift = number / kParts - 1;
  const uint64_t part = number % kParts + kParts;
  return ((part + 1) << shift) - 1;
}

void LatencyCounter::Add(uint64_t microseconds) {
  ++counts_[ClassOf(microseconds)];
  ++count_;
}

void LatencyCounter::Add(const LatencyCounter& other) {
  for (size_t i = 0; i < kClasses; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
}

uint64_t LatencyCounter::At(double share) const {
  if (count_ == 0) return 0;
  const auto wanted =
      std::clamp<uint64_t>(static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_))), 1, count_);
  uint64_t seen = 0;
  for (size_t i = 0; i < kClasses; ++i) {
    seen += counts_[i];
    if (seen >= wanted) return EndOf(i);
  }
  return EndOf(kClasses - 1);
}

}  // namespace gatebook::review
