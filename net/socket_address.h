// SocketAddress: where a socket is bound or connected, as the kernel wants it.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

#include <optional>
#include <string>

#include "base/ip_address.h"

namespace gatebook::net {

class SocketAddress {
 public:
  // IPv4 where the address is (mapped) IPv4.
  static SocketAddress FromIp(const base::IpAddress& ip, uint16_t port);
  // Nothing when the path is longer than sun_path (107 bytes).
  static std::optional<SocketAddress> FromUnixPath(const std::string& path);

  int family() const { return storage_.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace gatebook::net
