#include "proxy/upstream_pool.h"

#include <algorithm>

#include "base/check.h"
#include "proxy/upstream_names.h"

namespace gatebook::proxy {

using base::Metric;

// A pooled connection. Anything that happens on it while nobody uses it ends it.
class UpstreamPool::Idle : public net::Disposable, private UpstreamConnection::User {
 public:
  Idle(UpstreamPool& pool, std::unique_ptr<UpstreamConnection> connection)
      : pool_(pool), metrics_(pool.metrics_), connection_(std::move(connection)) {
    connection_->SetUser(this);
    metrics_.Add(Metric::kUpstreamIdle);
  }
  ~Idle() override { metrics_.Sub(Metric::kUpstreamIdle); }  // the pool may have ended before

  std::unique_ptr<UpstreamConnection> Take() {
    connection_->SetUser(nullptr);
    return std::move(connection_);
  }
  const UpstreamConnection& connection() const { return *connection_; }

 private:
  void OnUpstreamReady() override {
    if (!connection_) return;
    // A writable edge is no news; whatever can be read is.
    char byte;
    if (connection_->stream().Read({&byte, 1}).status == net::IoStatus::kWouldBlock) return;
    pool_.Remove(this);
  }
  void OnUpstreamFailed() override { pool_.Remove(this); }

  UpstreamPool& pool_;
  base::MetricsBlock& metrics_;
  std::unique_ptr<UpstreamConnection> connection_;
};

UpstreamPool::UpstreamPool(net::Loop& loop, base::BufferPool& buffers, base::MetricsBlock& metrics,
                           UpstreamNames& names, const config::Config& config,
                           const config::Upstream& upstream)
    : loop_(loop),
      buffers_(buffers),
      metrics_(metrics),
      names_(names),
      config_(config),
      upstream_(upstream),
      limits_{config.limits.target_size, config.limits.header_size, config.limits.header_count},
      sweep_([this] { SweepIdle(); }) {}

UpstreamPool::~UpstreamPool() = default;

std::unique_ptr<UpstreamConnection> UpstreamPool::TakeIdle() {
  if (idle_.empty()) return nullptr;
  auto connection = idle_.back()->Take();
  // The wrapper may be on the call stack: an idle connection's own event can lead here.
  loop_.Dispose(std::move(idle_.back()));
  idle_.pop_back();
  connection->set_reused();
  metrics_.Add(Metric::kUpstreamReused);
  return connection;
}

void UpstreamPool::GiveIdle(std::unique_ptr<UpstreamConnection> connection) {
  connection->SetUser(nullptr);
  if (idle_.size() >= upstream_.max_idle) {
    loop_.Dispose(std::move(connection));
    return;
  }
  connection->received().Release();
  connection->set_idle_since(loop_.now());
  idle_.push_back(std::make_unique<Idle>(*this, std::move(connection)));
  if (!sweep_.IsArmed()) sweep_.Arm(loop_.timers(), loop_.now() + config_.timeouts.upstream_keep_alive);
}

void UpstreamPool::Remove(Idle* idle) {
  const auto found =
      std::find_if(idle_.begin(), idle_.end(), [idle](const auto& held) { return held.get() == idle; });
  if (found == idle_.end()) return;
  loop_.Dispose(std::move(*found));
  idle_.erase(found);
}

void UpstreamPool::SweepIdle() {
  // The oldest stand first.
  const base::SteadyTime oldest = loop_.now() - config_.timeouts.upstream_keep_alive;
  while (!idle_.empty() && idle_.front()->connection().idle_since() <= oldest) {
    loop_.Dispose(std::move(idle_.front()));
    idle_.erase(idle_.begin());
  }
  if (!idle_.empty()) {
    sweep_.Arm(loop_.timers(),
               idle_.front()->connection().idle_since() + config_.timeouts.upstream_keep_alive);
  }
}

void UpstreamPool::CloseIdle() {
  for (auto& idle : idle_) loop_.Dispose(std::move(idle));
  idle_.clear();
}

std::unique_ptr<UpstreamPool::Attempt> UpstreamPool::Connect(OnConnected on_connected, OnRefused on_refused) {
  return std::make_unique<Attempt>(*this, std::move(on_connected), std::move(on_refused));
}

UpstreamPool::Attempt::Attempt(UpstreamPool& pool, OnConnected on_connected, OnRefused on_refused)
    : pool_(pool),
      on_connected_(std::move(on_connected)),
      on_refused_(std::move(on_refused)),
      first_server_(pool.next_server_++ % pool.upstream_.servers.size()),
      deadline_([this] {
        pool_.metrics_.Add(Metric::kUpstreamConnectsTimedOut);
        Refuse(http::Refusal::kUpstreamConnectTimeout);
      }),
      next_turn_([this] { TryNext(); }) {
  deadline_.Arm(pool_.loop_.timers(), pool_.loop_.now() + pool_.config_.timeouts.connect);
  TryNext();
}

// The address of `server` to be tried next; nothing when none is left.
std::optional<net::SocketAddress> UpstreamPool::Attempt::NextAddress(const config::Endpoint& server) {
  const size_t number = tried_addresses_++;
  if (server.kind == config::Endpoint::Kind::kHostname) {
    const auto& known = pool_.names_.Find(server.hostname);
    if (number >= known.size()) return std::nullopt;
    return net::SocketAddress::FromIp(known[number], server.port);
  }
  if (number > 0) return std::nullopt;
  if (server.kind == config::Endpoint::Kind::kUnix) return net::SocketAddress::FromUnixPath(server.path);
  return net::SocketAddress::FromIp(server.ip, server.port);
}

void UpstreamPool::Attempt::TryNext() {
  const auto& servers = pool_.upstream_.servers;
  while (tried_servers_ < servers.size()) {
    const auto address = NextAddress(servers[(first_server_ + tried_servers_) % servers.size()]);
    if (!address) {
      ++tried_servers_;
      tried_addresses_ = 0;
      continue;
    }
    any_address_ = true;
    connection_ = std::make_unique<UpstreamConnection>(pool_.buffers_, pool_.metrics_, pool_.limits_);
    connection_->SetUser(this);
    if (connection_->Connect(pool_.loop_, *address)) return;
    pool_.metrics_.Add(Metric::kUpstreamConnectsFailed);
    connection_.reset();
  }
  // Never from inside Connect(): the end comes on a later turn.
  next_turn_.SetCallback([this] {
    Refuse(any_address_ ? http::Refusal::kUpstreamConnect : http::Refusal::kUpstreamUnresolved);
  });
  next_turn_.Arm(pool_.loop_.timers(), pool_.loop_.now());
}

void UpstreamPool::Attempt::Refuse(http::Refusal refusal) {
  if (over_) return;
  over_ = true;
  deadline_.Cancel();
  next_turn_.Cancel();
  if (connection_) {
    connection_->SetUser(nullptr);
    pool_.loop_.Dispose(std::move(connection_));
  }
  on_refused_(refusal);
}

void UpstreamPool::Attempt::OnUpstreamReady() {
  if (over_) return;
  over_ = true;
  deadline_.Cancel();
  pool_.metrics_.Add(Metric::kUpstreamConnects);
  connection_->SetUser(nullptr);
  on_connected_(std::move(connection_));
}

void UpstreamPool::Attempt::OnUpstreamFailed() {
  if (over_) return;
  pool_.metrics_.Add(Metric::kUpstreamConnectsFailed);
  connection_->SetUser(nullptr);
  pool_.loop_.Dispose(std::move(connection_));
  TryNext();
}

}  // namespace gatebook::proxy
