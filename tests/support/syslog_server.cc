#include "tests/support/syslog_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace gatebook::support {
namespace {

constexpr int kPollMilliseconds = 5;

}  // namespace

SyslogServer::SyslogServer(Transport transport) : transport_(transport) {
  if (transport == Transport::kUnix) {
    fd_ = base::UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    CHECK(path().size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path().data(), path().size());
    CHECK(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  } else {
    const int type = transport == Transport::kUdp ? SOCK_DGRAM : SOCK_STREAM;
    fd_ = base::UniqueFd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    CHECK(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    if (transport == Transport::kTcp) CHECK(::listen(fd_.get(), 8) == 0);
  }
  thread_ = std::thread([this] { Run(); });
}

SyslogServer::~SyslogServer() {
  stop_ = true;
  thread_.join();
}

std::string SyslogServer::address() const {
  return transport_ == Transport::kUnix ? "unix:" + path() : "127.0.0.1:" + std::to_string(port_);
}

std::vector<std::string> SyslogServer::messages() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

std::string SyslogServer::fault() const {
  const std::lock_guard lock(mutex_);
  return fault_;
}

void SyslogServer::Run() {
  while (!stop_) {
    if (cut_off_.exchange(false)) connections_.clear();
    std::vector<pollfd> polled{{fd_.get(), static_cast<short>(paused_ ? 0 : POLLIN), 0}};
    for (const Connection& one : connections_)
      polled.push_back({one.fd.get(), static_cast<short>(paused_ ? 0 : POLLIN), 0});
    ::poll(polled.data(), polled.size(), kPollMilliseconds);
    if (paused_) continue;
    for (size_t i = polled.size(); i-- > 1;) {
      if ((polled[i].revents & (POLLIN | POLLHUP)) != 0 && !Receive(connections_[i - 1]))
        connections_.erase(connections_.begin() + static_cast<ptrdiff_t>(i - 1));
    }
    if ((polled[0].revents & POLLIN) == 0) continue;
    if (transport_ == Transport::kTcp) {
      connections_.push_back({base::UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)), {}});
      continue;
    }
    std::array<char, 65'536> bytes;
    const ssize_t got = ::recv(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    const std::lock_guard lock(mutex_);
    if (got > 0) messages_.emplace_back(bytes.data(), static_cast<size_t>(got));
  }
}

bool SyslogServer::Receive(Connection& connection) {
  std::array<char, 65'536> bytes;
  const ssize_t got = ::recv(connection.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got <= 0) return false;
  connection.bytes.append(bytes.data(), static_cast<size_t>(got));
  Take(connection);
  return true;
}

void SyslogServer::Take(Connection& connection) {
  const std::lock_guard lock(mutex_);
  std::string& bytes = connection.bytes;
  while (true) {
    const size_t space = bytes.find(' ');
    if (space == std::string::npos) return;
    size_t size = 0;
    const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + space, size);
    if (error != std::errc() || end != bytes.data() + space) {
      fault_ = "no count: " + bytes.substr(0, 40);
      return;
    }
    if (bytes.size() < space + 1 + size) return;
    messages_.push_back(bytes.substr(space + 1, size));
    bytes.erase(0, space + 1 + size);
  }
}

}  // namespace gatebook::support
