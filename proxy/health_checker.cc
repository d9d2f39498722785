#include "proxy/health_checker.h"

namespace gatebook::proxy {

HealthChecker::HealthChecker(net::Loop& loop, base::MetricsBlock& metrics, const config::Config& config,
                             HealthBoard& board, const UpstreamTls& tls)
    : loop_(loop) {
  for (size_t i = 0; i < config.upstreams.size(); ++i) {
    const config::Upstream& upstream = config.upstreams[i];
    if (upstream.health_path.empty()) continue;
    for (size_t server = 0; server < upstream.servers.size(); ++server) {
      const config::Endpoint& endpoint = upstream.servers[server];
      checks_.push_back(std::make_unique<HealthCheck>(
          HealthCheck::Parts{loop, buffers_, metrics, names_, config, upstream, board.Of(i)[server]},
          UpstreamTarget{endpoint, server, endpoint.tls ? tls[i] : nullptr}));
    }
  }
}

HealthChecker::~HealthChecker() {
  for (auto& check : checks_) {
    check->Abandon();
    loop_.Dispose(std::move(check));
  }
}

}  // namespace gatebook::proxy
