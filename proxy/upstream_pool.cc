#include "proxy/upstream_pool.h"

#include <bit>

#include "base/check.h"
#include "proxy/upstream_attempt.h"

namespace gatebook::proxy {
namespace {

using base::Metric;
using http::Refusal;

// Room that no event tells of, as when a server passes its checks again, is looked for this often.
constexpr std::chrono::milliseconds kLookForRoom{100};

std::optional<ServerOutcome> OutcomeOf(Refusal refusal) {
  switch (refusal) {
    case Refusal::kUpstreamTimeout:
    case Refusal::kUpstreamStalled:
      return ServerOutcome::kTimedOut;
    case Refusal::kUpstreamClosed:
    case Refusal::kUpstreamBadHead:
    case Refusal::kUpstreamBadBody:
    case Refusal::kUpstreamTooMany1xx:
    case Refusal::kUpstreamBadUpgrade:
      return ServerOutcome::kBadAnswer;
    default:
      return std::nullopt;  // the client's fault, ours, or told by the attempt already
  }
}

}  // namespace

UpstreamPool::UpstreamPool(const Parts& parts)
    : loop_(parts.loop),
      buffers_(parts.buffers),
      metrics_(parts.metrics),
      upstream_(parts.config.upstreams[parts.index]),
      connect_timeout_(parts.config.timeouts.connect),
      balancer_(upstream_),
      retries_(upstream_.retry_budget),
      makings_(upstream_.servers.size()),
      followers_turn_(loop_, [this] { TellFollowers(); }),
      serve_turn_(loop_, [this] { ServeWaiting(); }),
      serve_again_([this] { ServeWaiting(); }) {
  const auto stores = std::make_shared<Http2Upstream::Stores>(parts.buffers);
  for (size_t i = 0; i < upstream_.servers.size(); ++i) {
    const config::Endpoint& endpoint = upstream_.servers[i];
    servers_.push_back(std::make_unique<UpstreamServer>(
        UpstreamServer::Parts{parts.loop, parts.buffers, parts.metrics, parts.names, parts.config, upstream_,
                              parts.board.Of(parts.index)[i], stores, parts.workers},
        UpstreamTarget{endpoint, i, endpoint.tls ? parts.tls[parts.index] : nullptr}, [this] { OnRoom(); }));
  }
  views_.resize(servers_.size());
}

UpstreamPool::~UpstreamPool() { CHECK(waiting_.empty()); }

ServerChoice UpstreamPool::Begin(uint64_t session, std::string preamble) {
  retries_.OnRequest();
  return {session, std::nullopt, 0, std::move(preamble)};
}

// ---- leases

UpstreamLease UpstreamPool::TakeIdle(ServerChoice& choice) {
  if (!waiting_.empty()) return nullptr;  // those who came before go first
  choice.server = Choose(choice);
  if (!choice.server) return nullptr;
  return TakeFrom(*choice.server, choice);
}

UpstreamLease UpstreamPool::TakeFrom(size_t server, const ServerChoice& choice) {
  if (speaks_h2()) return servers_[server]->TakeStream(choice.preamble);
  auto connection = servers_[server]->TakeIdle(choice.preamble);
  return connection ? LeaseOf(std::move(connection)) : nullptr;
}

UpstreamLease UpstreamPool::LeaseOf(std::unique_ptr<UpstreamConnection> connection) {
  return UpstreamLease(http1_.Make(*this, buffers_, std::move(connection)).release());
}

void UpstreamPool::GiveIdle(std::unique_ptr<UpstreamConnection> connection) {
  UpstreamServer& server = *servers_[connection->server()];
  server.GiveIdle(std::move(connection));
}

void UpstreamPool::Drop(std::unique_ptr<UpstreamConnection> connection) {
  connection->SetUser(nullptr);
  loop_.Dispose(std::move(connection));
}

void UpstreamPool::Forget(Http1Upstream& lease) {
  const ObjectPool<Http1Upstream>::Pointer gone(&lease, {&http1_});
}

std::unique_ptr<UpstreamAttempt> UpstreamPool::Connect(ServerChoice& choice, OnConnected on_connected,
                                                       OnRefused on_refused) {
  return std::make_unique<UpstreamAttempt>(*this, choice, std::move(on_connected), std::move(on_refused));
}

bool UpstreamPool::MayRetry() {
  if (retries_.Take()) return true;
  metrics_.Add(Metric::kUpstreamRetriesRefused);
  return false;
}

void UpstreamPool::Retire() {
  for (auto& server : servers_) server->Retire();
}

void UpstreamPool::OnNamesChanged() {
  for (auto& server : servers_) server->OnNamesChanged();
}

// ---- choosing

const std::vector<ServerView>& UpstreamPool::Views(uint64_t tried) {
  for (size_t i = 0; i < servers_.size(); ++i) {
    views_[i] = servers_[i]->View();
    views_[i].tried = ((tried >> i) & 1) != 0;
    views_[i].has_room = views_[i].has_room || MayFollow(makings_[i]);
  }
  return views_;
}

std::optional<size_t> UpstreamPool::Choose(const ServerChoice& choice) {
  return balancer_.Choose(Views(choice.tried), choice.session, loop_.now());
}

size_t UpstreamPool::UntriedOf(const ServerChoice& choice) const {
  return servers_.size() - static_cast<size_t>(std::popcount(choice.tried));
}

// ---- health

void UpstreamPool::Report(size_t server, Refusal refusal) {
  if (const auto outcome = OutcomeOf(refusal)) Report(server, *outcome);
}

// The last server that stands is never ejected: whatever it does, there is nobody better.
void UpstreamPool::Report(size_t server, ServerOutcome outcome) {
  if (!servers_[server]->OnOutcome(outcome)) return;
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (i != server && servers_[i]->View().available) return servers_[server]->Eject();
  }
}

