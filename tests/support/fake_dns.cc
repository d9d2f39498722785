#include "tests/support/fake_dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstring>
#include <utility>

#include "base/ascii.h"
#include "base/check.h"
#include "base/ip_address.h"

namespace gatebook::support {
namespace {

constexpr size_t kAnswerCount = 6;  // offsets into the header
constexpr size_t kAuthorityCount = 8;

void Put(Bytes& bytes, uint32_t value, int octets) {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<uint8_t>(value >> shift));
}

void Append(Bytes& bytes, const Bytes& more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

DnsQuestion ReadQuestion(Bytes message, bool tcp) {
  DnsQuestion question;
  size_t at = 12;
  while (at < message.size() && message[at] != 0) {
    const size_t length = message[at++];
    if (!question.name.empty()) question.name += '.';
    for (size_t i = 0; i < length && at < message.size(); ++i) {
      question.name += base::ToAsciiLower(static_cast<char>(message[at++]));
    }
  }
  if (at + 2 < message.size()) question.type = static_cast<uint16_t>(message[at + 1] << 8 | message[at + 2]);
  question.message = std::move(message);
  question.tcp = tcp;
  return question;
}

bool ReadWhole(int fd, uint8_t* to, size_t count) {
  while (count > 0) {
    const ssize_t got = ::read(fd, to, count);
    if (got <= 0) return false;
    to += got;
    count -= static_cast<size_t>(got);
  }
  return true;
}

}  // namespace

Bytes DnsMessage::NameBytes(const std::string& name) {
  Bytes bytes;
  for (size_t at = 0; at < name.size();) {
    const size_t end = std::min(name.find('.', at), name.size());
    bytes.push_back(static_cast<uint8_t>(end - at));
    bytes.insert(bytes.end(), name.begin() + static_cast<ptrdiff_t>(at),
                 name.begin() + static_cast<ptrdiff_t>(end));
    at = end + 1;
  }
  bytes.push_back(0);
  return bytes;
}

DnsMessage::DnsMessage(const Bytes& query, uint8_t code) {
  CHECK(query.size() >= 12);
  size_t end = 12;
  while (end < query.size() && query[end] != 0) end += query[end] + 1U;
  end = std::min(end + 5, query.size());
  bytes_.assign(query.begin(), query.begin() + static_cast<ptrdiff_t>(end));
  bytes_[2] = 0x81;  // an answer, recursion desired
  bytes_[3] = static_cast<uint8_t>(0x80 | code);
  std::fill(bytes_.begin() + 6, bytes_.begin() + 12, uint8_t{0});
}

DnsMessage& DnsMessage::Record(const std::string& owner, net::DnsType type, uint32_t ttl, const Bytes& data) {
  Append(bytes_, NameBytes(owner));
  Put(bytes_, static_cast<uint32_t>(type), 2);
  Put(bytes_, 1, 2);
  Put(bytes_, ttl, 4);
  Put(bytes_, static_cast<uint32_t>(data.size()), 2);
  Append(bytes_, data);
  ++bytes_[(type == net::DnsType::kSoa ? kAuthorityCount : kAnswerCount) + 1];
  return *this;
}

DnsMessage& DnsMessage::Ptr(const std::string& owner, const std::string& name, uint32_t ttl) {
  return Record(owner, net::DnsType::kPtr, ttl, NameBytes(name));
}

DnsMessage& DnsMessage::Cname(const std::string& owner, const std::string& name, uint32_t ttl) {
  return Record(owner, net::DnsType::kCname, ttl, NameBytes(name));
}

DnsMessage& DnsMessage::Address(const std::string& owner, const std::string& ip, uint32_t ttl) {
  const auto address = base::IpAddress::Parse(ip);
  CHECK(address.has_value());
  const auto& octets = address->bytes();
  if (address->IsV4()) return Record(owner, net::DnsType::kA, ttl, Bytes(octets.begin() + 12, octets.end()));
  return Record(owner, net::DnsType::kAaaa, ttl, Bytes(octets.begin(), octets.end()));
}

DnsMessage& DnsMessage::Soa(const std::string& owner, uint32_t ttl, uint32_t minimum) {
  Bytes data = NameBytes("ns." + owner);
  Append(data, NameBytes("hostmaster." + owner));
  for (const uint32_t value : {1U, 2U, 3U, 4U, minimum}) Put(data, value, 4);
  return Record(owner, net::DnsType::kSoa, ttl, data);
}

DnsMessage& DnsMessage::Truncated() {
  bytes_[2] |= 2;
  return *this;
}

FakeDns::FakeDns(Script script) : script_(std::move(script)), stop_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // The TCP port must be free as well; another process may have taken it in between.
  for (int tries = 0; tries < 100; ++tries) {
    udp_.Reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    tcp_.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    address.sin_port = 0;
    CHECK(::bind(udp_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    CHECK(::getsockname(udp_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    if (::bind(tcp_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) break;
  }
  CHECK(::listen(tcp_.get(), 16) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

FakeDns::~FakeDns() {
  const uint64_t one = 1;
  CHECK(::write(stop_.get(), &one, sizeof one) == sizeof one);
  thread_.join();
}

void FakeDns::Serve() {
  for (;;) {
    pollfd watched[] = {{stop_.get(), POLLIN, 0}, {udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}};
    ::poll(watched, 3, -1);
    if (watched[0].revents != 0) return;
    if (watched[1].revents != 0) ServeDatagram();
    if (watched[2].revents != 0) ServeConnection();
  }
}

void FakeDns::ServeDatagram() {
  Bytes message(4096);
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const ssize_t got =
      ::recvfrom(udp_.get(), message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (got < 12) return;
  message.resize(static_cast<size_t>(got));
  ++questions_;
  for (const Bytes& answer : script_(ReadQuestion(std::move(message), false))) {
    ::sendto(udp_.get(), answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from), size);
  }
}

// One question a connection.
void FakeDns::ServeConnection() {
  const base::UniqueFd connection(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const timeval patience{5, 0};
  ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  uint8_t length[2];
  if (!ReadWhole(connection.get(), length, sizeof length)) return;
  Bytes message(static_cast<size_t>(length[0] << 8 | length[1]));
  if (!ReadWhole(connection.get(), message.data(), message.size()) || message.size() < 12) return;
  ++questions_;
  for (const Bytes& answer : script_(ReadQuestion(std::move(message), true))) {
    Bytes framed;
    Put(framed, static_cast<uint32_t>(answer.size()), 2);
    Append(framed, answer);
    [[maybe_unused]] const ssize_t sent =
        ::send(connection.get(), framed.data(), framed.size(), MSG_NOSIGNAL);
  }
  uint8_t last;
  [[maybe_unused]] const ssize_t end =
      ::read(connection.get(), &last, 1);  // until the client has read it all
}

}  // namespace gatebook::support
