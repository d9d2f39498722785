#include "tests/support/wait.h"

#include <poll.h>

namespace gatebook::support {

bool WaitUntil(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return condition();
    poll(nullptr, 0, 5);
  }
  return true;
}

}  // namespace gatebook::support
