#include "proxy/upstream_lookups.h"

#include <utility>

#include "base/log.h"

namespace gatebook::proxy {
namespace {

constexpr std::chrono::seconds kAgain{30};
constexpr std::chrono::seconds kAgainUnknown{1};
constexpr std::chrono::seconds kTimeout{5};

}  // namespace

UpstreamLookups::UpstreamLookups(net::Loop& loop, const config::Config& config, OnAddresses on_addresses)
    : loop_(loop), on_addresses_(std::move(on_addresses)), again_([this] { AskAll(); }) {
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

void UpstreamLookups::AskAll() {
  for (auto& entry : names_) {
    Name& name = entry.second;
    if (name.asked) continue;  // a slow answer is waited for, within the resolver's timeout
    name.asked = true;
    name.query = resolver_->ResolveAddresses(entry.first, [this, &entry](const net::DnsAnswer& answer) {
      OnAnswer(entry.first, entry.second, answer);
    });
  }
  again_.Arm(loop_.timers(), loop_.now() + kAgain);
}

void UpstreamLookups::OnAnswer(const std::string& hostname, Name& name, const net::DnsAnswer& answer) {
  name.asked = false;
  if (answer.status == net::DnsStatus::kOk && !answer.addresses.empty()) {
    if (name.addresses != answer.addresses) {
      name.addresses = answer.addresses;
      on_addresses_(hostname, name.addresses);
    }
  } else if (name.addresses.empty()) {
    if (!std::exchange(name.missed, true)) base::LogWarning("upstream", "{} has no address yet", hostname);
    again_.Arm(loop_.timers(), loop_.now() + kAgainUnknown);
  }
}

}  // namespace gatebook::proxy
