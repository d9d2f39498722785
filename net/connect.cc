#include "net/connect.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace gatebook::net {

base::Result<base::UniqueFd> BeginConnect(const SocketAddress& address) {
  base::UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.IsValid()) return base::Error{fmt::format("socket: {}", std::strerror(errno))};
  if (address.family() != AF_UNIX) {
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const int done = ::connect(fd.get(), address.get(), address.size());
  // EAGAIN: a Unix socket whose queue is full; that is a failure, there will be no event.
  if (done != 0 && errno != EINPROGRESS) return base::Error{fmt::format("connect: {}", std::strerror(errno))};
  return fd;
}

int FinishConnect(int fd, std::string_view preamble) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0 || preamble.empty()) return error;
  const ssize_t put = ::send(fd, preamble.data(), preamble.size(), MSG_NOSIGNAL);
  if (put < 0) return errno;
  return static_cast<size_t>(put) == preamble.size() ? 0 : ENOBUFS;
}

}  // namespace gatebook::net
