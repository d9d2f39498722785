#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/rfc3339.h"
#include "base/unique_fd.h"

namespace gatebook::base {
namespace {

constexpr size_t kMostQueuedLines = 4096;
constexpr size_t kMostLineBytes = 2048;

class Writer {
 public:
  Status Open(const std::string& path, LogLevel least) {
    least_ = least;
    path_ = path;
    if (!path_.empty()) {
      const int fd = OpenFile();
      if (fd < 0) {
        return Error{fmt::format("cannot open the log file {}: {}", path_, std::strerror(errno)),
                     ExitCode::kCannotCreate};
      }
      file_.Reset(fd);
    }
    const std::lock_guard lock(mutex_);
    stopping_ = false;
    running_ = true;
    thread_ = std::thread([this, said = dropped()] { Run(said); });
    return {};
  }

  void Reopen() {
    const std::lock_guard lock(mutex_);
    reopen_ = true;
    wake_.notify_one();
  }

  void Close() {
    {
      const std::lock_guard lock(mutex_);
      if (!running_) return;
      running_ = false;  // from here on lines go to standard error
      stopping_ = true;
      wake_.notify_one();
    }
    thread_.join();
    file_.Reset();
  }

  void Write(LogLevel level, std::string_view component, std::string text) {
    static constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
    if (text.size() > kMostLineBytes) text.resize(kMostLineBytes);
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    std::string line = fmt::format("{} {} {}: {}\n", ToRfc3339(Clock::System().WallNow()),
                                   kNames[static_cast<size_t>(level)], component, text);
    std::unique_lock lock(mutex_);
    if (!running_) {
      lock.unlock();
      WriteAll(STDERR_FILENO, line);
      return;
    }
    if (queue_.size() >= kMostQueuedLines) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    queue_.push_back(std::move(line));
    wake_.notify_one();
  }

  bool IsEnabled(LogLevel level) const { return level >= least_.load(std::memory_order_relaxed); }
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  int OpenFile() const { return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640); }

  void Run(uint64_t said_dropped) {
    std::vector<std::string> lines;
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || reopen_ || !queue_.empty(); });
      lines.swap(queue_);
      const bool reopen = std::exchange(reopen_, false);
      const bool stopping = stopping_;
      lock.unlock();
      if (reopen && !path_.empty()) {
        const int opened = OpenFile();
        if (opened >= 0) file_.Reset(opened);
      }
      const int fd = file_.IsValid() ? file_.get() : STDERR_FILENO;
      for (const std::string& line : lines) WriteAll(fd, line);
      lines.clear();
      if (const uint64_t dropped = this->dropped(); dropped != said_dropped) {
        WriteAll(fd, fmt::format("{} warning log: {} lines were dropped, the log could not keep up\n",
                                 ToRfc3339(Clock::System().WallNow()), dropped - said_dropped));
        said_dropped = dropped;
      }
      lock.lock();
      if (stopping && queue_.empty()) return;
    }
  }

  static void WriteAll(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(fd, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;  // nowhere left to complain to
      text.remove_prefix(static_cast<size_t>(written));
    }
  }

  std::string path_;
  UniqueFd file_;  // the writer thread's while it runs
  std::atomic<LogLevel> least_{LogLevel::kInfo};
  std::atomic<uint64_t> dropped_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::string> queue_;  // guarded by mutex_
  bool running_ = false;            // guarded by mutex_
  bool reopen_ = false;             // guarded by mutex_
  bool stopping_ = false;           // guarded by mutex_
  std::thread thread_;
};

// Never destroyed: a thread may log while the process ends.
Writer& TheWriter() {
  static Writer* const writer = new Writer;
  return *writer;
}

}  // namespace

Status LogSink::Open(const std::string& path, LogLevel least) { return TheWriter().Open(path, least); }
void LogSink::Reopen() { TheWriter().Reopen(); }
void LogSink::Close() { TheWriter().Close(); }
uint64_t LogSink::dropped() { return TheWriter().dropped(); }
bool LogSink::IsEnabled(LogLevel level) { return TheWriter().IsEnabled(level); }
void LogSink::Write(LogLevel level, std::string_view component, std::string text) {
  TheWriter().Write(level, component, std::move(text));
}

}  // namespace gatebook::base
