// IpAddress and Cidr: addresses as values.
//
// IPv4 is held as IPv4-mapped IPv6 (RFC 4291 §2.5.5.2), so that a client seen
// through a dual-stack socket and one seen through an IPv4 socket are the same.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace gatebook::base {

class IpAddress {
 public:
  // The unspecified address "::".
  IpAddress() = default;

  static IpAddress FromV4(uint32_t host_order);
  static IpAddress FromBytes(const std::array<uint8_t, 16>& bytes) { return IpAddress(bytes); }
  // AF_INET and AF_INET6; nothing for other families (a Unix socket has no address).
  static std::optional<IpAddress> FromSockaddr(const sockaddr& address);
  // Text of RFC 4291 §2.2 or dotted quad; no zone, no brackets, no port.
  static std::optional<IpAddress> Parse(std::string_view text);

  bool IsV4() const;
  bool IsUnspecified() const { return bytes_ == std::array<uint8_t, 16>{}; }
  bool IsLoopback() const;
  // RFC 5952; dotted quad for IPv4. At most 45 characters.
  std::string ToText() const;
  // The reverse-lookup name: 4.3.2.1.in-addr.arpa or ….ip6.arpa, no last dot.
  std::string ToReverseName() const;
  // Only the first `bits` bits of the mapped form; the others are 0.
  IpAddress Masked(int bits) const;
  // Its network as far as statistics may know it: /24 of IPv4, /48 of IPv6.
  IpAddress Truncated() const { return Masked(IsV4() ? 96 + 24 : 48); }
  // Network order; IPv4 in mapped form.
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }

  auto operator<=>(const IpAddress&) const = default;

 private:
  explicit IpAddress(const std::array<uint8_t, 16>& bytes) : bytes_(bytes) {}
  std::array<uint8_t, 16> bytes_{};
};

// A network: an address and the number of its leading bits that matter.
class Cidr {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or a single address.
  static std::optional<Cidr> Parse(std::string_view text);
  bool Contains(const IpAddress& address) const;
  // Whether a bit behind the leading ones is set, as in "10.0.0.5/8": most often a slip.
  bool HasStrayBits() const;
  // Whether it holds IPv4 addresses and no others.
  bool IsV4() const { return bits_ >= 96 && address_.IsV4(); }
  const IpAddress& address() const { return address_; }
  int bits() const { return bits_; }  // of the mapped form
  // As Parse() takes it; a single address without its length.
  std::string ToText() const;

  bool operator==(const Cidr&) const = default;

 private:
  IpAddress address_;
  int bits_ = 128;  // of the mapped form
};

}  // namespace gatebook::base
