// WaitUntil: waits for a condition outside this process, up to a deadline.
//
// For what no descriptor tells of (a server that comes up, a counter of another
// process); a test never sleeps for a fixed time and hopes.
#pragma once

#include <chrono>
#include <functional>

namespace gatebook::support {

// Long enough for a sanitized build on a loaded machine; only failures wait for it.
inline constexpr auto kPatience = std::chrono::seconds(20);

// True as soon as `condition` is, false if it is not by the deadline. Asks it every few milliseconds.
bool WaitUntil(const std::function<bool()>& condition, std::chrono::milliseconds patience = kPatience);

}  // namespace gatebook::support
