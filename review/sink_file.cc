#include "review/sink_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "review/sink_files.h"

namespace gatebook::review {
namespace {

using base::WallTime;
using namespace std::chrono_literals;

constexpr mode_t kMode = 0640;
constexpr size_t kMostVectors = 64;
constexpr int kSecondsBetweenLooks = 5;

base::UniqueFd OpenToAppend(const std::string& path) {
  return base::UniqueFd(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, kMode));
}

std::string Said(const std::string& path) { return fmt::format("{}: {}", path, std::strerror(errno)); }

}  // namespace

base::Result<std::unique_ptr<SinkWriter>> SinkFile::Make(const Parts& parts) {
  // Whoever reads a FIFO would take an opening and closing for its end.
  struct stat info;
  const bool is_special = ::stat(parts.config.path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
  const bool may_write = is_special ? !S_ISDIR(info.st_mode) && ::access(parts.config.path.c_str(), W_OK) == 0
                                    : OpenToAppend(parts.config.path).IsValid();
  if (!may_write) {
    if (is_special && S_ISDIR(info.st_mode)) errno = EISDIR;
    return base::Error{
        fmt::format("[[sink]] \"{}\": cannot write {}", parts.config.name, Said(parts.config.path)),
        base::ExitCode::kCannotCreate};
  }
  return std::unique_ptr<SinkWriter>(new SinkFile(parts));
}

SinkFile::SinkFile(const Parts& parts)
    : SinkWriter(parts),
      span_(std::min(parts.config.rotate_every, parts.keep / 4)),
      event_(parts.loop, *this) {}

void SinkFile::Start() {
  Open();
  DestroyOld();
}

bool SinkFile::Open() {
  const std::string& path = parts_.config.path;
  base::UniqueFd file = OpenToAppend(path);
  struct stat info;
  if (!file.IsValid() || ::fstat(file.get(), &info) != 0) {
    Fail(errno == ENXIO ? fmt::format("{}: nobody reads it", path) : Said(path));
    return false;
  }
  is_regular_ = S_ISREG(info.st_mode);
  if (is_regular_ && ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    Fail(fmt::format("{}: it is locked, somebody else writes it", path));
    return false;
  }
  Arrive();
  fd_ = std::move(file);
  size_ = static_cast<uint64_t>(info.st_size);
  oldest_.reset();
  youngest_.reset();
  if (is_regular_ && size_ != 0 && !TakeUp()) {
    Close();
    return false;
  }
  if (!is_regular_) static_cast<void>(event_.Watch(fd_.get()));
  return true;
}

bool SinkFile::TakeUp() {
  const auto times = ReadSinkFile(parts_.config.path);
  if (!times.ok() || !*times) {
    Fail(times.ok() ? fmt::format("{}: it has just been replaced", parts_.config.path)
                    : times.error().message);
    return false;
  }
  oldest_ = (*times)->oldest;
  youngest_ = (*times)->youngest;
  begun_ = oldest_.value_or(parts_.clock.WallNow());
  if (!(*times)->ends_whole && ::write(fd_.get(), "\n", 1) == 1) ++size_;
  return true;
}

bool SinkFile::IsSameFile() const {
  struct stat ours, theirs;
  return ::fstat(fd_.get(), &ours) == 0 && ::stat(parts_.config.path.c_str(), &theirs) == 0 &&
         ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

void SinkFile::Close() {
  event_.Stop();
  fd_.Reset();
}

void SinkFile::Reopen(SinkOutbox& outbox) {
  // A line that has begun there begins again here.
  if (fd_.IsValid() && !IsSameFile()) outbox.Rewind();
  Close();
  if (Open()) Succeed();
  parts_.handler.OnWriterReady();
}

void SinkFile::CloseFile(SinkOutbox& outbox) {
  // A line that has begun there begins again in the next one, if it may be written at all.
  if (fd_.IsValid() && is_regular_ && size_ != 0 && Rotate()) outbox.Rewind();
}

bool SinkFile::IsFullFor(WallTime arrival, size_t bytes) const {
  if (!is_regular_ || size_ == 0 || !oldest_) return false;
  if (size_ + bytes > parts_.config.rotate_size) return true;
  return std::max(*youngest_, arrival) - std::min(*oldest_, arrival) > span_;
}

bool SinkFile::IsSpanOver() const {
  if (!is_regular_ || size_ == 0 || !oldest_) return false;
  return parts_.clock.WallNow() - begun_ >= span_ || *oldest_ + parts_.keep <= parts_.clock.SureNow();
}

bool SinkFile::Rotate() {
  const auto closed = CloseSinkFile(parts_.config.path, oldest_.value_or(parts_.clock.WallNow()));
  if (!closed.ok()) {
    Fail(closed.error().message);
    return false;
  }
  Close();
  return Open();
}

size_t SinkFile::Fitting(const SinkOutbox& outbox, size_t most) const {
  size_t bytes = 0;
  WallTime oldest = oldest_.value_or(outbox.front().visit->arrival);
  WallTime youngest = youngest_.value_or(oldest);
  for (size_t i = 0; i < std::min(most, outbox.size()); ++i) {
    const SinkOutbox::Message& next = outbox.at(i);
    bytes += next.bytes.size();
    oldest = std::min(oldest, next.visit->arrival);
    youngest = std::max(youngest, next.visit->arrival);
    // The first one goes, wherever it has to.
    if (i != 0 && is_regular_ && (size_ + bytes > parts_.config.rotate_size || youngest - oldest > span_))
      return i;
  }
  return std::min(most, outbox.size());
}

void SinkFile::Note(WallTime arrival) {
  if (!oldest_) begun_ = parts_.clock.WallNow();
  oldest_ = std::min(oldest_.value_or(arrival), arrival);
  youngest_ = std::max(youngest_.value_or(arrival), arrival);
}

SinkWriter::Progress SinkFile::Write(SinkOutbox& outbox) {
  Progress progress;
  while (!outbox.IsEmpty() && !IsBackingOff()) {
    if (!fd_.IsValid() && !Open()) break;
    const SinkOutbox::Message& front = outbox.front();
    if (!outbox.HasBegun() && (IsSpanOver() || IsFullFor(front.visit->arrival, front.bytes.size())) &&
        !Rotate())
      break;
    std::array<iovec, kMostVectors> vectors;
    const size_t count = outbox.Vectors(vectors, Fitting(outbox, kMostVectors));
    // Before anything of them stands there.
    for (size_t i = 0; i < count; ++i) Note(outbox.at(i).visit->arrival);
    const ssize_t written = ::writev(fd_.get(), vectors.data(), static_cast<int>(count));
    if (written < 0) {
      if (errno == EAGAIN || errno == EINTR) break;
      Fail(errno == EPIPE ? fmt::format("{}: nobody reads it any more", parts_.config.path)
                          : Said(parts_.config.path));
      // A FIFO's next reader begins with a whole line.
      if (!is_regular_) {
        outbox.Rewind();
        Close();
      }
      break;
    }
    size_ += static_cast<uint64_t>(written);
    progress.written += outbox.Consume(static_cast<size_t>(written));
    Succeed();
  }
  return progress;
}

void SinkFile::Housekeep() {
  if (fd_.IsValid() && is_regular_) {
    // Somebody else has renamed or removed it.
    if (!IsSameFile()) {
      Close();
      parts_.handler.OnWriterReady();
    } else if (IsSpanOver() && !IsBackingOff()) {
      Rotate();
    }
  }
  if (++seconds_ >= kSecondsBetweenLooks) DestroyOld();
}

void SinkFile::DestroyOld() {
  seconds_ = 0;
  const auto files = ListClosedSinkFiles(parts_.config.path);
  if (!files.ok()) return Fail(files.error().message);
  const WallTime now = parts_.clock.SureNow();
  for (const ClosedSinkFile& file : *files) {
    if (file.oldest + parts_.keep > now) break;
    const base::UniqueFd open(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    // Who rewrites it puts another in its place: that one goes with the next look.
    if (open.IsValid() && ::flock(open.get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (::unlink(file.path.c_str()) != 0) {
      if (errno != ENOENT) Fail(fmt::format("cannot destroy {}", Said(file.path)));
      continue;
    }
    parts_.metrics.Add(base::Metric::kSinkFilesDestroyed);
    base::LogInfo("sink", "{}: a file whose time was over has been destroyed", parts_.config.name);
  }
}

void SinkFile::OnReady(bool, bool writable) {
  if (writable) parts_.handler.OnWriterReady();
}

}  // namespace gatebook::review
