// JournalTrouble: what one kind of the keeper's work has failed with, and when it is tried again.
//
// Each kind has its own, so that a segment that can't be removed keeps no new one from being made.
// Back-off: 100 ms, doubled with each failure, at most 10 s.
//
// Thread: one.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "base/clock.h"

namespace gatebook::logger {

class JournalTrouble {
 public:
  // `error`: one sentence.
  void Fail(base::SteadyTime now, std::string error) {
    error_ = std::move(error);
    retry_at_ = now + backoff_;
    backoff_ = std::min(backoff_ * 2, kMost);
  }
  // What stood in the way may be gone: the next try need not wait.
  void TryNow() { retry_at_ = base::SteadyTime::min(); }
  void Clear() {
    error_.clear();
    backoff_ = kLeast;
  }

  bool IsWell() const { return error_.empty(); }
  bool MayTry(base::SteadyTime now) const { return IsWell() || now >= retry_at_; }
  const std::string& error() const { return error_; }
  base::SteadyTime retry_at() const { return retry_at_; }

 private:
  static constexpr base::Duration kLeast = std::chrono::milliseconds(100);
  static constexpr base::Duration kMost = std::chrono::seconds(10);
  std::string error_;
  base::SteadyTime retry_at_;
  base::Duration backoff_ = kLeast;
};

}  // namespace gatebook::logger
