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
  const std::string text(name);
  if (list == nullptr || text.empty()) return {};
  const char* const domain = ::psl_registrable_domain(list, text.c_str());
  return domain == nullptr ? std::string() : std::string(domain);
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
