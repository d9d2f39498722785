#include "base/guarded_clock.h"

#include <sys/timex.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace gatebook::base {
namespace {

// NTP slews by 0.5 in 1,000 at most.
constexpr int64_t kFollow = 1000;

}  // namespace

GuardedClock::GuardedClock(const Clock& clock, std::chrono::milliseconds bound)
    : clock_(clock), bound_(bound), believed_(0), looked_(clock.BootNow()) {
  believed_.store(Offset().count());
}

Duration GuardedClock::Offset() const {
  return Duration(clock_.WallNow().time_since_epoch()) - Duration(clock_.BootNow().time_since_epoch());
}

std::chrono::milliseconds GuardedClock::Ahead() const {
  const Duration ahead = Offset() - Duration(believed_.load(std::memory_order_relaxed));
  return std::chrono::duration_cast<std::chrono::milliseconds>(ahead);
}

WallTime GuardedClock::SureNow() const {
  const WallTime wall = clock_.WallNow();
  const auto ahead = Ahead();
  return ahead > bound_ ? wall - ahead : wall;
}

void GuardedClock::Begin(const std::optional<KnownTime>& last, const std::string& boot,
                         bool is_synchronised) {
  boot_ = boot;
  if (!last) return;
  const SteadyTime now = clock_.BootNow();
  const bool same_boot = !boot.empty() && last->boot == boot && last->since <= now;
  // After another boot nothing is known to have passed: as if it were still then.
  const Duration offset =
      Duration(last->wall.time_since_epoch()) - Duration((same_boot ? last->since : now).time_since_epoch());
  if (offset >= Offset() || (!same_boot && is_synchronised)) return;
  believed_.store(offset.count());
  // What is below the bound is no leap, and is not held against the next one.
  if (!IsHeld()) return Confirm();
  since_start_.store(!same_boot);
}

GuardedClock::Change GuardedClock::Look(bool is_synchronised) {
  const SteadyTime now = clock_.BootNow();
  if (IsHeld() && is_synchronised && since_start_.load()) Confirm();
  const bool held = IsHeld();
  if (!held) {
    const Duration::rep most = believed_.load() + Duration((now - looked_) / kFollow).count();
    believed_.store(std::min(Offset().count(), most));
    since_start_.store(false);
  }
  looked_ = now;
  if (held == std::exchange(was_held_, held)) return Change::kNone;
  return held ? Change::kHeld : Change::kBelieved;
}

void GuardedClock::Confirm() {
  believed_.store(Offset().count());
  since_start_.store(false);
}

KnownTime GuardedClock::Known() const { return {boot_, clock_.BootNow(), SureNow()}; }

std::string BootId() {
  if (const char* given = std::getenv("GATEBOOK_BOOT_ID")) return given;
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  return id;
}

bool IsClockSynchronised() {
  timex question{};
  const int state = ::adjtimex(&question);
  return state >= 0 && state != TIME_ERROR && (question.status & STA_UNSYNC) == 0;
}

}  // namespace gatebook::base
