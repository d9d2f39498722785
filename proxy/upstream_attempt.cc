#include "proxy/upstream_attempt.h"

#include <algorithm>

#include "base/log.h"

namespace gatebook::proxy {
namespace {

using base::Metric;
using http::Refusal;

// A try has at least this part of the time that is left.
constexpr size_t kMostShares = 4;

}  // namespace

UpstreamAttempt::UpstreamAttempt(UpstreamPool& pool, ServerChoice& choice,
                                 UpstreamPool::OnConnected on_connected, UpstreamPool::OnRefused on_refused)
    : pool_(pool),
      choice_(choice),
      on_connected_(std::move(on_connected)),
      on_refused_(std::move(on_refused)),
      left_(pool.connect_timeout_),
      deadline_([this] { OnDeadline(); }),
      later_(pool.loop_, [this] {
        if (idle_) return Connected(std::move(idle_));
        Refuse(refusal_);
      }) {
  if (pool_.waiting_.empty()) {
    TryNext();
  } else {
    Wait();
  }
}

UpstreamAttempt::~UpstreamAttempt() { LeaveQueue(); }

// ---- waiting for room

void UpstreamAttempt::Wait() {
  if (waited_ || pool_.waiting_.size() >= pool_.upstream_.queue) return RefuseLater(Refusal::kUpstreamBusy);
  waited_ = true;
  place_ = pool_.waiting_.insert(pool_.waiting_.end(), this);
  pool_.metrics_.Add(Metric::kUpstreamWaiting);
  deadline_.Arm(pool_.loop_.timers(), pool_.loop_.now() + pool_.upstream_.queue_timeout);
  pool_.OnRoom();  // looks once more: what is there may be for others only
}

void UpstreamAttempt::LeaveQueue() {
  if (!place_) return;
  pool_.waiting_.erase(*place_);
  place_.reset();
  pool_.metrics_.Sub(Metric::kUpstreamWaiting);
}

void UpstreamAttempt::GoOnWith(size_t server) {
  LeaveQueue();
  deadline_.Cancel();
  idle_ = pool_.servers_[server]->TakeIdle();
  if (idle_) return Connected(std::move(idle_));
  choice_.server = server;
  TryNext();
}

// ---- connecting

void UpstreamAttempt::TryNext() {
  while (!connection_) {
    if (!server_ && !EnterServer()) return;
    if (idle_) return later_.Arm();
    if (next_address_ == addresses_.size()) {
      LeaveServer();
      continue;
    }
    BeginTry(addresses_[next_address_++]);
  }
}

bool UpstreamAttempt::EnterServer() {
  if (!choice_.server) {
    choice_.server = pool_.Choose(choice_);
    // The first one's idle connections were asked for before there was an attempt.
    if (choice_.server && choice_.tried != 0) idle_ = pool_.servers_[*choice_.server]->TakeIdle();
  }
  if (!choice_.server) {
    if (pool_.MustWait(choice_)) {
      Wait();
    } else if (!last_failure_) {
      RefuseLater(Refusal::kUpstreamUnresolved);
    } else {
      RefuseLater(*last_failure_ == ServerOutcome::kTimedOut ? Refusal::kUpstreamConnectTimeout
                                                             : Refusal::kUpstreamConnect);
    }
    return false;
  }
  if (idle_) return true;
  server_ = std::exchange(choice_.server, std::nullopt);
  choice_.tried |= uint64_t{1} << *server_;
  addresses_ = pool_.servers_[*server_]->Addresses();
  next_address_ = 0;
  return true;
}

void UpstreamAttempt::BeginTry(const net::SocketAddress& address) {
  const size_t to_try = addresses_.size() - next_address_ + 1 + pool_.UntriedOf(choice_);
  try_began_ = pool_.loop_.now();
  connection_ = pool_.servers_[*server_]->Connect(address, *this);
  if (connection_) {
    deadline_.Arm(pool_.loop_.timers(), try_began_ + left_ / std::min(to_try, kMostShares));
    return;
  }
  pool_.metrics_.Add(Metric::kUpstreamConnectsFailed);
  last_failure_ = ServerOutcome::kConnectFailed;
}

void UpstreamAttempt::LeaveServer() {
  const size_t server = *server_;
  server_.reset();
  if (!addresses_.empty()) pool_.Report(server, *last_failure_);
}

void UpstreamAttempt::OnTryFailed(ServerOutcome outcome) {
  last_failure_ = outcome;
  deadline_.Cancel();
  left_ = std::max<base::Duration>(left_ - (pool_.loop_.now() - try_began_), net::TimerWheel::kTick);
  connection_->SetUser(nullptr);
  pool_.loop_.Dispose(std::move(connection_));
  TryNext();
}

void UpstreamAttempt::OnUpstreamReady() {
  if (!connection_) return;
  deadline_.Cancel();
  pool_.metrics_.Add(Metric::kUpstreamConnects);
  Connected(std::move(connection_));
}

void UpstreamAttempt::OnUpstreamFailed() {
  if (!connection_) return;
  pool_.metrics_.Add(Metric::kUpstreamConnectsFailed);
  pool_.servers_[*server_]->TellFailure(connection_->stream().failure());
  OnTryFailed(ServerOutcome::kConnectFailed);
}

void UpstreamAttempt::OnDeadline() {
  if (place_) {
    LeaveQueue();
    return Refuse(Refusal::kUpstreamBusy);
  }
  pool_.metrics_.Add(Metric::kUpstreamConnectsTimedOut);
  OnTryFailed(ServerOutcome::kTimedOut);
}

// ---- the end: whatever is called may destroy this

void UpstreamAttempt::Connected(std::unique_ptr<UpstreamConnection> connection) {
  connection->SetUser(nullptr);
  const auto on_connected = std::move(on_connected_);
  on_connected(std::move(connection));
}

void UpstreamAttempt::Refuse(Refusal refusal) {
  const auto on_refused = std::move(on_refused_);
  on_refused(refusal);
}

void UpstreamAttempt::RefuseLater(Refusal refusal) {
  refusal_ = refusal;
  later_.Arm();
}

}  // namespace gatebook::proxy
