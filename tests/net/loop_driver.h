// RunUntil: turns a loop until a condition holds, for tests of what runs on it.
//
// Thread: the loop's. Limits: gives up after support::kPatience; a tick every 20 ms
// wakes the loop, so that a condition which only time or another thread makes true is seen.
#pragma once

#include <chrono>
#include <functional>

#include "net/loop.h"
#include "tests/support/wait.h"

namespace gatebook::net {

// False if the condition did not come to hold.
inline bool RunUntil(Loop& loop, const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + support::kPatience;
  Timer tick;
  tick.SetCallback([&] { tick.Arm(loop.timers(), loop.now()); });
  tick.Arm(loop.timers(), loop.now());
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= give_up) return false;
    loop.RunOnce(true);
  }
  return true;
}

// Turns the loop until nothing more is ready.
inline void RunReady(Loop& loop) {
  for (int i = 0; i < 5; ++i) loop.RunOnce(false);
}

}  // namespace gatebook::net
