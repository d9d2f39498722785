// GuardedClock: a wall clock that is not believed when it leaps ahead.
//
// Whoever destroys what is older than it may be asks SureNow(). It is the wall time, unless that runs ahead
// of the time that has passed by more than `bound`; then it goes on from the last wall time that was
// believed, by the clock that nobody sets. So a clock set to next year destroys nothing, and what is really
// due meanwhile is destroyed all the same. This lasts until the wall clock is back or Confirm() says that it
// is right.
//
// Behind a restart that reference is kept by KnownTime: within one boot of the machine exactly; after a boot
// the time that it was off can't be told from a leap, so a gap beyond the bound is believed once the kernel
// says that the clock is synchronised.
//
// A clock that is set back is believed at once: it destroys too late rather than too early.
//
// Thread: Begin before it is shared, Look by one thread; all else any. Borrows: the clock.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"

namespace gatebook::base {

// A wall time that was believed, and when that was by the clock that nobody sets.
struct KnownTime {
  std::string boot;    // which boot of the machine; empty: not known
  SteadyTime since{};  // BootNow() then
  WallTime wall{};
};

class GuardedClock final : public Clock {
 public:
  GuardedClock(const Clock& clock, std::chrono::milliseconds bound);

  WallTime WallNow() const override { return clock_.WallNow(); }
  SteadyTime SteadyNow() const override { return clock_.SteadyNow(); }
  SteadyTime BootNow() const override { return clock_.BootNow(); }
  WallTime SureNow() const override;

  // Goes on from what was known before a restart, if anything was.
  void Begin(const std::optional<KnownTime>& last, const std::string& boot, bool is_synchronised);
  // To be called every few seconds. Follows a clock that is corrected little by little (1 in 1,000), and says
  // what has changed since the last look.
  enum class Change { kNone, kHeld, kBelieved };
  Change Look(bool is_synchronised);
  // The wall clock is right as it is.
  void Confirm();

  bool IsHeld() const { return Ahead() > bound_; }
  // How far the wall clock is ahead of what is believed.
  std::chrono::milliseconds Ahead() const;
  KnownTime Known() const;

 private:
  Duration Offset() const;  // of the wall clock to BootNow()

  const Clock& clock_;
  const std::chrono::milliseconds bound_;
  std::string boot_;
  std::atomic<Duration::rep> believed_;   // the offset, in nanoseconds
  std::atomic<bool> since_start_{false};  // held since a gap over a boot: a synchronised clock ends it
  SteadyTime looked_;
  bool was_held_ = false;
};

// Which boot of the machine this is: $GATEBOOK_BOOT_ID (systemd's %b), or what the kernel says; may be empty.
std::string BootId();
// Whether the kernel says that somebody keeps the clock right (adjtimex(2)).
bool IsClockSynchronised();

}  // namespace gatebook::base
