#include "proxy/upstream_lookups.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace gatebook::proxy {
namespace {

constexpr std::chrono::seconds kTimeout{5};

}  // namespace

UpstreamLookups::UpstreamLookups(net::Loop& loop, const config::Config& config, OnAddresses on_addresses,
                                 const Options& when)
    : loop_(loop), when_(when), on_addresses_(std::move(on_addresses)) {
  for (const config::Upstream& upstream : config.upstreams) {
    for (const config::Endpoint& server : upstream.servers) {
      if (server.kind == config::Endpoint::Kind::kHostname) names_.try_emplace(server.hostname);
    }
  }
  if (names_.empty()) return;
  // The system's servers and hosts file: config's dns.servers are for visitors' names.
  net::ResolverOptions options;
  options.timeout = kTimeout;
  options.servers = when_.servers;
  auto resolver = net::Resolver::Make(loop_, options);
  if (!resolver.ok()) {
    base::LogError("upstream", "names of upstream servers cannot be looked up: {}", resolver.error().message);
    return;
  }
  resolver_ = std::move(resolver).value();
  for (auto& entry : names_) {
    entry.second.again.SetCallback([this, &entry] { Ask(entry.first, entry.second); });
    Ask(entry.first, entry.second);
  }
}

void UpstreamLookups::Ask(const std::string& hostname, Name& name) {
  name.query = resolver_->ResolveAddresses(
      hostname, [this, &hostname, &name](const net::DnsAnswer& answer) { OnAnswer(hostname, name, answer); });
}

void UpstreamLookups::OnAnswer(const std::string& hostname, Name& name, const net::DnsAnswer& answer) {
  std::chrono::milliseconds again = when_.at_the_latest;
  if (answer.status == net::DnsStatus::kOk && !answer.addresses.empty()) {
    if (name.addresses != answer.addresses) {
      name.addresses = answer.addresses;
      on_addresses_(hostname, name.addresses);
    }
    if (answer.ttl >= std::chrono::seconds(0)) {
      again = std::clamp<std::chrono::milliseconds>(answer.ttl, when_.at_the_earliest, when_.at_the_latest);
    }
  } else if (name.addresses.empty()) {
    if (!std::exchange(name.missed, true)) base::LogWarning("upstream", "{} has no address yet", hostname);
    again = when_.unknown;
  }
  name.again.Arm(loop_.timers(), loop_.now() + again);
}

}  // namespace gatebook::proxy
