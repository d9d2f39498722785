#include "base/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace gatebook::base {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

IpAddress IpAddress::FromV4(uint32_t host_order) {
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), kMappedPrefix.data(), kMappedPrefix.size());
  const uint32_t network = htonl(host_order);
  std::memcpy(bytes.data() + 12, &network, 4);
  return IpAddress(bytes);
}

std::optional<IpAddress> IpAddress::FromSockaddr(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &address, sizeof in);
    return FromV4(ntohl(in.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in6;
    std::memcpy(&in6, &address, sizeof in6);
    std::array<uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &in6.sin6_addr, bytes.size());
    return IpAddress(bytes);
  }
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof terminated) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  in_addr v4;
  if (inet_pton(AF_INET, terminated, &v4) == 1) return FromV4(ntohl(v4.s_addr));
  std::array<uint8_t, 16> bytes;
  if (inet_pton(AF_INET6, terminated, bytes.data()) == 1) return IpAddress(bytes);
  return std::nullopt;
}

bool IpAddress::IsV4() const {
  return std::memcmp(bytes_.data(), kMappedPrefix.data(), kMappedPrefix.size()) == 0;
}

bool IpAddress::IsLoopback() const {
  if (IsV4()) return bytes_[12] == 127;
  std::array<uint8_t, 16> loopback{};
  loopback[15] = 1;
  return bytes_ == loopback;
}

IpAddress IpAddress::Masked(int bits) const {
  std::array<uint8_t, 16> masked = bytes_;
  for (int i = 0; i < 16; ++i) {
    const int kept = bits - 8 * i;  // of this octet
    if (kept < 8)
      masked[static_cast<size_t>(i)] &= kept <= 0 ? uint8_t{0} : static_cast<uint8_t>(0xff << (8 - kept));
  }
  return IpAddress(masked);
}

std::string IpAddress::ToText() const {
  char text[INET6_ADDRSTRLEN];
  if (IsV4()) {
    inet_ntop(AF_INET, bytes_.data() + 12, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
  }
  return text;
}

std::string IpAddress::ToReverseName() const {
  std::string name;
  if (IsV4()) {
    for (int i = 15; i >= 12; --i) name += std::to_string(bytes_[static_cast<size_t>(i)]) + ".";
    return name + "in-addr.arpa";
  }
  constexpr char kHex[] = "0123456789abcdef";
  for (int i = 15; i >= 0; --i) {
    const uint8_t byte = bytes_[static_cast<size_t>(i)];
    name += {kHex[byte & 15], '.', kHex[byte >> 4], '.'};
  }
  return name + "ip6.arpa";
}

std::optional<Cidr> Cidr::Parse(std::string_view text) {
  Cidr cidr;
  const size_t slash = text.find('/');
  const auto address = IpAddress::Parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  cidr.address_ = *address;
  if (slash == std::string_view::npos) return cidr;
  const std::string_view bits = text.substr(slash + 1);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), value);
  // How it is written says what is counted: ::ffff:10.0.0.0/104 is 10.0.0.0/8.
  const bool dotted_quad = text.find(':') == std::string_view::npos;
  const unsigned most = dotted_quad ? 32 : 128;
  if (error != std::errc() || end != bits.data() + bits.size() || value > most) return std::nullopt;
  if (bits.size() > 1 && bits.front() == '0') return std::nullopt;  // octal to some
  cidr.bits_ = static_cast<int>(dotted_quad ? value + 96 : value);
  return cidr;
}

bool Cidr::Contains(const IpAddress& address) const {
  const auto& mine = address_.bytes();
  const auto& other = address.bytes();
  const size_t whole = static_cast<size_t>(bits_) / 8;
  if (std::memcmp(mine.data(), other.data(), whole) != 0) return false;
  const int rest = bits_ % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return (mine[whole] & mask) == (other[whole] & mask);
}

bool Cidr::HasStrayBits() const {
  for (int bit = bits_; bit < 128; ++bit) {
    if (address_.bytes()[static_cast<size_t>(bit) / 8] & (0x80 >> (bit % 8))) return true;
  }
  return false;
}

std::string Cidr::ToText() const {
  if (bits_ == 128) return address_.ToText();
  return address_.ToText() + "/" + std::to_string(IsV4() ? bits_ - 96 : bits_);
}

}  // namespace gatebook::base
