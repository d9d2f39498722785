#include "proxy/edition.h"

#include <algorithm>

#include "base/log.h"
#include "proxy/own_site.h"

namespace gatebook::proxy {
namespace {

bool HasTls(const config::Upstream& upstream) {
  return std::any_of(upstream.servers.begin(), upstream.servers.end(),
                     [](const config::Endpoint& server) { return server.tls; });
}

}  // namespace

bool HaveSameServers(const config::Config& one, const config::Config& other) {
  // Certificates and authorities may have changed behind the same file names.
  return one.upstreams == other.upstreams && std::none_of(one.upstreams.begin(), one.upstreams.end(), HasTls);
}

base::Result<EditionParts> MakeEdition(std::shared_ptr<const config::Config> config, const Edition* before,
                                       uint32_t workers, review::RightsDesk& desk) {
  auto edition = std::make_shared<Edition>();
  EditionParts parts;
  parts.tls.resize(workers);
  edition->number = before == nullptr ? 1 : before->number + 1;
  edition->loaded = base::Clock::System().WallNow();
  edition->config = std::move(config);
  const config::Config& from = *edition->config;
  const bool any_tls = std::any_of(from.listen.begin(), from.listen.end(),
                                   [](const config::Listen& listen) { return listen.tls; });
  if (any_tls) {
    std::vector<std::string> warnings;
    auto store = tls::CertificateStore::Load(from.certificates, edition->loaded, warnings);
    if (!store.ok()) return store.error();
    for (const std::string& warning : warnings) base::LogWarning("tls", "{}", warning);
    edition->certificates = std::move(store).value();
    if (from.tls.tickets && before != nullptr && before->ticket_keys &&
        before->ticket_keys->rotation() == from.tls.ticket_key_rotation) {
      edition->ticket_keys = before->ticket_keys;
    } else if (from.tls.tickets) {
      auto keys = tls::TicketKeys::Make(from.tls.ticket_key_rotation, base::Clock::System());
      if (!keys.ok()) return keys.error();
      edition->ticket_keys = std::move(keys).value();
    }
    std::vector<std::string> protocols{"http/1.1", "http/1.0"};
    if (from.tls.http2) protocols.insert(protocols.begin(), "h2");
    for (auto& made : parts.tls) {
      auto context = tls::TlsContext::Make(from.tls, edition->certificates, edition->ticket_keys, protocols);
      if (!context.ok()) return context.error();
      made = std::move(context).value();
    }
  }
  auto own_paths = MakeOwnPaths(from, desk);
  if (!own_paths.ok()) return own_paths.error();
  edition->own_paths = std::move(own_paths).value();
  auto upstream_tls = MakeUpstreamTls(from, workers + 1);
  if (!upstream_tls.ok()) return upstream_tls.error();
  parts.upstream_tls = std::move(upstream_tls).value();
  if (before == nullptr) {
    edition->health = std::make_shared<HealthBoard>(from);
  } else if (HaveSameServers(*before->config, from)) {
    edition->health = before->health;
  } else {
    edition->health = std::make_shared<HealthBoard>(from, *before->health, *before->config);
  }
  parts.edition = std::move(edition);
  return parts;
}

}  // namespace gatebook::proxy
