#include "review/desk_thread.h"

#include "base/thread.h"

namespace gatebook::review {

void DeskThread::Start() {
  open_ = true;
  thread_ = base::StartThread(
      "gb:desk", [this] { Run(); }, base::Niceness::kBehindAll);
}

void DeskThread::Stop() {
  stopping_.store(true, std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    waiting_.clear();
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool DeskThread::Do(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (!open_ || waiting_.size() >= most_waiting_) return false;
  waiting_.push_back(std::move(task));
  wake_.notify_one();
  return true;
}

void DeskThread::Run() {
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !open_ || !waiting_.empty(); });
      if (!open_) return;
      task = std::move(waiting_.front());
      waiting_.pop_front();
    }
    task();
  }
}

}  // namespace gatebook::review
