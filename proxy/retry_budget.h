// RetryBudget: how often a request may be sent again, as a share of all requests.
//
// When an upstream is in trouble, repeating everything doubles its load. Each request pays in
// upstream.retry_budget hundredths, each repetition takes one whole out.
//
// Thread: one. Limits: 10 repetitions to begin with, at most 100 saved up.
#pragma once

#include <algorithm>
#include <cstdint>

namespace gatebook::proxy {

class RetryBudget {
 public:
  explicit RetryBudget(uint32_t percent) : percent_(percent), saved_(percent == 0 ? 0 : kInitial) {}

  void OnRequest() { saved_ = std::min(saved_ + percent_, kMost); }
  // False: not now. True: it has been paid for.
  bool Take() {
    if (saved_ < kOne) return false;
    saved_ -= kOne;
    return true;
  }

 private:
  static constexpr uint32_t kOne = 100;
  static constexpr uint32_t kInitial = 10 * kOne;
  static constexpr uint32_t kMost = 100 * kOne;

  const uint32_t percent_;
  uint32_t saved_;
};

}  // namespace gatebook::proxy
