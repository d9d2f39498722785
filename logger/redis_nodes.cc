#include "logger/redis_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace gatebook::logger {
namespace {

using base::Metric;

constexpr size_t kMostRedirects = 16;
constexpr std::chrono::seconds kMapEvery{1};

bool Has(const std::vector<config::Endpoint>& servers, const config::Endpoint& server) {
  return std::find(servers.begin(), servers.end(), server) != servers.end();
}

}  // namespace

RedisNodes::RedisNodes(net::Loop& loop, const config::Redis& config, base::MetricsBlock& metrics,
                       MakeWatch make_watch, Handler& handler)
    : loop_(loop),
      config_(config),
      metrics_(metrics),
      make_watch_(std::move(make_watch)),
      handler_(handler),
      locator_(loop, config, *this),
      read_map_([this] {
        map_read_ = loop_.now();
        if (ready_ && !locator_.IsLooking()) locator_.Begin(slots_.servers());
      }) {}

void RedisNodes::Open() { locator_.Begin(slots_.servers()); }

void RedisNodes::Close() {
  ready_ = false;
  locator_.Cancel();
  read_map_.Cancel();
  for (const auto& node : nodes_) node->Close();
}

void RedisNodes::Lose(const RedisFailure& failure) {
  const RedisFailure copy = failure;
  Close();
  handler_.OnNodesLost(copy);
}

void RedisNodes::OnRedisNotLocated(const RedisFailure& failure) {
  // A map that can't be read again is no failure yet: who held slots still does.
  if (!ready_) Lose(failure);
}

void RedisNodes::OnRedisLocated(RedisSlots slots) {
  if (slots.unserved() != 0) {
    if (ready_) return;
    return Lose({RedisTrouble::kClusterdown, fmt::format("{} slots have no master", slots.unserved())});
  }
  slots_ = std::move(slots);
  std::erase_if(
      nodes_, [this](const auto& node) { return !Has(slots_.servers(), node->server()) && node->IsIdle(); });
  for (const config::Endpoint& server : slots_.servers()) NodeAt(server);
}

RedisNode& RedisNodes::NodeAt(const config::Endpoint& server) {
  auto found =
      std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& node) { return node->server() == server; });
  if (found == nodes_.end()) {
    RedisNode::Handler& self = *this;
    nodes_.push_back(std::make_unique<RedisNode>(loop_, config_, server, make_watch_(), self));
    found = nodes_.end() - 1;
  }
  if (!(*found)->IsOpen()) (*found)->Connect();
  return **found;
}

void RedisNodes::OnNodeConnected(RedisNode& node) {
  metrics_.Add(Metric::kRedisConnects);
  node.watch().Reset();
  if (ready_ || !std::all_of(nodes_.begin(), nodes_.end(), [](const auto& one) { return one->IsReady(); }))
    return;
  ready_ = true;
  handler_.OnNodesConnected();
}

void RedisNodes::OnNodeClosed(RedisNode& node, const RedisFailure& failure) {
  const bool needed = Has(slots_.servers(), node.server()) || !ready_ || !node.IsIdle();
  if (!needed) return node.Close();
  if (!config_.cluster) return Lose(failure);
  Lose({failure.trouble, fmt::format("{}: {}", ToText(node.server()), failure.detail)});
}

void RedisNodes::Queue(RedisTransaction transaction) {
  CHECK(ready_);
  const auto server = slots_.Find(transaction.slot);
  CHECK(server);  // a map with holes is not taken
  NodeAt(slots_.servers()[*server]).Queue(std::move(transaction));
}

bool RedisNodes::IsAt(const RedisNode& node, std::string_view key) const {
  const auto server = slots_.Find(config_.cluster ? SlotOf(key) : 0);
  return server && slots_.servers()[*server] == node.server();
}

void RedisNodes::Send() {
  for (const auto& node : nodes_) node->Send();
}

void RedisNodes::OnNodeReply(RedisNode& node, const RedisReply& reply) {
  RedisTransaction& front = node.front();
  const bool last = front.replies_seen == front.Replies();
  const bool routed = config_.cluster && front.purpose != RedisTransaction::Purpose::kWatch;
  if (routed && reply.IsError() && !front.redirect) front.redirect = ParseRedirect(reply.text, node.server());
  if (!front.redirect) return handler_.OnNodesReply(node, front, reply, last);
  // The rest of its replies says that it was not carried out.
  if (last) Redirect(node.TakeFront());
}

void RedisNodes::Redirect(RedisTransaction transaction) {
  const RedisRedirect to = *std::exchange(transaction.redirect, std::nullopt);
  metrics_.Add(to.ask ? Metric::kRedisRedirectsAsk : Metric::kRedisRedirectsMoved);
  if (++transaction.redirects > kMostRedirects) {
    return Lose({RedisTrouble::kClusterdown, fmt::format("slot {} is sent from node to node", to.slot)});
  }
  transaction.replies_seen = 0;
  transaction.asking = to.ask;
  if (!to.ask) {
    slots_.Move(to.slot, to.server);
    ReadMapAgain();
  }
  RedisNode& node = NodeAt(to.server);
  node.Queue(std::move(transaction));
  node.Send();
}

void RedisNodes::ReadMapAgain() {
  if (!read_map_.IsArmed()) read_map_.Arm(loop_.timers(), std::max(loop_.now(), map_read_ + kMapEvery));
}

}  // namespace gatebook::logger
