#include "review/sink_output.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace gatebook::review {
namespace {

constexpr size_t kPage = 4096;  // PIPE_BUF: a pipe that is writable takes as much without waiting

bool IsWritable(int fd) {
  pollfd one{fd, POLLOUT, 0};
  return ::poll(&one, 1, 0) > 0;
}

}  // namespace

SinkOutput::SinkOutput(const Parts& parts) : SinkWriter(parts), event_(parts.loop, *this) {}

void SinkOutput::Start() {
  if (::isatty(STDOUT_FILENO) == 1)
    fd_ = base::UniqueFd(::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd_.IsValid()) fd_ = base::UniqueFd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
  if (!fd_.IsValid()) return Fail("standard output is closed");
  // A regular file can't be watched, and is always writable.
  static_cast<void>(event_.Watch(fd_.get()));
}

SinkWriter::Progress SinkOutput::Write(SinkOutbox& outbox) {
  Progress progress;
  while (!outbox.IsEmpty() && fd_.IsValid() && !IsBackingOff() && IsWritable(fd_.get())) {
    const std::string_view next = outbox.Front();
    const ssize_t written = ::write(fd_.get(), next.data(), std::min(next.size(), kPage));
    if (written < 0) {
      if (errno == EAGAIN || errno == EINTR) break;
      Fail(errno == EPIPE ? "nobody reads it any more" : std::strerror(errno));
      break;
    }
    progress.written += outbox.Consume(static_cast<size_t>(written));
    Succeed();
  }
  return progress;
}

void SinkOutput::OnReady(bool, bool writable) {
  if (writable) parts_.handler.OnWriterReady();
}

}  // namespace gatebook::review
