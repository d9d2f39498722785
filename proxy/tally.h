// Tally: how often each row of an enum table happened in one worker.
//
// Thread: Count() by the owner, Get() by any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace gatebook::proxy {

template <typename Enum>
class Tally {
 public:
  void Count(Enum row) {
    auto& cell = cells_[static_cast<size_t>(row)];
    cell.store(cell.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  uint64_t Get(Enum row) const { return cells_[static_cast<size_t>(row)].load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, static_cast<size_t>(Enum::kCount)> cells_{};
};

}  // namespace gatebook::proxy
