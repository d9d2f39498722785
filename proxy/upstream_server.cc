#include "proxy/upstream_server.h"

#include <algorithm>

#include "base/log.h"

namespace gatebook::proxy {

using base::Metric;

namespace {

// Idle connections of this very turn that are passed over in search of an older one.
constexpr size_t kMostPassedOver = 16;

uint32_t ShareOf(uint32_t most, uint32_t workers) { return most == 0 ? 0 : std::max(most / workers, 1U); }

}  // namespace

// A pooled connection. Anything that happens on it while nobody uses it ends it.
class UpstreamServer::Idle : public net::Disposable, private UpstreamConnection::User {
 public:
  Idle(UpstreamServer& server, std::unique_ptr<UpstreamConnection> connection)
      : server_(server), metrics_(server.metrics_), connection_(std::move(connection)) {
    connection_->SetUser(this);
    metrics_.Add(Metric::kUpstreamIdle);
  }
  ~Idle() override { metrics_.Sub(Metric::kUpstreamIdle); }  // the server may have ended before

  std::unique_ptr<UpstreamConnection> Take() {
    connection_->SetUser(nullptr);
    return std::move(connection_);
  }
  UpstreamConnection& connection() const { return *connection_; }

 private:
  void OnUpstreamReady() override {
    if (!connection_) return;
    // A writable edge is no news; whatever can be read is.
    char byte;
    if (connection_->stream().Read({&byte, 1}).status == net::IoStatus::kWouldBlock) return;
    OnUpstreamFailed();
  }
  void OnUpstreamFailed() override {
    metrics_.Add(Metric::kUpstreamStale);
    server_.Remove(this);
  }

