#include "base/ip_network_set.h"

#include <algorithm>
#include <utility>

namespace gatebook::base {
namespace {

constexpr std::string_view kUnix = "unix";

}  // namespace

const char* IpNetworkSet::Complaint(std::string_view text) {
  if (text == kUnix) return nullptr;
  const auto network = Cidr::Parse(text);
  if (!network) return "not a network: write \"10.0.0.0/8\", \"2001:db8::/32\", a single address or \"unix\"";
  if (network->HasStrayBits()) return "the address has bits behind its prefix length";
  return nullptr;
}

bool IpNetworkSet::Add(std::string_view text) {
  if (Complaint(text) != nullptr) return false;
  if (text == kUnix) return !std::exchange(unix_peers_, true);
  const Cidr network = *Cidr::Parse(text);
  if (std::ranges::find(networks_, network) != networks_.end()) return false;
  networks_.push_back(network);
  return true;
}

bool IpNetworkSet::Contains(const IpAddress& address) const {
  if (address.IsUnspecified()) return unix_peers_;
  const bool v4 = address.IsV4();
  return std::ranges::any_of(
      networks_, [&](const Cidr& network) { return network.IsV4() == v4 && network.Contains(address); });
}

std::vector<std::string> IpNetworkSet::ToTexts() const {
  std::vector<std::string> texts;
  for (const Cidr& network : networks_) texts.push_back(network.ToText());
  if (unix_peers_) texts.emplace_back(kUnix);
  return texts;
}

}  // namespace gatebook::base
