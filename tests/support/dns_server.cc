#include "tests/support/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/check.h"

namespace gatebook::support {
namespace {

constexpr std::string_view kHead =
    "$TTL 300\n"
    "@ IN SOA ns.visitors.test. admin.visitors.test. 1 3600 600 86400 300\n"
    "@ IN NS ns.visitors.test.\n";

// RFC 1035 §5.1: \DDD is the octet of that decimal number.
constexpr std::string_view kReverse =
    "1.0.0 IN PTR localhost.visitors.test.\n"
    "2.0.0 IN PTR guest.visitors.test.\n"
    "3.0.0 IN PTR liar.visitors.test.\n"
    "5.0.0 IN PTR \\027[31mred\\013\\010\\\"<script>.visitors.test.\n";

constexpr std::string_view kForward =
    "ns IN A 127.0.0.1\n"
    "localhost IN A 127.0.0.1\n"
    "guest IN A 127.0.0.2\n"
    "liar IN A 192.0.2.99\n";

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// Asks for the SOA of "test" (any answer will do) and waits shortly.
bool Answers(uint16_t port) {
  constexpr char kQuestion[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04test\x00\x00\x06\x00\x01";
  base::UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  CHECK(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  if (send(fd.get(), kQuestion, sizeof kQuestion - 1, 0) < 0) return false;
  pollfd wait{fd.get(), POLLIN, 0};
  char answer[512];
  return poll(&wait, 1, 100) == 1 && recv(fd.get(), answer, sizeof answer, 0) > 0;
}

}  // namespace

DnsServer::DnsServer() : port_(FreePort()) {
  directory_.Write("reverse.zone", std::string(kHead).append(kReverse));
  directory_.Write("forward.zone", std::string(kHead).append(kForward));
  const std::string& path = directory_.path();
  const std::string conf = directory_.Write(
      "nsd.conf", "server:\n  server-count: 1\n  ip-address: 127.0.0.1@" + std::to_string(port_) +
                      "\n  username: \"\"\n  chroot: \"\"\n  database: \"\"\n  zonesdir: \"" + path +
                      "\"\n  pidfile: \"" + path + "/nsd.pid\"\n  xfrdfile: \"" + path +
                      "/xfrd\"\n  zonelistfile: \"" + path + "/zone.list\"\n  xfrdir: \"" + path +
                      "\"\nremote-control:\n  control-enable: no\n"
                      "zone:\n  name: 127.in-addr.arpa\n  zonefile: reverse.zone\n"
                      "zone:\n  name: visitors.test\n  zonefile: forward.zone\n");
  // Debian keeps servers in /usr/sbin, which is not in everyone's PATH.
  process_ = std::make_unique<Process>(std::vector<std::string>{"/usr/sbin/nsd", "-d", "-c", conf});
  if (!WaitUntil([this] { return !process_->IsRunning() || Answers(port_); }) || !process_->IsRunning()) {
    std::fprintf(stderr, "%s\n", process_->Describe().c_str());
    std::abort();
  }
}

SilentDnsServer::SilentDnsServer() : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  CHECK(bind(socket_.get(), generic, size) == 0);
  CHECK(getsockname(socket_.get(), generic, &size) == 0);
  port_ = ntohs(address.sin_port);
}

size_t SilentDnsServer::questions() {
  char datagram[512];
  while (recv(socket_.get(), datagram, sizeof datagram, 0) > 0) ++questions_;
  return questions_;
}

}  // namespace gatebook::support
