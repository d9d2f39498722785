// Clocks: wall time for what is written down, steady time for what is waited for.
//
// The two are different types, so that a deadline can't be computed from a clock
// that an operator may set. Thread: every function may be called from any thread.
#pragma once

#include <atomic>
#include <chrono>

namespace gatebook::base {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;  // UTC
using SteadyTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime WallNow() const = 0;
  virtual SteadyTime SteadyNow() const = 0;
  // Steady time that also went on while the machine slept: what a wall clock should have moved by.
  virtual SteadyTime BootNow() const { return SteadyNow(); }
  // A wall time that has surely come: for whoever destroys something because it is old. Never ahead of
  // WallNow(), and behind it while the wall clock is not believed (base/guarded_clock.h).
  virtual WallTime SureNow() const { return WallNow(); }

  // The machine's clocks.
  static const Clock& System();
};

// For tests: stands still until moved. Any thread may look; one moves it.
class ManualClock : public Clock {
 public:
  explicit ManualClock(WallTime wall, SteadyTime steady = SteadyTime(std::chrono::hours(1)))
      : wall_(wall), steady_(steady) {}
  WallTime WallNow() const override { return wall_.load(); }
  SteadyTime SteadyNow() const override { return steady_.load(); }
  void Advance(Duration by) {
    wall_ = wall_.load() + std::chrono::duration_cast<std::chrono::milliseconds>(by);
    steady_ = steady_.load() + std::chrono::duration_cast<SteadyTime::duration>(by);
  }
  // An operator (or NTP) sets the wall clock; steady time does not notice.
  void SetWall(WallTime wall) { wall_ = wall; }

 private:
  std::atomic<WallTime> wall_;
  std::atomic<SteadyTime> steady_;
};

}  // namespace gatebook::base
