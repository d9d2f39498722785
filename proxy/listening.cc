#include "proxy/listening.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "net/listener.h"

namespace gatebook::proxy {
namespace {

constexpr uint16_t kFirstOpenPort = 1024;  // below: for root only, as kernels are set up

base::Error Explained(base::Error error, const config::Endpoint& endpoint) {
  if (endpoint.kind == config::Endpoint::Kind::kIp && endpoint.port < kFirstOpenPort && geteuid() != 0) {
    error.message += " (a port below 1024 is bound at start, before the user is changed: restart)";
  }
  return error;
}

}  // namespace

base::Result<base::UniqueFd> BindEndpoint(const config::Endpoint& endpoint, int unix_mode) {
  if (endpoint.kind == config::Endpoint::Kind::kUnix) {
    const auto address = net::SocketAddress::FromUnixPath(endpoint.path);
    if (!address)
      return base::Error{fmt::format("{}: the path is too long", endpoint.text), base::ExitCode::kConfig};
    return net::BindListener(*address, endpoint.text, unix_mode);
  }
  return net::BindListener(net::SocketAddress::FromIp(endpoint.ip, endpoint.port), endpoint.text, unix_mode);
}

base::Result<std::vector<std::vector<BoundListener>>> BindListeners(const std::vector<config::Listen>& listen,
                                                                    const std::vector<config::Listen>& open,
                                                                    uint32_t workers) {
  std::vector<std::vector<BoundListener>> by_worker(workers);
  for (const config::Listen& one : listen) {
    if (FindListen(open, one.address) != nullptr) continue;
    const bool is_unix = one.address.kind == config::Endpoint::Kind::kUnix;
    if (!is_unix) {
      const auto address = net::SocketAddress::FromIp(one.address.ip, one.address.port);
      if (auto unused = net::CheckUnused(address, one.address.text); !unused.ok()) {
        return Explained(unused.error(), one.address);
      }
    }
    base::UniqueFd first;
    for (auto& bound : by_worker) {
      // TCP: a socket a worker, the kernel deals connections out. A Unix path has one socket; all wait on it.
      if (is_unix && first.IsValid()) {
        bound.push_back({base::UniqueFd(fcntl(first.get(), F_DUPFD_CLOEXEC, 0)), one});
        continue;
      }
      auto fd = BindEndpoint(one.address, 0666);
      if (!fd.ok()) return Explained(fd.error(), one.address);
      if (is_unix) first.Reset(fcntl(fd->get(), F_DUPFD_CLOEXEC, 0));
      bound.push_back({std::move(fd).value(), one});
    }
  }
  return by_worker;
}

bool HaveSameAddress(const config::Endpoint& one, const config::Endpoint& other) {
  return one.kind == other.kind && one.ip == other.ip && one.port == other.port && one.path == other.path;
}

const config::Listen* FindListen(const std::vector<config::Listen>& listen, const config::Endpoint& address) {
  const auto found = std::find_if(listen.begin(), listen.end(), [&address](const config::Listen& one) {
    return HaveSameAddress(one.address, address);
  });
  return found == listen.end() ? nullptr : &*found;
}

}  // namespace gatebook::proxy
