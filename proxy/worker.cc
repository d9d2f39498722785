#include "proxy/worker.h"

#include "base/check.h"
#include "base/log.h"
#include "proxy/http1_connection.h"
#include "proxy/http2_connection.h"

namespace gatebook::proxy {

using base::Metric;

Worker::Worker(const Parts& parts, std::vector<BoundListener> listeners)
    : metrics_(parts.metrics),
      limiter_(parts.limiter),
      journal_(parts.journal),
      book_(parts.journal, parts.hints, parts.config->journal),
      context_{std::make_shared<Generation>(parts.config, parts.session_key, parts.tls),
               loop_,
               buffers_,
               metrics_,
               book_,
               request_ids_,
               limiter_,
               refusals_,
               close_reasons_,
               parsers_,
               exchanges_,
               h2_streams_,
               h2_pool_,
               h2_ends_},
      bound_(std::move(listeners)),
      last_sign_(base::Clock::System().SteadyNow()) {
  Generation& generation = *context_.generation;
  for (size_t i = 0; i < generation.config.upstreams.size(); ++i) {
    generation.upstreams.push_back(std::make_unique<UpstreamPool>(
        UpstreamPool::Parts{loop_, buffers_, metrics_, names_, generation.config, i, parts.health,
                            parts.upstream_tls, parts.workers}));
  }
}

Worker::~Worker() { Join(); }

void Worker::Start() {
  journal_.SetFlushCallback([this] { loop_.Post([this] { OnFlushed(); }); });
  for (BoundListener& bound : bound_) {
    listeners_.push_back(std::make_unique<net::Listener>(
        loop_, std::move(bound.fd),
        [this, &listen = bound.listen](base::UniqueFd fd, std::optional<base::IpAddress> ip) {
          OnAccept(listen, std::move(fd), ip);
        },
        [this] { metrics_.Add(Metric::kConnectionsRefusedDescriptors); }));
  }
  thread_ = std::thread([this] {
    loop_.Run();
    listeners_.clear();
    while (!connections_.empty()) connections_.back()->Abort();
    for (auto& upstream : context_.generation->upstreams) upstream->CloseIdle();
    loop_.RunOnce(false);
  });
}

void Worker::Join() {
  if (!thread_.joinable()) return;
  thread_.join();
  journal_.SetFlushCallback(nullptr);
}

void Worker::OnAccept(const config::Listen& listen, base::UniqueFd fd, std::optional<base::IpAddress> ip) {
  std::optional<base::IpAddress> ip_of_seat = ip;
  // A proxy's own address is nobody's; whom it speaks for takes a seat of their own (ArrivingConnection).
  if (listen.proxy_protocol.Contains(ip.value_or(base::IpAddress()))) ip_of_seat = std::nullopt;
  switch (limiter_.Enter(ip_of_seat)) {
    case guard::ConnectionLimiter::Verdict::kAdmit:
      break;
    case guard::ConnectionLimiter::Verdict::kTooMany:
      metrics_.Add(Metric::kConnectionsRefusedLimit);
      return;
    case guard::ConnectionLimiter::Verdict::kTooManyFromAddress:
      metrics_.Add(Metric::kConnectionsRefusedAddress);
      return;
  }
  metrics_.Add(Metric::kConnectionsAccepted);
  metrics_.Add(Metric::kConnectionsOpen);
  ArrivingConnection::Host& host = *this;
  auto connection =
      std::make_unique<ArrivingConnection>(context_, host, guard::ConnectionSeat(limiter_, ip_of_seat));
  ArrivingConnection& started = *connection;
  started.index = connections_.size();
  connections_.push_back(std::move(connection));
  if (!started.Start(std::move(fd), listen, ip)) {
    metrics_.Add(Metric::kConnectionsRefusedDescriptors);
    OnClosed(started);
  }
}

void Worker::OnArrived(ClientConnection& from, Arrival arrival) {
  const size_t index = from.index;
  CHECK(index < connections_.size() && connections_[index].get() == &from);
  ClientConnection::Owner& owner = *this;
  const auto take = [&](auto connection) {
    auto& begun = *connection;
    begun.index = index;
    loop_.Dispose(std::exchange(connections_[index], std::move(connection)));
    begun.Begin();
  };
  if (arrival.http2) {
    take(std::make_unique<Http2Connection>(context_, owner, std::move(arrival)));
  } else {
    take(std::make_unique<Http1Connection>(context_, owner, std::move(arrival)));
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
  metrics_.Sub(Metric::kConnectionsOpen);
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
  for (auto& upstream : context_.generation->upstreams) upstream->CloseIdle();
  if (connections_.empty()) drained_.store(true, std::memory_order_release);
}

void Worker::SetUpstreamAddresses(const std::string& hostname, std::vector<base::IpAddress> addresses) {
  loop_.Post([this, hostname, addresses = std::move(addresses)] {
    names_.Set(hostname, addresses);
    for (auto& upstream : context_.generation->upstreams) upstream->OnNamesChanged();
  });
}

void Worker::Stop() { loop_.Stop(); }

void Worker::AskForSign() {
  loop_.Post([this] { last_sign_.store(loop_.now(), std::memory_order_relaxed); });
}

}  // namespace gatebook::proxy
