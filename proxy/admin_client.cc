#include "proxy/admin_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "net/socket_address.h"

namespace gatebook::proxy {
namespace {

constexpr size_t kMostAnswer = 4 * 1024 * 1024;

base::Error Unreachable(const config::Endpoint& address, const std::string& why) {
  return base::Error{fmt::format("gatebook does not answer at {}: {}", address.text, why), base::ExitCode::kUnavailable};
}

}  // namespace

base::Result<std::string> AskAdmin(const config::Endpoint& address, const std::string& path) {
  const auto target = address.kind == config::Endpoint::Kind::kUnix
                          ? net::SocketAddress::FromUnixPath(address.path)
                          : std::optional(net::SocketAddress::FromIp(address.ip, address.port));
  if (!target) return Unreachable(address, "the path is too long");
  const base::UniqueFd fd(::socket(target->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{5, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (!fd.IsValid() || ::connect(fd.get(), target->get(), target->size()) != 0) {
    return Unreachable(address, std::strerror(errno));
  }
  const std::string request = fmt::format("GET {} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n", path);
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return Unreachable(address, std::strerror(errno));
  }
  std::string answer;
  char bytes[16384];
  while (answer.size() < kMostAnswer) {
    const ssize_t got = ::recv(fd.get(), bytes, sizeof bytes, 0);
    if (got < 0) return Unreachable(address, std::strerror(errno));
    if (got == 0) break;
    answer.append(bytes, static_cast<size_t>(got));
  }
  const size_t head_end = answer.find("\r\n\r\n");
  if (head_end == std::string::npos || !answer.starts_with("HTTP/1.1 200 ")) {
    return Unreachable(address, "that was no good answer");
  }
  return answer.substr(head_end + 4);
}

}  // namespace gatebook::proxy
