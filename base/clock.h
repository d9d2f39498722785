// Clocks: wall time for what is written down, steady time for what is waited for.
//
// The two are different types, so that a deadline can't be computed from a clock
// that an operator may set. Thread: every function may be called from any thread.
#pragma once

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

  // The machine's clocks.
  static const Clock& System();
};

// For tests: stands still until moved.
class ManualClock : public Clock {
 public:
  explicit ManualClock(WallTime wall, SteadyTime steady = SteadyTime(std::chrono::hours(1)))
      : wall_(wall), steady_(steady) {}
  WallTime WallNow() const override { return wall_; }
  SteadyTime SteadyNow() const override { return steady_; }
  void Advance(Duration by) {
    wall_ += std::chrono::duration_cast<std::chrono::milliseconds>(by);
    steady_ += std::chrono::duration_cast<SteadyTime::duration>(by);
  }
  // An operator (or NTP) sets the wall clock; steady time does not notice.
  void SetWall(WallTime wall) { wall_ = wall; }

 private:
  WallTime wall_;
  SteadyTime steady_;
};

}  // namespace gatebook::base
