// ServerHealth: what a worker has learned of one server from its own exchanges (passive
// ejection), and CheckedHealth: what active checks say of it.
//
// Ejection: after upstream.eject_after failures in a row a server is due to be passed over for
// upstream.eject_time; the next time for twice as long, 32-fold at most. Once back it is on
// probation: one failure makes it due again. After it has served well for as long
// as its last ejection lasted, that is forgotten.
//
// Checks: upstream.health_fall bad answers in a row take a server out, health_rise good ones
// bring it back. The very first answer decides at once, unless checks before had found the server down.
//
// Thread: one each. Pure: time is handed in.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "config/config.h"

namespace gatebook::proxy {

// How an attempt to use a server ended.
enum class ServerOutcome {
  kAnswered,       // a whole head, whatever its status
  kConnectFailed,  // refused, unreachable, no TLS
  kTimedOut,       // no connection, or no answer, in time
  kBadAnswer,      // closed early, or malformed
};

class ServerHealth {
 public:
  explicit ServerHealth(const config::Upstream& upstream)
      : eject_after_(upstream.eject_after), eject_time_(upstream.eject_time) {}

  // True: it is due to be ejected. Whether it is (others must be left) decides who asks.
  bool OnOutcome(ServerOutcome outcome, base::SteadyTime now);
  // For how long. Requires: !IsEjected().
  base::Duration Eject();
  void Readmit(base::SteadyTime now);

  bool IsEjected() const { return ejected_; }
  // Of the last Readmit(); the clock's beginning: never ejected.
  base::SteadyTime readmitted() const { return readmitted_; }
  uint32_t failures() const { return failures_; }

 private:
  static constexpr uint32_t kMostDoublings = 5;

  const uint32_t eject_after_;
  const base::Duration eject_time_;
  uint32_t failures_ = 0;   // in a row
  uint32_t ejections_ = 0;  // not yet forgotten
  base::Duration last_ejection_{};
  base::SteadyTime readmitted_{};
  bool ejected_ = false;
};

class CheckedHealth {
 public:
  explicit CheckedHealth(const config::Upstream& upstream, bool known_down = false)
      : rise_(upstream.health_rise), fall_(upstream.health_fall), up_(!known_down), asked_(known_down) {}

  // True: is_up() has changed by this.
  bool OnCheck(bool good);
  bool is_up() const { return up_; }

 private:
  const uint32_t rise_;
  const uint32_t fall_;
  uint32_t in_row_ = 0;  // checks against what is_up() says
  bool up_;              // also a server that was never asked
  bool asked_;
};

}  // namespace gatebook::proxy