  UpstreamServer& server_;
  base::MetricsBlock& metrics_;
  std::unique_ptr<UpstreamConnection> connection_;
};

UpstreamServer::UpstreamServer(const Parts& parts, UpstreamTarget target, std::function<void()> on_room)
    : loop_(parts.loop),
      buffers_(parts.buffers),
      metrics_(parts.metrics),
      names_(parts.names),
      upstream_(parts.upstream),
      board_(parts.board),
      target_(std::move(target)),
      keep_alive_(parts.config.timeouts.upstream_keep_alive),
      limits_{parts.config.limits.target_size, parts.config.limits.header_size,
              parts.config.limits.header_count},
      most_connections_(ShareOf(upstream_.max_connections, parts.workers)),
      on_room_(std::move(on_room)),
      load_(std::make_shared<ServerLoad>(on_room_)),
      h2_parts_{loop_,
                buffers_,
                metrics_,
                parts.stores,
                limits_,
                upstream_.max_idle == 0 ? base::Duration() : keep_alive_,
                target_.endpoint.tls ? "https" : "http"},
      health_(upstream_),
      sweep_([this] { SweepIdle(); }),
      readmission_([this] { Readmit(); }) {}

UpstreamServer::~UpstreamServer() {
  load_->Detach();
  if (health_.IsEjected()) {
    board_.ejected.fetch_sub(1, std::memory_order_relaxed);
    metrics_.Sub(Metric::kUpstreamEjected);
  }
}

ServerView UpstreamServer::View() const {
  ServerView view;
  view.available = !health_.IsEjected() && !board_.down.load(std::memory_order_relaxed);
  view.has_room = !idle_.empty() || most_connections_ == 0 || load_->open() < most_connections_;
  view.busy = load_->open() - static_cast<uint32_t>(idle_.size());
  if (!shared_.empty()) {
    // Exchanges, not connections; those that are being made are worth one each.
    view.busy -= static_cast<uint32_t>(shared_.size());
    for (const auto& connection : shared_) {
      view.has_room = view.has_room || connection->HasRoom();
      view.busy += static_cast<uint32_t>(connection->streams());
    }
  }
  view.available_since = std::max(health_.readmitted(), board_.up_since.load(std::memory_order_relaxed));
  return view;
}

// ---- idle connections

std::unique_ptr<UpstreamConnection> UpstreamServer::TakeIdle(const std::string& preamble) {
  while (true) {
    const auto last = FindIdle(preamble);
    if (last == idle_.rend()) return nullptr;
    auto connection = (*last)->Take();
    // The wrapper may be on the call stack: an idle connection's own event can lead here.
    loop_.Dispose(std::move(*last));
    idle_.erase(std::next(last).base());
    if (connection->idle_turn() == loop_.turn() && connection->HasAnythingToRead()) {
      metrics_.Add(Metric::kUpstreamStale);
      loop_.Dispose(std::move(connection));
      continue;
    }
    connection->set_reused();
    metrics_.Add(Metric::kUpstreamReused);
    return connection;
  }
}

// One that came back before this turn is watched and needs no look by a system call: where such a one is
// near, it goes first.
UpstreamServer::IdleList::reverse_iterator UpstreamServer::FindIdle(const std::string& preamble) {
  auto found = idle_.rend();
  size_t left = kMostPassedOver;
  for (auto idle = idle_.rbegin(); idle != idle_.rend() && left > 0; ++idle) {
    if ((*idle)->connection().preamble() != preamble) continue;
    if ((*idle)->connection().idle_turn() != loop_.turn()) return idle;
    if (found == idle_.rend()) found = idle;
    --left;
  }
  return found;
}

void UpstreamServer::GiveIdle(std::unique_ptr<UpstreamConnection> connection) {
  connection->SetUser(nullptr);
  if (retired_ || idle_.size() >= upstream_.max_idle || !IsStillThere(*connection)) {
    loop_.Dispose(std::move(connection));
    return;
  }
  connection->received().Release();
  connection->MarkIdle(loop_);
  idle_.push_back(std::make_unique<Idle>(*this, std::move(connection)));
  if (!sweep_.IsArmed()) sweep_.Arm(loop_.timers(), loop_.now() + keep_alive_);
  on_room_();
}

void UpstreamServer::Remove(Idle* idle) {
  const auto found =
      std::find_if(idle_.begin(), idle_.end(), [idle](const auto& held) { return held.get() == idle; });
  if (found == idle_.end()) return;
  loop_.Dispose(std::move(*found));
  idle_.erase(found);
}

void UpstreamServer::SweepIdle() {
  // The oldest stand first.
  const base::SteadyTime oldest = loop_.now() - keep_alive_;
  while (!idle_.empty() && idle_.front()->connection().idle_since() <= oldest) {
    loop_.Dispose(std::move(idle_.front()));
    idle_.erase(idle_.begin());
  }
  if (!idle_.empty()) sweep_.Arm(loop_.timers(), idle_.front()->connection().idle_since() + keep_alive_);
}

void UpstreamServer::CloseIdle() {
  for (auto& idle : idle_) loop_.Dispose(std::move(idle));
  idle_.clear();
  for (auto& connection : shared_) connection->Retire();
}

void UpstreamServer::Retire() {
  retired_ = true;
  CloseIdle();
}

bool UpstreamServer::IsStillThere(UpstreamConnection& connection) const {
  if (target_.endpoint.kind != config::Endpoint::Kind::kHostname) return true;
  if (connection.names_version() == names_.version()) return true;
  const auto& now = names_.Find(target_.endpoint.hostname);
  if (std::find(now.begin(), now.end(), *connection.ip()) == now.end()) return false;
  connection.set_names_version(names_.version());
  return true;
}

void UpstreamServer::OnNamesChanged() {
  for (auto& idle : idle_) {
    if (!IsStillThere(idle->connection())) loop_.Dispose(std::move(idle));
  }
  std::erase(idle_, nullptr);
  for (auto& connection : shared_) {
    if (!IsStillThere(connection->connection())) connection->Retire();
  }
}

// ---- shared connections

UpstreamLease UpstreamServer::TakeStream(const std::string& preamble) {
  // The oldest first, so that spare ones grow idle and are closed.
  for (auto& connection : shared_) {
    if (!connection->HasRoom() || connection->connection().preamble() != preamble) continue;
    if (connection->IsUsed()) metrics_.Add(Metric::kUpstreamReused);
    return connection->Open();
  }
  return nullptr;
}

std::unique_ptr<Http2Upstream> UpstreamServer::Greet(std::unique_ptr<UpstreamConnection> connection,
                                                     UpstreamConnection::User& user) {
  return std::make_unique<Http2Upstream>(h2_parts_, std::move(connection), user);
}

void UpstreamServer::Share(std::unique_ptr<Http2Upstream> connection) {
  connection->SetUser(*this);
  shared_.push_back(std::move(connection));
}

void UpstreamServer::OnUpstreamFailed() {
  for (auto& connection : shared_) {
    if (!connection->IsOver() || connection->streams() > 0) continue;
    if (!connection->failure().empty()) TellFailure(connection->failure(), true);
    loop_.Dispose(std::move(connection));
  }
  std::erase(shared_, nullptr);
  on_room_();
}

void UpstreamServer::GiveUpOldest() {
  if (!idle_.empty()) {
    loop_.Dispose(std::move(idle_.front()));
    idle_.erase(idle_.begin());
    return;
  }
  const auto unused = std::find_if(shared_.begin(), shared_.end(), [](const auto& connection) {
    return connection->HasRoom() && connection->streams() == 0;
  });
  if (unused != shared_.end()) (*unused)->Retire();
}

std::unique_ptr<UpstreamConnection> UpstreamServer::Connect(const net::SocketAddress& address,
                                                            const std::string& preamble,
                                                            UpstreamConnection::User& user) {
  // There may be room only because of one that is for somebody else.
  if (most_connections_ != 0 && load_->open() >= most_connections_) GiveUpOldest();
  auto connection = std::make_unique<UpstreamConnection>(buffers_, metrics_, limits_, load_);
  connection->SetUser(&user);
  if (!connection->Connect(loop_, target_, address, names_.version(), preamble)) return nullptr;
  return connection;
}

// ---- health

void UpstreamServer::Eject() {
  const base::Duration span = health_.Eject();
  board_.ejected.fetch_add(1, std::memory_order_relaxed);
  metrics_.Add(Metric::kUpstreamEjections);
  metrics_.Add(Metric::kUpstreamEjected);
  readmission_.Arm(loop_.timers(), loop_.now() + span);
  // Spare connections to a server in trouble are no better than it.
  CloseIdle();
  base::LogWarning("upstream", "{}: server {} of {} is passed over for {} ms after {} failures in a row",
                   upstream_.name, target_.number + 1, upstream_.servers.size(),
                   std::chrono::duration_cast<std::chrono::milliseconds>(span).count(), health_.failures());
}

void UpstreamServer::TellFailure(std::string_view why, bool lost) {
  if (std::exchange(told_, true)) return;
  base::LogWarning("upstream", "{}: {} server {} of {}: {}", upstream_.name,
                   lost ? "ended the connection to" : "no connection to", target_.number + 1,
                   upstream_.servers.size(), why);
}

void UpstreamServer::Readmit() {
  health_.Readmit(loop_.now());
  board_.ejected.fetch_sub(1, std::memory_order_relaxed);
  metrics_.Sub(Metric::kUpstreamEjected);
  on_room_();
}

}  // namespace gatebook::proxy
