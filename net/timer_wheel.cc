#include "net/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace gatebook::net {

void Timer::Arm(TimerWheel& wheel, base::SteadyTime deadline) {
  CHECK(wheel_ == nullptr || wheel_ == &wheel);
  deadline_ = deadline;
  armed_ = 1;
  const uint64_t tick = std::max(wheel.TickOf(deadline), wheel.current_ + 1);
  if (wheel_ != nullptr) {
    if (tick >= tick_) return;  // moved later: found out when the slot is due
    wheel.Unlink(*this);
  }
  wheel.Link(*this, tick);
}

void Timer::Cancel() {
  armed_ = 0;
  if (wheel_ != nullptr) wheel_->Unlink(*this);
}

TimerWheel::~TimerWheel() {
  for (Timer* slot : slots_) {
    while (slot != nullptr) {
      Timer* next = slot->next_;
      slot->wheel_ = nullptr;
      slot->armed_ = 0;
      slot = next;
    }
  }
}

// The first tick that is not before `time`.
uint64_t TimerWheel::TickOf(base::SteadyTime time) const {
  if (time <= start_) return 0;
  return static_cast<uint64_t>((time - start_ + kTick - base::Duration(1)) / kTick);
}

void TimerWheel::Link(Timer& timer, uint64_t tick) {
  timer.tick_ = tick & ((uint64_t{1} << 48) - 1);
  LinkInto(tick % kSlots, timer);
}

void TimerWheel::LinkInto(size_t slot, Timer& timer) {
  timer.wheel_ = this;
  timer.slot_ = slot & 0x7fff;
  timer.previous_ = nullptr;
  timer.next_ = slots_[timer.slot_];
  if (timer.next_ != nullptr) timer.next_->previous_ = &timer;
  slots_[timer.slot_] = &timer;
  if (slot < kSlots) occupied_[slot / 64] |= uint64_t{1} << slot % 64;
  ++linked_;
}

void TimerWheel::Unlink(Timer& timer) {
  if (timer.previous_ != nullptr) {
    timer.previous_->next_ = timer.next_;
  } else {
    slots_[timer.slot_] = timer.next_;
    if (timer.next_ == nullptr && timer.slot_ < kSlots) {
      occupied_[timer.slot_ / 64] &= ~(uint64_t{1} << timer.slot_ % 64);
    }
  }
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  timer.wheel_ = nullptr;
  timer.previous_ = timer.next_ = nullptr;
  --linked_;
}

uint64_t TimerWheel::NextOccupied() const {
  const uint64_t first = current_ + 1;
  const size_t at = first % kSlots;
  // The word that `at` is in comes first from there on, and last up to there.
  uint64_t word = occupied_[at / 64] & (~uint64_t{0} << at % 64);
  for (size_t i = 0; i <= occupied_.size(); ++i) {
    const size_t index = (at / 64 + i) % occupied_.size();
    if (i > 0) word = occupied_[index];
    if (word == 0) continue;
    const size_t slot = index * 64 + static_cast<size_t>(std::countr_zero(word));
    return first + (slot + kSlots - at) % kSlots;
  }
  CHECK(false);
  return first;
}

std::optional<base::SteadyTime> TimerWheel::NextTick() const {
  if (linked_ == 0) return std::nullopt;
  return start_ + static_cast<base::Duration::rep>(NextOccupied()) * kTick;
}

// After a long time without timers nobody counts through every tick of it.
void TimerWheel::SkipEmptyTicks(uint64_t until) {
  uint64_t earliest = until + 1;
  for (const Timer* timer : slots_) {
    for (; timer != nullptr; timer = timer->next_) earliest = std::min<uint64_t>(earliest, timer->tick_);
  }
  current_ = std::max(current_, earliest - 1);
}

void TimerWheel::Advance(base::SteadyTime now) {
  if (now < start_) return;
  const uint64_t until = static_cast<uint64_t>((now - start_) / kTick);
  if (linked_ == 0) current_ = std::max(current_, until);
  while (current_ < until) {
    if (until - current_ > kSlots) SkipEmptyTicks(until);
    const uint64_t round_end = std::min(until, current_ + kSlots);
    while (current_ < round_end) {
      if (linked_ == 0) {
        current_ = round_end;
        break;
      }
      current_ = std::min(round_end, NextOccupied());
      MeetCurrent();
    }
  }
}

// A callback may cancel any timer or arm new ones, so no place in a slot can be held across it.
// Hence two steps, each linear: what is due moves to a list of its own, with no callback between; then
// that list's head is met until there is none. A cancelled timer unlinks itself from there as from any
// slot, and none is added: Arm files at current_ + 1 at the earliest.
void TimerWheel::MeetCurrent() {
  for (Timer* timer = slots_[current_ % kSlots]; timer != nullptr;) {
    Timer* const next = timer->next_;
    if (timer->tick_ <= current_) {
      Unlink(*timer);
      LinkInto(kDue, *timer);
    }
    timer = next;
  }
  while (Timer* const timer = slots_[kDue]) {
    Unlink(*timer);
    const uint64_t due = TickOf(timer->deadline_);
    if (due > current_) {
      Link(*timer, due);
      continue;
    }
    timer->armed_ = 0;
    const auto callback = timer->on_deadline_;  // survives the timer
    callback();
  }
}

}  // namespace gatebook::net
