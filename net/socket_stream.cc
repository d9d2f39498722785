#include "net/socket_stream.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace gatebook::net {
namespace {

void SetNoDelay(int fd, int family) {
  if (family != AF_INET && family != AF_INET6) return;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

SocketStream::SocketStream(Loop& loop, base::UniqueFd fd, StreamHandler& handler)
    : fd_(std::move(fd)), event_(loop, *this), handler_(handler) {}

std::unique_ptr<SocketStream> SocketStream::Accepted(Loop& loop, base::UniqueFd fd, StreamHandler& handler) {
  std::unique_ptr<SocketStream> stream(new SocketStream(loop, std::move(fd), handler));
  stream->readable_ = stream->writable_ = true;
  if (!stream->event_.Watch(stream->fd_.get())) return nullptr;
  return stream;
}

base::Result<std::unique_ptr<SocketStream>> SocketStream::Connect(Loop& loop, const SocketAddress& address,
                                                                  StreamHandler& handler) {
  base::UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.IsValid()) return base::Error{fmt::format("socket: {}", std::strerror(errno))};
  SetNoDelay(fd.get(), address.family());
  const int done = ::connect(fd.get(), address.get(), address.size());
  // EAGAIN: a Unix socket whose queue is full; that is a failure, there will be no event.
  if (done != 0 && errno != EINPROGRESS) return base::Error{fmt::format("connect: {}", std::strerror(errno))};
  std::unique_ptr<SocketStream> stream(new SocketStream(loop, std::move(fd), handler));
  stream->connecting_ = true;
  if (!stream->event_.Watch(stream->fd_.get())) return base::Error{"no more descriptors can be watched"};
  return stream;
}

void SocketStream::OnReady(bool readable, bool writable) {
  if (connecting_) {
    if (!writable && !readable) return;
    connecting_ = false;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      error_ = error;
      event_.Stop();
      handler_.OnStreamFailed();
      return;
    }
    writable_ = true;
  }
  readable_ |= readable;
  writable_ |= writable;
  handler_.OnStreamReady();
}

IoResult SocketStream::Read(std::span<char> into) {
  CHECK(!into.empty());
  while (readable_) {
    const ssize_t got = ::recv(fd_.get(), into.data(), into.size(), 0);
    if (got > 0) {
      if (static_cast<size_t>(got) < into.size() && !event_.peer_closed() && error_ == 0) readable_ = false;
      return {IoStatus::kOk, static_cast<size_t>(got)};
    }
    // A write was given the reset, so that this looks like a good end. (EPIPE: the end had been good.)
    if (got == 0) return {error_ == 0 || error_ == EPIPE ? IoStatus::kEnd : IoStatus::kError};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      readable_ = false;
      break;
    }
    error_ = errno;
    return {IoStatus::kError};
  }
  return {IoStatus::kWouldBlock};
}

IoResult SocketStream::Write(std::string_view bytes) {
  CHECK(!bytes.empty());
  while (writable_) {
    const ssize_t put = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put >= 0) {
      if (static_cast<size_t>(put) < bytes.size()) writable_ = false;
      if (put > 0) return {IoStatus::kOk, static_cast<size_t>(put)};
      break;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      writable_ = false;
      break;
    }
    if (error_ == 0) error_ = errno;
    readable_ = true;  // a reset that came in one edge with data is still to be read
    return {IoStatus::kError};
  }
  return {IoStatus::kWouldBlock};
}

void SocketStream::ShutdownWrite() { ::shutdown(fd_.get(), SHUT_WR); }

}  // namespace gatebook::net
