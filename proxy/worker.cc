#include "proxy/worker.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"

namespace gatebook::proxy {
namespace {

using base::Metric;

std::string HstsField(const config::Tls& tls) {
  if (tls.hsts.count() == 0) return {};
  return fmt::format("Strict-Transport-Security: max-age={}{}\r\n", tls.hsts.count(),
                     tls.hsts_include_subdomains ? "; includeSubDomains" : "");
}

// Where a redirect to https leads: the port of the first TLS listener.
std::string HttpsPortSuffix(const config::Config& config) {
  for (const config::Listen& listen : config.listen) {
    if (!listen.tls || listen.address.kind == config::Endpoint::Kind::kUnix) continue;
    return listen.address.port == 443 ? std::string() : fmt::format(":{}", listen.address.port);
  }
  return {};
}

}  // namespace

Worker::Worker(const Parts& parts, std::vector<BoundListener> listeners)
    : metrics_(parts.metrics),
      limiter_(parts.limiter),
      journal_(parts.journal),
      tls_(parts.tls),
      sessions_(parts.session_key, parts.config.session),
      book_(parts.journal, parts.hints, parts.config),
      context_{parts.config, loop_,          buffers_, metrics_,        parts.router, upstreams_,
               book_,        sessions_,      request_ids_, limiter_,    refusals_,    close_reasons_,
               parsers_,     exchanges_,
               {parts.config.limits.target_size, parts.config.limits.header_size, parts.config.limits.header_count},
               HstsField(parts.config.tls), HttpsPortSuffix(parts.config)},
      bound_(std::move(listeners)),
      last_sign_(base::Clock::System().SteadyNow()) {
  for (size_t i = 0; i < parts.config.upstreams.size(); ++i) {
    upstreams_.push_back(std::make_unique<UpstreamPool>(UpstreamPool::Parts{
        loop_, buffers_, metrics_, names_, parts.config, i, parts.health, parts.upstream_tls, parts.workers}));
  }
}

Worker::~Worker() { Join(); }

void Worker::Start() {
  journal_.SetFlushCallback([this] { loop_.Post([this] { OnFlushed(); }); });
  for (BoundListener& bound : bound_) {
    listeners_.push_back(std::make_unique<net::Listener>(
        loop_, std::move(bound.fd),
        [this, listen = bound.listen](base::UniqueFd fd, std::optional<base::IpAddress> ip) {
          OnAccept(*listen, std::move(fd), ip);
        },
        [this] { metrics_.Add(Metric::kConnectionsRefusedDescriptors); }));
  }
  thread_ = std::thread([this] {
    loop_.Run();
    listeners_.clear();
    while (!connections_.empty()) connections_.back()->Abort();
    for (auto& upstream : upstreams_) upstream->CloseIdle();
    loop_.RunOnce(false);
  });
}

void Worker::Join() {
  if (!thread_.joinable()) return;
  thread_.join();
  journal_.SetFlushCallback(nullptr);
}

void Worker::OnAccept(const config::Listen& listen, base::UniqueFd fd, std::optional<base::IpAddress> ip) {
  switch (limiter_.Enter(ip)) {
    case guard::ConnectionLimiter::Verdict::kAdmit:
      break;
    case guard::ConnectionLimiter::Verdict::kTooMany:
      metrics_.Add(Metric::kConnectionsRefusedLimit);
      return;
    case guard::ConnectionLimiter::Verdict::kTooManyFromAddress:
      metrics_.Add(Metric::kConnectionsRefusedAddress);
      return;
  }
  ClientConnection::Owner& owner = *this;
  auto connection = std::make_unique<ClientConnection>(context_, owner, listen, ip);
  ClientConnection& started = *connection;
  started.index = connections_.size();
  connections_.push_back(std::move(connection));
  const bool watched = listen.tls ? started.StartTls(std::move(fd), tls_) : started.StartPlain(std::move(fd));
  if (!watched) {
    metrics_.Add(Metric::kConnectionsRefusedDescriptors);
    OnClosed(started);
  }
}

void Worker::OnClosed(ClientConnection& connection) {
  const size_t index = connection.index;
  CHECK(index < connections_.size() && connections_[index].get() == &connection);
  loop_.Dispose(std::move(connections_[index]));
  if (index + 1 < connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->index = index;
  }
  connections_.pop_back();
  if (context_.draining && connections_.empty()) drained_.store(true, std::memory_order_release);
}

// Answers that waited for the journal to be on disk go on.
void Worker::OnFlushed() {
  // A connection may close while it is told; later ones move into its place.
  for (size_t i = connections_.size(); i-- > 0;) {
    if (i < connections_.size()) connections_[i]->OnJournalFlushed();
  }
}

void Worker::BeginDrain() {
  loop_.Post([this] { DrainHere(); });
}

void Worker::DrainHere() {
  // Who waits in the kernel's queue has been let in.
  for (auto& listener : listeners_) listener->AcceptWaiting();
  listeners_.clear();
  context_.draining = true;
  for (size_t i = connections_.size(); i-- > 0;) {
    if (i < connections_.size()) connections_[i]->Drain();
  }
  for (auto& upstream : upstreams_) upstream->CloseIdle();
  if (connections_.empty()) drained_.store(true, std::memory_order_release);
}

void Worker::SetUpstreamAddresses(const std::string& hostname, std::vector<base::IpAddress> addresses) {
  loop_.Post([this, hostname, addresses = std::move(addresses)] {
    names_.Set(hostname, addresses);
    for (auto& upstream : upstreams_) upstream->OnNamesChanged();
  });
}

void Worker::Stop() { loop_.Stop(); }

void Worker::AskForSign() {
  loop_.Post([this] { last_sign_.store(loop_.now(), std::memory_order_relaxed); });
}

}  // namespace gatebook::proxy
