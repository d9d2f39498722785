// In turn (nginx's smooth weighted round robin, its idea): at each choice every candidate is
// credited its weight, the richest wins and pays the sum of all. Over a round of as many choices as
// weights add up to, each wins exactly its weight, and its wins stand as far apart as can be. The
// credits of those that are no candidates now stay as they are.
//
// By session: with h uniform in (0,1) drawn from (session, server), the server with the greatest
// w / -ln h wins with a probability proportional to w (Mosharaf et al., "Weighted rendezvous hashing":
// -ln h / w is exponentially distributed with rate w, and the least of such is at i with w_i / Σw).
// A ring of points was rejected: uneven without hundreds of points a server, and weights
// that grow in slow start would rebuild it all the time.

#include "proxy/balancer.h"

#include <algorithm>
#include <cmath>

namespace gatebook::proxy {
namespace {

constexpr int64_t kScale = 1024;
// What a server that has just come back is worth at the least.
constexpr double kLeastShare = 0.1;

// The finaliser of splitmix64: every bit of the result depends on every bit of the argument.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

// The texts are the operator's and the sessions our own random numbers: no need of a secret key.
uint64_t SeedOf(std::string_view text) {
  uint64_t seed = 0x9E3779B97F4A7C15ULL;
  for (const char c : text) seed = Mix(seed ^ static_cast<unsigned char>(c));
  return seed;
}

}  // namespace

Balancer::Balancer(const config::Upstream& upstream)
    : method_(upstream.balance),
      slow_start_(upstream.slow_start),
      weights_(upstream.weights),
      credit_(upstream.servers.size(), 0) {
  weights_.resize(upstream.servers.size(), 1);
  for (const config::Endpoint& server : upstream.servers) seeds_.push_back(SeedOf(server.text));
  candidates_.reserve(upstream.servers.size());
}

std::optional<size_t> Balancer::Choose(std::span<const ServerView> servers, uint64_t session,
                                       base::SteadyTime now) {
  if (!Gather(servers, Set::kAvailable, now)) {
    const bool may_wait = std::any_of(servers.begin(), servers.end(), [](const ServerView& server) {
      return server.available && !server.tried && !server.has_room;
    });
    if (may_wait || !Gather(servers, Set::kAll, now)) return std::nullopt;
  }
  if (candidates_.size() == 1) return candidates_.front().server;
  switch (method_) {
    case config::Balance::kRoundRobin:
      return ChooseInTurn();
    case config::Balance::kLeastConnections:
      return ChooseLeastBusy(servers);
    case config::Balance::kSession:
      return ChooseBySession(session);
  }
  return std::nullopt;
}

bool Balancer::MustWait(std::span<const ServerView> servers) {
  return std::any_of(servers.begin(), servers.end(), [](const ServerView& server) { return !server.tried; });
}

bool Balancer::Gather(std::span<const ServerView> servers, Set set, base::SteadyTime now) {
  candidates_.clear();
  for (size_t i = 0; i < servers.size(); ++i) {
    const ServerView& server = servers[i];
    if (server.tried || !server.has_room || (set == Set::kAvailable && !server.available)) continue;
    int64_t weight = weights_[i] * kScale;
    const base::Duration back = now - server.available_since;
    if (server.available_since != base::SteadyTime{} && back < slow_start_) {
      const double share = static_cast<double>(back.count()) / static_cast<double>(slow_start_.count());
      weight = static_cast<int64_t>(static_cast<double>(weight) * std::max(share, kLeastShare));
    }
    candidates_.push_back({i, weight});
  }
  return !candidates_.empty();
}

size_t Balancer::ChooseInTurn() {
  int64_t sum = 0;
  size_t richest = candidates_.front().server;
  for (const auto& [server, weight] : candidates_) {
    credit_[server] += weight;
    sum += weight;
    if (credit_[server] > credit_[richest]) richest = server;
  }
  credit_[richest] -= sum;
  return richest;
}

size_t Balancer::ChooseLeastBusy(std::span<const ServerView> servers) {
  // a is less busy than b for its weight: a.busy / a.weight < b.busy / b.weight.
  const auto is_less = [&](const Candidate& a, const Candidate& b) {
    return static_cast<int64_t>(servers[a.server].busy) * b.weight <
           static_cast<int64_t>(servers[b.server].busy) * a.weight;
  };
  const Candidate least = *std::min_element(candidates_.begin(), candidates_.end(), is_less);
  std::erase_if(candidates_, [&](const Candidate& candidate) { return is_less(least, candidate); });
  return ChooseInTurn();
}

size_t Balancer::ChooseBySession(uint64_t session) const {
  size_t best = candidates_.front().server;
  double best_draw = -1;
  for (const auto& [server, weight] : candidates_) {
    // 53 bits, and never 0 or 1.
    const double uniform = (static_cast<double>(Mix(session ^ seeds_[server]) >> 11) + 0.5) * 0x1.0p-53;
    const double draw = static_cast<double>(weight) / -std::log(uniform);
    if (draw > best_draw) {
      best_draw = draw;
      best = server;
    }
  }
  return best;
}

}  // namespace gatebook::proxy
