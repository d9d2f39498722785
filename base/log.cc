#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/rfc3339.h"
#include "base/thread.h"

namespace gatebook::base {
namespace {

constexpr size_t kMostQueuedLines = 4096;
constexpr size_t kMostLineBytes = 2048;
constexpr std::string_view kLevelNames[] = {"debug", "info", "warning", "error"};

class Writer {
 public:
  Status Open(const std::string& path, LogLevel least) {
    least_ = least;
    auto file = OpenFile(path);
    if (!file.ok()) return file.error();
    file_ = std::move(file).value();
    const std::lock_guard lock(mutex_);
    path_ = path;
    stopping_ = false;
    running_ = true;
    thread_ = StartThread(
        "gb:log", [this, said = dropped()] { Run(said); }, Niceness::kBehindWorkers);
    return {};
  }

  static Result<UniqueFd> OpenFile(const std::string& path) {
    if (path.empty()) return UniqueFd();
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    if (file.IsValid()) return file;
    return Error{fmt::format("cannot open the log file {}: {}", path, std::strerror(errno)),
                 ExitCode::kCannotCreate};
  }

  void Change(const std::string& path, UniqueFd file, LogLevel least) {
    least_ = least;
    const std::lock_guard lock(mutex_);
    path_ = path;
    next_ = std::move(file);
    reopen_ = false;
    wake_.notify_one();
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
    if (text.size() > kMostLineBytes) text.resize(kMostLineBytes);
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    std::string line = fmt::format("{} {} {}: {}\n", ToRfc3339(Clock::System().WallNow()),
                                   kLevelNames[static_cast<size_t>(level)], component, text);
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
  void Run(uint64_t said_dropped) {
    std::vector<std::string> lines;
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || reopen_ || next_ || !queue_.empty(); });
      lines.swap(queue_);
      if (next_) file_ = *std::exchange(next_, std::nullopt);
      const std::string reopened = std::exchange(reopen_, false) ? path_ : std::string();
      const bool stopping = stopping_;
      lock.unlock();
      if (!reopened.empty()) {
        auto file = OpenFile(reopened);
        if (file.ok()) file_ = std::move(file).value();
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

  UniqueFd file_;  // the writer thread's while it runs
  std::atomic<LogLevel> least_{LogLevel::kInfo};
  std::atomic<uint64_t> dropped_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::string> queue_;  // guarded by mutex_
  std::string path_;                // guarded by mutex_
  std::optional<UniqueFd> next_;    // guarded by mutex_: to be taken in place of file_
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

LogLevel LogLevelOf(std::string_view name) {
  for (size_t i = 0; i < std::size(kLevelNames); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return LogLevel::kInfo;
}

Status LogSink::Open(const std::string& path, LogLevel least) { return TheWriter().Open(path, least); }
Result<UniqueFd> LogSink::OpenFile(const std::string& path) { return Writer::OpenFile(path); }
void LogSink::Change(const std::string& path, UniqueFd file, LogLevel least) {
  TheWriter().Change(path, std::move(file), least);
}
void LogSink::Reopen() { TheWriter().Reopen(); }
void LogSink::Close() { TheWriter().Close(); }
uint64_t LogSink::dropped() { return TheWriter().dropped(); }
bool LogSink::IsEnabled(LogLevel level) { return TheWriter().IsEnabled(level); }
void LogSink::Write(LogLevel level, std::string_view component, std::string text) {
  TheWriter().Write(level, component, std::move(text));
}

}  // namespace gatebook::base
