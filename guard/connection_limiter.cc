#include "guard/connection_limiter.h"

namespace gatebook::guard {

ConnectionLimiter::Verdict ConnectionLimiter::Enter(const std::optional<base::IpAddress>& address) {
  if (open_.fetch_add(1, std::memory_order_relaxed) >= most_.load(std::memory_order_relaxed)) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return Verdict::kTooMany;
  }
  const uint32_t most_an_address = most_an_address_.load(std::memory_order_relaxed);
  if (most_an_address == 0 || !address) return Verdict::kAdmit;
  const std::lock_guard lock(mutex_);
  uint32_t& count = by_address_[*address];
  if (count >= most_an_address) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return Verdict::kTooManyFromAddress;
  }
  ++count;
  return Verdict::kAdmit;
}

void ConnectionLimiter::Leave(const std::optional<base::IpAddress>& address) {
  open_.fetch_sub(1, std::memory_order_relaxed);
  if (most_an_address_.load(std::memory_order_relaxed) == 0 || !address) return;
  const std::lock_guard lock(mutex_);
  const auto found = by_address_.find(*address);
  if (found != by_address_.end() && --found->second == 0) by_address_.erase(found);
}

}  // namespace gatebook::guard
