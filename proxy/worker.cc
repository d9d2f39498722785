#include "proxy/worker.h"

#include "base/check.h"
#include "base/log.h"
#include "base/thread.h"
#include "proxy/http1_connection.h"
#include "proxy/http2_connection.h"

namespace gatebook::proxy {

using base::Metric;

Worker::Worker(const Parts& parts, Share first)
    : metrics_(parts.metrics),
      session_key_(parts.session_key),
      workers_(parts.workers),
      limiter_(parts.limiter),
      journal_(parts.journal),
      book_(parts.journal, parts.hints, first.edition->config->journal),
      context_{nullptr,   loop_,          buffers_, metrics_,   book_,       request_ids_, limiter_,
               refusals_, close_reasons_, parsers_, exchanges_, h2_streams_, h2_pool_,     h2_ends_},
      bound_(std::move(first.added)),
      last_sign_(base::Clock::System().SteadyNow()),
      in_force_(first.edition->number) {
  context_.generation = MakeGeneration(first);
  context_.objections = parts.objections;
}

Worker::~Worker() { Join(); }

void Worker::Start(size_t number) {
  journal_.SetFlushCallback([this] { loop_.Post([this] { OnFlushed(); }); });
  for (BoundListener& bound : std::exchange(bound_, {})) Listen(std::move(bound));
  thread_ = base::StartThread(fmt::format("gb:worker-{}", number), [this] {
    loop_.Run();
    listening_.clear();
    while (!connections_.empty()) connections_.back()->Abort();
    loop_.RunOnce(false);  // the connections are gone, and with them all generations but one
    context_.generation.reset();
    loop_.RunOnce(false);
  });
}

void Worker::Listen(BoundListener bound) {
  listening_.push_back(std::make_unique<Listening>(Listening{std::move(bound.listen), nullptr}));
  Listening& made = *listening_.back();
  made.listener = std::make_unique<net::Listener>(
      loop_, std::move(bound.fd),
      [this, &made](base::UniqueFd fd, std::optional<base::IpAddress> ip) {
        OnAccept(made.listen, std::move(fd), ip);
      },
      [this] { metrics_.Add(Metric::kConnectionsRefusedDescriptors); });
}

// ---- generations

std::shared_ptr<Generation> Worker::MakeGeneration(const Share& share) {
  auto made = std::make_unique<Generation>(share.edition, session_key_, share.tls);
  for (size_t i = 0; i < made->config.upstreams.size(); ++i) {
    made->upstreams.push_back(std::make_unique<UpstreamPool>(
        UpstreamPool::Parts{loop_, buffers_, metrics_, names_, made->config, i, *share.edition->health,
                            share.upstream_tls, workers_}));
  }
  return {made.release(),
          [this](Generation* ended) { loop_.Dispose(std::unique_ptr<net::Disposable>(ended)); }};
}

void Worker::Swap(Share share) {
  PostIfAlive([this, held = std::make_shared<Share>(std::move(share))] { SwapHere(std::move(*held)); });
}

void Worker::SwapHere(Share share) {
  const std::vector<config::Listen>& listen = share.edition->config->listen;
  for (auto& listening : listening_) {
    // Who waits in the queue of a socket that closes has been let in, under the settings that they came for.
    if (FindListen(listen, listening->listen.address) == nullptr) listening->listener->AcceptWaiting();
  }
  for (auto& upstream : context_.generation->upstreams) upstream->Retire();
  context_.generation = MakeGeneration(share);
  if (context_.draining) {
    for (auto& upstream : context_.generation->upstreams) upstream->Retire();
  }
  std::erase_if(listening_, [&listen](const auto& listening) {
    const config::Listen* found = FindListen(listen, listening->listen.address);
    if (found != nullptr) listening->listen = *found;
    return found == nullptr;
  });
  if (!context_.draining) {
    for (BoundListener& bound : share.added) Listen(std::move(bound));
  }
  in_force_.store(share.edition->number, std::memory_order_release);
}

// A task that comes after everything has ended finds no generation.
void Worker::PostIfAlive(std::function<void()> task) {
  loop_.Post([this, task = std::move(task)] {
    if (context_.generation) task();
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
  PostIfAlive([this] { DrainHere(); });
}

void Worker::DrainHere() {
  // Who waits in the kernel's queue has been let in.
  for (auto& listening : listening_) listening->listener->AcceptWaiting();
  listening_.clear();
  context_.draining = true;
  for (size_t i = connections_.size(); i-- > 0;) {
    if (i < connections_.size()) connections_[i]->Drain();
  }
  for (auto& upstream : context_.generation->upstreams) upstream->Retire();
  if (connections_.empty()) drained_.store(true, std::memory_order_release);
}

void Worker::SetUpstreamAddresses(const std::string& hostname, std::vector<base::IpAddress> addresses) {
  PostIfAlive([this, hostname, addresses = std::move(addresses)] {
    names_.Set(hostname, addresses);
    for (auto& upstream : context_.generation->upstreams) upstream->OnNamesChanged();
  });
}

void Worker::SetObjections(std::shared_ptr<const logger::ObjectionList> objections,
                           std::shared_ptr<std::promise<void>> taken) {
  PostIfAlive([this, objections = std::move(objections), taken = std::move(taken)] {
    context_.objections = objections;
    taken->set_value();
  });
}

void Worker::Stop() { loop_.Stop(); }

void Worker::AskForSign() {
  loop_.Post([this] { last_sign_.store(loop_.now(), std::memory_order_relaxed); });
}

}  // namespace gatebook::proxy
