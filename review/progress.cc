#include "review/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace gatebook::review {

constexpr auto kProgressEvery = std::chrono::milliseconds(250);

Progress::Progress(const base::Clock& clock)
    : clock_(clock),
      shown_to_somebody_(::isatty(STDERR_FILENO) == 1),
      due_(clock.SteadyNow() + kProgressEvery) {}

void Progress::Show(double share) {
  if (!shown_to_somebody_ || clock_.SteadyNow() < due_) return;
  due_ = clock_.SteadyNow() + kProgressEvery;
  std::fputs(fmt::format("\rreading {:3.0f} %", share * 100).c_str(), stderr);
  visible_ = true;
}

void Progress::Clear() {
  if (std::exchange(visible_, false)) std::fputs("\r             \r", stderr);
}

}  // namespace gatebook::review
