#include "net/socket_address.h"

#include <arpa/inet.h>

#include <cstring>

namespace gatebook::net {

SocketAddress SocketAddress::FromIp(const base::IpAddress& ip, uint16_t port) {
  SocketAddress address;
  if (ip.IsV4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, ip.bytes().data() + 12, 4);
    std::memcpy(&address.storage_, &in, sizeof in);
    address.size_ = sizeof in;
  } else {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    std::memcpy(&in6.sin6_addr, ip.bytes().data(), 16);
    std::memcpy(&address.storage_, &in6, sizeof in6);
    address.size_ = sizeof in6;
  }
  return address;
}

std::optional<SocketAddress> SocketAddress::FromUnixPath(const std::string& path) {
  sockaddr_un un{};
  if (path.empty() || path.size() >= sizeof un.sun_path) return std::nullopt;
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  SocketAddress address;
  std::memcpy(&address.storage_, &un, sizeof un);
  address.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

}  // namespace gatebook::net
