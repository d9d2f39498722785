// TimerWheel: many deadlines, cheaply moved.
//
// Deadlines of a proxy are nearly always moved and hardly ever met. So moving
// one later only stores the new time; the wheel finds out when the old slot
// comes round and files the timer again. Arm, move and cancel are O(1) and
// make no system call; a tick is linear in its slot. (Varghese and Lauck, "Hashed and hierarchical timing
// wheels", scheme 6, with lazy moving.)
//
// Thread: one. Owns: nothing; timers link themselves in and out.
// Limits: 512 slots of 20 ms; longer deadlines go round more than once, 178,000 years at most.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/clock.h"

namespace gatebook::net {

class TimerWheel;

// A deadline and what to do when it is met. Destroying it cancels it. The
// callback runs at most once an arming, never before Arm() returned, and may
// destroy the timer.
class Timer {
 public:
  Timer() = default;
  explicit Timer(std::function<void()> on_deadline) : on_deadline_(std::move(on_deadline)) {}
  ~Timer() { Cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void SetCallback(std::function<void()> on_deadline) { on_deadline_ = std::move(on_deadline); }
  // Arms, or moves.
  void Arm(TimerWheel& wheel, base::SteadyTime deadline);
  void Cancel();
  bool IsArmed() const { return armed_; }
  base::SteadyTime deadline() const { return deadline_; }

 private:
  friend class TimerWheel;
  std::function<void()> on_deadline_;
  base::SteadyTime deadline_{};
  TimerWheel* wheel_ = nullptr;  // not null while linked
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  // One word: every connection has several timers.
  uint64_t tick_ : 48 = 0;  // when the slot is due
  uint64_t slot_ : 15 = 0;
  uint64_t armed_ : 1 = 0;
};

class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{20};

  explicit TimerWheel(base::SteadyTime start) : start_(start) {}
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Runs the callbacks whose deadline is met at `now`.
  void Advance(base::SteadyTime now);
  // Whether any timer is linked.
  bool IsEmpty() const { return linked_ == 0; }
  // When Advance() may next find something to do; nothing if the wheel is empty. A timer that was moved
  // later, or whose turn is a later round's, is looked at once before it is due.
  std::optional<base::SteadyTime> NextTick() const;

 private:
  friend class Timer;
  static constexpr size_t kSlots = 512;
  static constexpr size_t kDue = kSlots;  // one slot more: what this tick has yet to meet

  uint64_t TickOf(base::SteadyTime time) const;
  void Link(Timer& timer, uint64_t tick);
  void LinkInto(size_t slot, Timer& timer);
  void Unlink(Timer& timer);
  void SkipEmptyTicks(uint64_t until);
  void MeetCurrent();
  // The first tick after current_ whose slot is not empty. Requires: not all are.
  uint64_t NextOccupied() const;

  base::SteadyTime start_;
  uint64_t current_ = 0;  // ticks done
  size_t linked_ = 0;
  std::array<Timer*, kSlots + 1> slots_{};
  std::array<uint64_t, kSlots / 64> occupied_{};  // a bit a slot: it is not empty
};

}  // namespace gatebook::net
