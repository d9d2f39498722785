#include "base/clock.h"

namespace gatebook::base {
namespace {

class SystemClock : public Clock {
 public:
  WallTime WallNow() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  SteadyTime SteadyNow() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const Clock& Clock::System() {
  static const SystemClock clock;
  return clock;
}

}  // namespace gatebook::base
