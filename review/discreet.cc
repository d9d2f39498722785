#include "review/discreet.h"

#include <libpsl.h>

namespace gatebook::review {
namespace {

constexpr int kV4Bits = 96 + 24;
constexpr int kV6Bits = 48;

}  // namespace

std::string ShortAddress(std::string_view ip) {
  const auto address = base::IpAddress::Parse(ip);
  if (!address) return {};
  if (address->IsLoopback()) return std::string(ip);
  return address->Truncated().ToText() + (address->IsV4() ? "/24" : "/48");
}

std::string DomainOf(std::string_view name) {
  // The list that the library was built with; it needs a text that ends.
  static const psl_ctx_t* const list = ::psl_builtin();
  // Only of registries (its "ICANN" part). Beneath what companies have put into it stand single machines and
  // homes, whose names often are their addresses: ec2-203-0-113-7.eu-west-1.compute.amazonaws.com. Nor does
  // the list's rule for what it does not know hold: mary-laptop.lan is nobody's domain.
  constexpr int kOfRegistries = PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE;
  if (list == nullptr) return {};
  std::string domain(name);
  for (size_t dot = domain.find('.'); dot != std::string::npos; dot = domain.find('.')) {
    if (dot == 0) break;
    const std::string above = domain.substr(dot + 1);
    if (::psl_is_public_suffix2(list, above.c_str(), kOfRegistries) != 0) {
      return ::psl_is_public_suffix2(list, domain.c_str(), kOfRegistries) != 0 ? std::string() : domain;
    }
    domain = above;
  }
  return {};
}

void MakeDiscreet(logger::StoredVisit* visit) {
  const auto address = base::IpAddress::Parse(visit->ip);
  if (address && address->IsLoopback()) return;
  visit->ip = ShortAddress(visit->ip);
  visit->dns = DomainOf(visit->dns);
}

bool IsCoarse(const base::Cidr& network) {
  if (network.address().IsLoopback()) return true;
  return network.bits() <= (network.IsV4() ? kV4Bits : kV6Bits);
}

}  // namespace gatebook::review
