// IpNetworkSet: the networks whose members are believed: trusted proxies, peers that speak
// the PROXY protocol.
//
// A peer on a Unix socket has no address (it is the unspecified one everywhere here); it
// is a member only where the set says "unix", and never by a wide network like ::/0.
// Likewise no IPv4 address is a member of a network written as IPv6 that is wider than
// the mapped range itself: "::/0" means all of IPv6, "0.0.0.0/0" all of IPv4.
//
// Thread: any once filled. Owns its networks.
// Limits: a look-up compares with each network; meant for at most some hundreds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"

namespace gatebook::base {

class IpNetworkSet {
 public:
  // "10.0.0.0/8", "::1/128", a single address, or "unix". nullptr, or what is wrong with it: a clause.
  static const char* Complaint(std::string_view text);
  // False if Complaint() has one, or the set holds it already.
  bool Add(std::string_view text);

  bool IsEmpty() const { return networks_.empty() && !unix_peers_; }
  bool Contains(const IpAddress& address) const;
  // What was added, each in the one form that Add() would be given for it; "unix" stands last.
  std::vector<std::string> ToTexts() const;

  bool operator==(const IpNetworkSet&) const = default;

 private:
  std::vector<Cidr> networks_;
  bool unix_peers_ = false;
};

}  // namespace gatebook::base
