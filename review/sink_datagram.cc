#include "review/sink_datagram.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace gatebook::review {
namespace {

// The kernel does not always tell when a Unix socket's reader has made room.
constexpr std::chrono::milliseconds kLookAgain{100};

}  // namespace

SinkDatagram::SinkDatagram(const Parts& parts)
    : SinkSyslog(parts), event_(parts.loop, *this), later_([this] { parts_.handler.OnWriterReady(); }) {}

void SinkDatagram::Open(const net::SocketAddress& address) {
  base::UniqueFd fd(::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.IsValid() || ::connect(fd.get(), address.get(), address.size()) != 0) return Break(errno);
  fd_ = std::move(fd);
  if (!event_.Watch(fd_.get())) return Break(ENOSPC);
  Arrive();
  parts_.handler.OnWriterReady();
}

void SinkDatagram::Break(int error) {
  event_.Stop();
  fd_.Reset();
  Fail(fmt::format("{}: {}", parts_.config.server.text, std::strerror(error)));
}

SinkWriter::Progress SinkDatagram::Write(SinkOutbox& outbox) {
  Progress progress;
  while (!outbox.IsEmpty() && fd_.IsValid()) {
    const std::string_view next = outbox.Front();
    if (::send(fd_.get(), next.data(), next.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
      outbox.DropFront();
      ++progress.written;
      Succeed();
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == ENOBUFS) {
      later_.Arm(parts_.loop.timers(), parts_.loop.now() + kLookAgain);
      break;
    }
    if (errno == EMSGSIZE) {
      outbox.DropFront();
      ++progress.refused;
      continue;
    }
    Break(errno);
  }
  return progress;
}

void SinkDatagram::OnReady(bool, bool writable) {
  if (writable) parts_.handler.OnWriterReady();
}

}  // namespace gatebook::review
