#include "net/socket_stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "net/connect.h"

namespace gatebook::net {

SocketStream::SocketStream(Loop& loop, base::UniqueFd fd, StreamHandler& handler)
    : fd_(std::move(fd)), event_(loop, *this), handler_(&handler) {}

std::unique_ptr<SocketStream> SocketStream::Accepted(Loop& loop, base::UniqueFd fd, StreamHandler& handler) {
  std::unique_ptr<SocketStream> stream(new SocketStream(loop, std::move(fd), handler));
  stream->readable_ = stream->writable_ = true;
  if (!stream->event_.Watch(stream->fd_.get())) return nullptr;
  return stream;
}

base::Result<std::unique_ptr<SocketStream>> SocketStream::Connect(Loop& loop, const SocketAddress& address,
                                                                  StreamHandler& handler,
                                                                  std::string preamble) {
  auto fd = BeginConnect(address);
  if (!fd.ok()) return fd.error();
  std::unique_ptr<SocketStream> stream(new SocketStream(loop, std::move(fd).value(), handler));
  stream->connecting_ = true;
  stream->preamble_ = std::move(preamble);
  if (!stream->event_.Watch(stream->fd_.get())) return base::Error{"no more descriptors can be watched"};
  return stream;
}

void SocketStream::OnReady(bool readable, bool writable) {
  if (connecting_) {
    if (!writable && !readable) return;
    connecting_ = false;
    if (const int error = FinishConnect(fd_.get(), std::exchange(preamble_, {})); error != 0) {
      error_ = error;
      event_.Stop();
      handler_->OnStreamFailed();
      return;
    }
    writable_ = true;
  }
  readable_ |= readable;
  writable_ |= writable;
  handler_->OnStreamReady();
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

IoResult SocketStream::Send(std::string_view bytes, int flags) {
  CHECK(!bytes.empty());
  while (writable_) {
    const ssize_t put = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | flags);
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

std::string_view SocketStream::failure() const {
  const char* text = error_ == 0 ? nullptr : strerrordesc_np(error_);
  return text == nullptr ? std::string_view() : text;
}

IoResult SocketStream::WriteLast(std::string_view bytes) {
  // More follows: the end.
  const IoResult result = Send(bytes, MSG_MORE);
  if (result.status == IoStatus::kOk && result.bytes == bytes.size()) ShutdownWrite();
  return result;
}

void SocketStream::ShutdownWrite() {
  if (!std::exchange(write_shut_, true)) ::shutdown(fd_.get(), SHUT_WR);
}

}  // namespace gatebook::net
