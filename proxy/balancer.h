// Balancer: which server of an upstream is next.
//
// Three ways (upstream.balance):
//   round robin        smooth and weighted: of 5:1:1 the first comes a a b a c a a, never in a block;
//   least connections  the fewest exchanges under way for its weight; equals in turn;
//   session            weighted rendezvous: each server draws a number from (session, server),
//                      the best draw wins. A server that leaves takes only its own sessions with it, and
//                      gets just these back; the order in the configuration has no part in it, so
//                      that every worker and every edge decides alike.
//
// A server that came back grows to its full weight within upstream.slow_start.
// Who is down is passed over as long as any other may still be tried or waited for; when none
// is left, those that are down are tried all the same: a wrong verdict must not
// become an outage (it fails open).
//
// Thread: one. Pure: no clock, no socket. Limits: 64 servers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "config/config.h"

namespace gatebook::proxy {

// What is known of a server at the moment of choosing.
struct ServerView {
  bool available = true;               // neither failing its checks nor ejected
  bool tried = false;                  // by this very exchange
  bool has_room = true;                // an idle connection, or fewer than its most
  uint32_t busy = 0;                   // exchanges under way
  base::SteadyTime available_since{};  // since when; the clock's beginning: always
};

class Balancer {
 public:
  explicit Balancer(const config::Upstream& upstream);

  // Nothing: each server was tried, or those that were not have no room (MustWait()).
  std::optional<size_t> Choose(std::span<const ServerView> servers, uint64_t session, base::SteadyTime now);
  // Whether there is a server to wait for.
  static bool MustWait(std::span<const ServerView> servers);

 private:
  enum class Set { kAvailable, kAll };
  // Fills candidates_ with indexes; false: it is empty.
  bool Gather(std::span<const ServerView> servers, Set set, base::SteadyTime now);
  size_t ChooseInTurn();
  size_t ChooseLeastBusy(std::span<const ServerView> servers);
  size_t ChooseBySession(uint64_t session) const;

  struct Candidate {
    size_t server;
    int64_t weight;  // scaled, with slow start
  };
  const config::Balance method_;
  const base::Duration slow_start_;
  std::vector<uint32_t> weights_;
  std::vector<uint64_t> seeds_;  // of the servers' draws
  std::vector<int64_t> credit_;  // what each server has saved up in its turns
  std::vector<Candidate> candidates_;
};

}  // namespace gatebook::proxy
