// ConnectionLimiter: how many connections clients may hold, in all and an address.
//
// A pure decision over counts; who closes what is the caller's business.
// Thread: any; asked once a connection, never on a request's way. The count an
//   address is kept only when there is such a limit.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/ip_address.h"

namespace gatebook::guard {

class ConnectionLimiter {
 public:
  enum class Verdict { kAdmit, kTooMany, kTooManyFromAddress };

  // 0: no limit an address.
  ConnectionLimiter(uint32_t most, uint32_t most_an_address)
      : most_(most), most_an_address_(most_an_address) {}

  // kAdmit counts the connection; Leave() must follow when it ends. Connections
  // without an address (Unix sockets) count in all only.
  Verdict Enter(const std::optional<base::IpAddress>& address);
  void Leave(const std::optional<base::IpAddress>& address);
  // From now on; who is in stays in. `most_an_address` is 0 if and only if it was 0 before.
  void SetLimits(uint32_t most, uint32_t most_an_address) {
    most_.store(most, std::memory_order_relaxed);
    most_an_address_.store(most_an_address, std::memory_order_relaxed);
  }
  uint32_t open() const { return open_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint32_t> most_;
  std::atomic<uint32_t> most_an_address_;
  std::atomic<uint32_t> open_{0};
  std::mutex mutex_;
  // Ordered, so that no choice of addresses makes it slow.
  std::map<base::IpAddress, uint32_t> by_address_;  // guarded by mutex_
};

// What Enter() gave, as a thing that is left by being destroyed.
class ConnectionSeat {
 public:
  ConnectionSeat() = default;
  // Enter() has said kAdmit.
  ConnectionSeat(ConnectionLimiter& limiter, const std::optional<base::IpAddress>& address)
      : limiter_(&limiter), address_(address) {}
  ~ConnectionSeat() { Leave(); }
  ConnectionSeat(ConnectionSeat&& other) noexcept
      : limiter_(std::exchange(other.limiter_, nullptr)), address_(other.address_) {}
  ConnectionSeat& operator=(ConnectionSeat&& other) noexcept {
    Leave();
    limiter_ = std::exchange(other.limiter_, nullptr);
    address_ = other.address_;
    return *this;
  }

 private:
  void Leave() {
    if (limiter_ != nullptr) limiter_->Leave(address_);
    limiter_ = nullptr;
  }

  ConnectionLimiter* limiter_ = nullptr;
  std::optional<base::IpAddress> address_;
};

}  // namespace gatebook::guard
