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
        if (found_) return Connected(std::move(found_));
        Refuse(refusal_);
      }) {
  if (pool_.waiting_.empty()) {
    TryNext();
  } else {
    Wait();
  }
}

UpstreamAttempt::~UpstreamAttempt() {
  LeaveQueue();
  if (following_) pool_.StopFollowing(*choice_.server, *this);
  if (server_) pool_.StopLeading(*server_, *this, std::nullopt);
}

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
  found_ = pool_.TakeFrom(server, choice_);
  if (found_) return Connected(std::move(found_));
  choice_.server = server;
  TryNext();
}

// ---- following

void UpstreamAttempt::StopWaitingFor(std::optional<ServerOutcome> failure) {
  following_ = false;
  deadline_.Cancel();
  found_ = pool_.TakeFrom(*choice_.server, choice_);
  if (found_) return Connected(std::move(found_));
  if (failure) {
    // Its own tries would fare no better.
    last_failure_ = failure;
    choice_.tried |= uint64_t{1} << *choice_.server;
    choice_.server.reset();
  }
  TryNext();
}

// ---- connecting

void UpstreamAttempt::TryNext() {
  while (!connection_) {
    if (!server_ && !EnterServer()) return;
    if (found_) return later_.Arm();
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
    if (choice_.server && choice_.tried != 0) found_ = pool_.TakeFrom(*choice_.server, choice_);
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
  // What is shared may be there by now, also where a connection of it has just proved stale.
  if (!found_ && pool_.speaks_h2()) found_ = pool_.TakeFrom(*choice_.server, choice_);
  if (found_) return true;
  if (pool_.Follow(*choice_.server, *this)) {
    following_ = true;
    deadline_.Arm(pool_.loop_.timers(), pool_.loop_.now() + left_);
    return false;
  }
  server_ = std::exchange(choice_.server, std::nullopt);
  pool_.Lead(*server_, *this);
  choice_.tried |= uint64_t{1} << *server_;
  addresses_ = pool_.servers_[*server_]->Addresses();
  next_address_ = 0;
  return true;
}

void UpstreamAttempt::BeginTry(const net::SocketAddress& address) {
  const size_t to_try = addresses_.size() - next_address_ + 1 + pool_.UntriedOf(choice_);
  try_began_ = pool_.loop_.now();
  connection_ = pool_.servers_[*server_]->Connect(address, choice_.preamble, *this);
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
  pool_.StopLeading(server, *this, last_failure_);
  if (!addresses_.empty()) pool_.Report(server, *last_failure_);
}

void UpstreamAttempt::OnTryFailed(ServerOutcome outcome) {
  last_failure_ = outcome;
  deadline_.Cancel();
  left_ = std::max<base::Duration>(left_ - (pool_.loop_.now() - try_began_), net::TimerWheel::kTick);
  DropTry();
  TryNext();
}

void UpstreamAttempt::DropTry() {
  if (connection_) pool_.Drop(std::move(connection_));
  if (greeting_) pool_.loop_.Dispose(std::move(greeting_));
}

void UpstreamAttempt::OnUpstreamReady() {
  UpstreamServer& server = *pool_.servers_[*server_];
  if (connection_ && pool_.speaks_h2()) {
    greeting_ = server.Greet(std::move(connection_), *this);
    return;
  }
  if (!connection_ && !greeting_) return;
  deadline_.Cancel();
  pool_.metrics_.Add(Metric::kUpstreamConnects);
  if (connection_) {
    connection_->SetUser(nullptr);
    return Connected(pool_.LeaseOf(std::move(connection_)));
  }
  server.Share(std::move(greeting_));
  UpstreamLease lease = server.TakeStream(choice_.preamble);
  if (lease) return Connected(std::move(lease));
  // It allows no streams at all, or has said goodbye at once.
  OnTryFailed(ServerOutcome::kBadAnswer);
}

void UpstreamAttempt::OnUpstreamFailed() {
  if (!connection_ && !greeting_) return;
  pool_.metrics_.Add(Metric::kUpstreamConnectsFailed);
  pool_.servers_[*server_]->TellFailure(connection_ ? connection_->stream().failure() : greeting_->failure());
  OnTryFailed(ServerOutcome::kConnectFailed);
}

void UpstreamAttempt::OnDeadline() {
  if (place_) {
    LeaveQueue();
    return Refuse(Refusal::kUpstreamBusy);
  }
  if (std::exchange(following_, false)) {
    pool_.StopFollowing(*choice_.server, *this);
    return Refuse(Refusal::kUpstreamConnectTimeout);
  }
  pool_.metrics_.Add(Metric::kUpstreamConnectsTimedOut);
  OnTryFailed(ServerOutcome::kTimedOut);
}

// ---- the end: whatever is called may destroy this

void UpstreamAttempt::Connected(UpstreamLease lease) {
  if (server_) {
    pool_.StopLeading(*server_, *this, std::nullopt);
    // Whoever has to ask again goes there first.
    choice_.tried &= ~(uint64_t{1} << *server_);
    choice_.server = server_;
  }
  const auto on_connected = std::move(on_connected_);
  on_connected(std::move(lease));
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
