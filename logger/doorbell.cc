#include "logger/doorbell.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace gatebook::logger {

Doorbell::Doorbell() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void Doorbell::Wake() noexcept {
  const uint64_t one = 1;
  // Can only fail when the counter is at its end: then it is readable anyway.
  [[maybe_unused]] const ssize_t written = ::write(fd_.get(), &one, sizeof one);
}

void Doorbell::Answer() noexcept {
  uint64_t count;
  [[maybe_unused]] const ssize_t taken =
      ::read(fd_.get(), &count, sizeof count);  // nothing to take: not rung
  rung_.store(false, std::memory_order_seq_cst);
}

}  // namespace gatebook::logger
