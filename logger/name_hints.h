// NameHints: workers say which addresses will want a name, before any visit is written.
//
// A bounded ring for many writers and one reader (the recorder, which takes hints
// each time it looks at the journals). Each cell carries the number of the turn in
// which it may be written or read, so that neither side ever waits: a writer claims a
// cell by moving the tail, fills it, and hands it over by raising the cell's number.
// (Dmitry Vyukov's bounded queue.)
//
// A lost hint costs a later look-up and nothing else; hence no wake-up and no counter.
//
// Thread: Offer any; Take the recorder's. Limits: kCapacity hints.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

#include "base/ip_address.h"

namespace gatebook::logger {

class NameHints {
 public:
  static constexpr size_t kCapacity = 1024;  // a power of two

  NameHints() {
    for (size_t i = 0; i < kCapacity; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }
  NameHints(const NameHints&) = delete;
  NameHints& operator=(const NameHints&) = delete;

  // False if the ring is full.
  bool Offer(const base::IpAddress& ip) noexcept {
    size_t position = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[position % kCapacity];
      const size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == position) {
        if (tail_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
          cell.ip = ip;
          cell.turn.store(position + 1, std::memory_order_release);
          return true;
        }
      } else if (turn < position) {
        return false;  // not yet read since the last time round
      } else {
        position = tail_.load(std::memory_order_relaxed);
      }
    }
  }

  // False if there is none.
  bool Take(base::IpAddress& ip) noexcept {
    Cell& cell = cells_[head_ % kCapacity];
    if (cell.turn.load(std::memory_order_acquire) != head_ + 1) return false;
    ip = cell.ip;
    cell.turn.store(head_ + kCapacity, std::memory_order_release);
    ++head_;
    return true;
  }

 private:
  struct Cell {
    std::atomic<size_t> turn;
    base::IpAddress ip;
  };
  std::array<Cell, kCapacity> cells_;
  alignas(64) std::atomic<size_t> tail_{0};
  alignas(64) size_t head_ = 0;  // the reader's own
};

}  // namespace gatebook::logger
