#include "logger/redis_endpoint.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "logger/redis_command.h"

namespace gatebook::logger {
namespace {

constexpr size_t kMostPassword = 512;

base::Error Unavailable(std::string message) {
  return base::Error{std::move(message), base::ExitCode::kUnavailable};
}

}  // namespace

base::Result<net::SocketAddress> AddressOfRedis(const config::Redis& config) {
  if (config.tls) return Unavailable("rediss:// is not spoken by this version");
  if (config.server.kind != config::Endpoint::Kind::kUnix) {
    return net::SocketAddress::FromIp(config.server.ip, config.server.port);
  }
  const auto address = net::SocketAddress::FromUnixPath(config.server.path);
  if (!address) return Unavailable("the socket's path is too long");
  return *address;
}

base::Result<std::vector<net::SocketAddress>> ResolveRedis(const config::Redis& config) {
  std::vector<net::SocketAddress> addresses;
  if (config.tls || config.server.kind != config::Endpoint::Kind::kHostname) {
    const auto address = AddressOfRedis(config);
    if (!address) return address.error();
    addresses.push_back(*address);
    return addresses;
  }
  const std::string& hostname = config.server.hostname;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(hostname.c_str(), nullptr, &hints, &found);
  if (error != 0) return Unavailable(hostname + ": " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const auto ip = base::IpAddress::FromSockaddr(*one->ai_addr);
    if (ip) addresses.push_back(net::SocketAddress::FromIp(*ip, config.server.port));
  }
  if (addresses.empty()) return Unavailable(hostname + " has no address");
  return addresses;
}

base::Result<base::UniqueFd> BeginRedisConnect(const net::SocketAddress& address) {
  base::UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.IsValid()) return Unavailable(std::strerror(errno));
  if (address.family() != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  // A Unix socket whose queue of connections is full says EAGAIN: try again later.
  if (::connect(fd.get(), address.get(), address.size()) != 0 && errno != EINPROGRESS) {
    return Unavailable(std::strerror(errno));
  }
  return fd;
}

base::Result<std::string> ReadRedisPassword(const config::Redis& config) {
  std::string password;
  if (config.password_file.empty()) return password;
  std::ifstream file(config.password_file);
  if (!file || !std::getline(file, password)) return Unavailable("cannot read " + config.password_file);
  if (!password.empty() && password.back() == '\r') password.pop_back();
  if (password.size() > kMostPassword) return Unavailable(config.password_file + " holds no password");
  return password;
}

size_t AppendRedisGreeting(std::string& to, const config::Redis& config, const std::string& password) {
  size_t replies = 1;
  if (!password.empty()) {
    if (config.user.empty()) {
      AppendCommand(to, {"AUTH", password});
    } else {
      AppendCommand(to, {"AUTH", config.user, password});
    }
    ++replies;
  }
  if (config.database != 0) {
    AppendCommand(to, {"SELECT", std::to_string(config.database)});
    ++replies;
  }
  AppendCommand(to, {"PING"});
  return replies;
}

std::string RedisName(const config::Redis& config) {
  const char* scheme = config.tls ? "rediss://" : "redis://";
  switch (config.server.kind) {
    case config::Endpoint::Kind::kUnix:
      return "unix://" + config.server.path;
    case config::Endpoint::Kind::kIp: {
      const std::string ip = config.server.ip.ToText();
      return scheme + (config.server.ip.IsV4() ? ip : '[' + ip + ']') + ':' +
             std::to_string(config.server.port);
    }
    case config::Endpoint::Kind::kHostname:
      return scheme + config.server.hostname + ':' + std::to_string(config.server.port);
  }
  return scheme;
}

}  // namespace gatebook::logger
