#include "proxy/admin_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>

#include "base/unique_fd.h"
#include "net/socket_address.h"

namespace gatebook::proxy {
namespace {

constexpr std::chrono::seconds kQuestion{5};
constexpr std::chrono::seconds kOrder{60};
constexpr size_t kMostAnswer = 4 * 1024 * 1024;

base::Error Unreachable(const config::Endpoint& address, const std::string& why) {
  return base::Error{fmt::format("gatebook does not answer at {}: {}", address.text, why),
                     base::ExitCode::kUnavailable};
}

base::Result<AdminAnswer> Exchange(const config::Endpoint& address, const std::string& request_line,
                                   std::chrono::seconds most) {
  const auto target = address.kind == config::Endpoint::Kind::kUnix
                          ? net::SocketAddress::FromUnixPath(address.path)
                          : std::optional(net::SocketAddress::FromIp(address.ip, address.port));
  if (!target) return Unreachable(address, "the path is too long");
  const base::UniqueFd fd(::socket(target->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{most.count(), 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (!fd.IsValid() || ::connect(fd.get(), target->get(), target->size()) != 0) {
    return Unreachable(address, std::strerror(errno));
  }
  const std::string request =
      fmt::format("{} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n", request_line);
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
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
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  AdminAnswer result;
  if (head_end == std::string::npos || !answer.starts_with(kVersion) ||
      std::from_chars(answer.data() + kVersion.size(), answer.data() + head_end, result.status).ec !=
          std::errc()) {
    return Unreachable(address, "that was no good answer");
  }
  result.body = answer.substr(head_end + 4);
  return result;
}

}  // namespace

base::Result<std::string> AskAdmin(const config::Endpoint& address, const std::string& path) {
  auto answer = Exchange(address, "GET " + path, kQuestion);
  if (!answer.ok()) return answer.error();
  if (answer->status != 200) return Unreachable(address, "that was no good answer");
  return std::move(answer->body);
}

base::Result<AdminAnswer> TellAdmin(const config::Endpoint& address, const std::string& path) {
  return Exchange(address, "POST " + path, kOrder);
}

}  // namespace gatebook::proxy
