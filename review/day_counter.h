// DayCounter: the thread of the running edge that counts each day for its published figures.
//
// A day that nobody counts while its visits live can never be published. So each day is counted soon after
// its end, as soon as Redis has all of its visits that this edge knows of; and days that were missed (the
// edge was not there) as long as they can be. Of several edges, and `gatebook stats publish`, the first
// decides.
//
// It has a thread of its own, since a count reads all visits of a day: no worker, the recorder, nor the main
// thread could wait for it.
//
// Thread: Start and Stop by one. Borrows: all parts until Stop.
// Ends: Stop breaks a count off, and waits for what is asked of Redis at the moment.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/metrics.h"
#include "config/config.h"
#include "review/figures_store.h"

namespace gatebook::review {

class DayCounter {
 public:
  struct Parts {
    const config::Config& config;
    const base::Clock& clock;
    base::MetricsBlock& metrics;  // this thread's
    // How old the oldest visit is that Redis does not have yet.
    std::function<std::chrono::milliseconds()> lag;
  };
  explicit DayCounter(Parts parts) : parts_(std::move(parts)) {}
  ~DayCounter() { Stop(); }
  DayCounter(const DayCounter&) = delete;
  DayCounter& operator=(const DayCounter&) = delete;

  void Start();
  void Stop();

  // Counts all days that are due and not counted yet, oldest first. Requires: not started.
  base::Status CountDue();

 private:
  void Run();
  bool IsDue(const FiguresStore& store, Day day) const;

  const Parts parts_;
  bool failure_is_said_ = false;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace gatebook::review