// ---- waiting

void UpstreamPool::OnRoom() {
  // Never at once: whoever made room is in the middle of something.
  if (!waiting_.empty()) serve_turn_.Arm();
}

void UpstreamPool::ServeWaiting() {
  while (!waiting_.empty()) {
    UpstreamAttempt& first = *waiting_.front();
    const auto server = Choose(first.choice_);
    if (!server) {
      serve_again_.Arm(loop_.timers(), loop_.now() + kLookForRoom);
      return;
    }
    first.GoOnWith(*server);
  }
}

// ---- one makes a connection, others wait to share it

bool UpstreamPool::MayFollow(const Making& making) {
  return making.leader != nullptr && making.followers.size() + 1 < http::H2Session::kStreamsMost;
}

bool UpstreamPool::Follow(size_t server, UpstreamAttempt& attempt) {
  Making& making = makings_[server];
  if (!MayFollow(making) || making.leader->choice_.preamble != attempt.choice_.preamble) return false;
  making.followers.push_back(&attempt);
  return true;
}

void UpstreamPool::Lead(size_t server, UpstreamAttempt& attempt) {
  Making& making = makings_[server];
  if (!speaks_h2() || making.leader != nullptr) return;
  making.leader = &attempt;
  making.failure.reset();
}

void UpstreamPool::StopLeading(size_t server, UpstreamAttempt& attempt,
                               std::optional<ServerOutcome> failure) {
  Making& making = makings_[server];
  if (making.leader != &attempt) return;
  making.leader = nullptr;
  making.failure = failure;
  // Never at once: whoever led is in the middle of something.
  if (!making.followers.empty()) followers_turn_.Arm();
}

void UpstreamPool::StopFollowing(size_t server, UpstreamAttempt& attempt) {
  std::erase(makings_[server].followers, &attempt);
}

void UpstreamPool::TellFollowers() {
  for (Making& making : makings_) {
    // The first of them may become the leader, for whom the others wait.
    while (making.leader == nullptr && !making.followers.empty()) {
      UpstreamAttempt& first = *making.followers.front();
      making.followers.erase(making.followers.begin());
      first.StopWaitingFor(making.failure);
    }
  }
}

}  // namespace gatebook::proxy
