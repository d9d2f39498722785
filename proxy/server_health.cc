#include "proxy/server_health.h"

#include <algorithm>

#include "base/check.h"

namespace gatebook::proxy {

bool ServerHealth::OnOutcome(ServerOutcome outcome, base::SteadyTime now) {
  if (outcome == ServerOutcome::kAnswered) {
    failures_ = 0;
    if (ejections_ > 0 && !ejected_ && now - readmitted_ >= last_ejection_) ejections_ = 0;
    return false;
  }
  if (eject_after_ == 0) return false;
  if (failures_ < eject_after_) ++failures_;
  return !ejected_ && failures_ >= eject_after_;
}

base::Duration ServerHealth::Eject() {
  CHECK(!ejected_);
  ejected_ = true;
  last_ejection_ = eject_time_ * (1U << std::min(ejections_, kMostDoublings));
  ++ejections_;
  return last_ejection_;
}

void ServerHealth::Readmit(base::SteadyTime now) {
  ejected_ = false;
  readmitted_ = now;
  failures_ = eject_after_ - 1;  // on probation
}

bool CheckedHealth::OnCheck(bool good) {
  const bool first = !asked_;
  asked_ = true;
  if (good == up_) {
    in_row_ = 0;
    return false;
  }
  if (++in_row_ < (up_ ? fall_ : rise_) && !first) return false;
  in_row_ = 0;
  up_ = good;
  return true;
}

}  // namespace gatebook::proxy
