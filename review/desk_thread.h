// DeskThread: does what readers of the desk ask for, one thing after the other, at a low priority.
//
// Thread: Do: any; the rest by the one that owns it. Owns: its thread.
// Ends: Stop gives up what waits and waits for what is under way, which looks at IsStopping().
// Limits: `most_waiting` tasks.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace gatebook::review {

class DeskThread {
 public:
  explicit DeskThread(size_t most_waiting) : most_waiting_(most_waiting) {}
  ~DeskThread() { Stop(); }
  DeskThread(const DeskThread&) = delete;
  DeskThread& operator=(const DeskThread&) = delete;

  void Start();
  void Stop();
  // False: too much waits, or it is not started.
  bool Do(std::function<void()> task);
  bool IsStopping() const { return stopping_.load(std::memory_order_relaxed); }

 private:
  void Run();

  const size_t most_waiting_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;  // guarded by mutex_
  bool open_ = false;                          // likewise
  std::atomic<bool> stopping_{false};
};

}  // namespace gatebook::review
