// Doorbell: wakes one thread, at the price of a system call only when it sleeps.
//
// Many may ring; one answers. A ring after an unanswered ring costs two loads.
//
// No ring is ever lost: who rings has published its work with a seq_cst store,
// and who answers looks for work, with seq_cst loads, after Answer() returned.
// Then either the answerer sees the work or the ringer sees the cleared bell.
//
// Thread: Ring() any; Answer() and fd() the one that is woken.
// Owns: an eventfd. Must outlive its ringers.
#pragma once

#include <atomic>

#include "base/unique_fd.h"

namespace gatebook::logger {

class Doorbell {
 public:
  Doorbell();

  // False if the system had no descriptor left; such a bell may be rung but wakes nobody.
  bool IsValid() const { return fd_.IsValid(); }

  void Ring() noexcept {
    if (rung_.load(std::memory_order_seq_cst) || rung_.exchange(true, std::memory_order_seq_cst)) return;
    Wake();
  }

  // Readable from a first ring until Answer().
  int fd() const { return fd_.get(); }
  void Answer() noexcept;

 private:
  void Wake() noexcept;

  alignas(64) std::atomic<bool> rung_{false};
  base::UniqueFd fd_;
};

}  // namespace gatebook::logger
