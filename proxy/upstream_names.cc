#include "proxy/upstream_names.h"

#include "base/log.h"

namespace gatebook::proxy {
namespace {

constexpr std::chrono::seconds kAgain{30};
constexpr std::chrono::seconds kAgainUnknown{1};
constexpr std::chrono::seconds kTimeout{5};

}  // namespace

UpstreamNames::UpstreamNames(net::Loop& loop, const config::Config& config) : loop_(loop), again_([this] { AskAll(); }) {
  for (const config::Upstream& upstream : config.upstreams) {
    for (const config::Endpoint& server : upstream.servers) {
      if (server.kind == config::Endpoint::Kind::kHostname) names_.try_emplace(server.hostname);
    }
  }
  if (names_.empty()) return;
  // The system's servers and hosts file: config's dns.servers are for visitors' names.
  net::ResolverOptions options;
  options.timeout = kTimeout;
  auto resolver = net::Resolver::Make(loop_, options);
  if (!resolver.ok()) {
    base::LogError("upstream", "names of upstream servers cannot be looked up: {}", resolver.error().message);
    return;
  }
  resolver_ = std::move(resolver).value();
  AskAll();
}

UpstreamNames::~UpstreamNames() = default;

const std::vector<base::IpAddress>& UpstreamNames::Find(const std::string& hostname) const {
  static const std::vector<base::IpAddress> kNone;
  const auto found = names_.find(hostname);
  return found == names_.end() ? kNone : found->second.addresses;
}

void UpstreamNames::AskAll() {
  for (auto& [hostname, name] : names_) {
    name.query = resolver_->ResolveAddresses(hostname, [this, &name](const net::DnsAnswer& answer) {
      if (answer.status == net::DnsStatus::kOk && !answer.addresses.empty()) name.addresses = answer.addresses;
      // The first answer is waited for with less patience than the next.
      if (name.addresses.empty()) again_.Arm(loop_.timers(), loop_.now() + kAgainUnknown);
    });
  }
  again_.Arm(loop_.timers(), loop_.now() + kAgain);
}

}  // namespace gatebook::proxy
