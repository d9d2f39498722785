// UpstreamPool: a worker's way to the servers of one upstream: chooses one (proxy/balancer.h), hands
// out its idle connections, makes new ones (proxy/upstream_attempt.h), lets exchanges wait
// while all servers are full, and learns from how they fare which to pass over.
//
// A connection comes back only when its exchange ended exactly: all of the
// request written, nothing read beyond the answer, both sides willing to go on.
//
// An exchange: Begin() once; TakeIdle(); if that gives nothing Connect(); Report() how the
// connection fared; GiveIdle(). If an idle connection proves stale and the request may be sent again, it asks
// MayRetry() and goes on with Connect(), which makes a new connection to the same server first.
//
// Thread: the worker's. Owns: servers with their idle connections. Borrows: parts; attempts, which must
//   not outlive it.
// Limits: as config [[upstream]] says; timeouts.connect is the total over all servers tried.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "config/config.h"
#include "http/refusal.h"
#include "net/loop.h"
#include "net/next_turn.h"
#include "proxy/balancer.h"
#include "proxy/health_board.h"
#include "proxy/retry_budget.h"
#include "proxy/upstream_server.h"

namespace gatebook::proxy {

class UpstreamAttempt;

// Where an exchange stands in its search for a server. A value; empty: it has none yet.
struct ServerChoice {
  uint64_t session = 0;          // what balance = "session" goes by
  std::optional<size_t> server;  // whose turn it is
  uint64_t tried = 0;            // to which no connection could be made; a bit a server
};

class UpstreamPool {
 public:
  struct Parts {
    net::Loop& loop;
    base::BufferPool& buffers;
    base::MetricsBlock& metrics;
    const UpstreamNames& names;
    const config::Config& config;
    size_t index;            // in config.upstreams
    HealthBoard& board;      // of this config
    const UpstreamTls& tls;  // of this config and thread
    uint32_t workers = 1;    // among whom max_connections is shared out
  };
  explicit UpstreamPool(const Parts& parts);
  ~UpstreamPool();

  // An exchange begins; `session`: equal for equal sessions.
  ServerChoice Begin(uint64_t session);

  // An idle connection to the chosen server, or nothing. Its user is not set.
  std::unique_ptr<UpstreamConnection> TakeIdle(ServerChoice& choice);
  // See above for what may come back.
  void GiveIdle(std::unique_ptr<UpstreamConnection> connection);

  using Attempt = UpstreamAttempt;
  using OnConnected = std::function<void(std::unique_ptr<UpstreamConnection>)>;
  using OnRefused = std::function<void(http::Refusal)>;
  // Exactly one of the two is called, once, later than this returns, and not after
  // the attempt was destroyed; it may be destroyed inside them. `choice` must outlive it.
  std::unique_ptr<Attempt> Connect(ServerChoice& choice, OnConnected on_connected, OnRefused on_refused);

  // How a connection fared. Of refusals only those that are the server's fault count.
  void Report(const UpstreamConnection& connection, ServerOutcome outcome) {
    Report(connection.server(), outcome);
  }
  void Report(const UpstreamConnection& connection, http::Refusal refusal);
  // Whether a request may be sent again, which is then paid for (upstream.retry_budget).
  bool MayRetry();

  void CloseIdle();
  // The names that UpstreamNames holds may stand for other addresses now.
  void OnNamesChanged();

 private:
  friend class UpstreamAttempt;
  using Waiting = std::list<UpstreamAttempt*>;

  const std::vector<ServerView>& Views(uint64_t tried);
  std::optional<size_t> Choose(const ServerChoice& choice);
  bool MustWait(const ServerChoice& choice) { return Balancer::MustWait(Views(choice.tried)); }
  size_t UntriedOf(const ServerChoice& choice) const;
  void Report(size_t server, ServerOutcome outcome);
  void OnRoom();
  void ServeWaiting();

  net::Loop& loop_;
  base::MetricsBlock& metrics_;
  const config::Upstream& upstream_;
  const base::Duration connect_timeout_;
  Balancer balancer_;
  RetryBudget retries_;
  Waiting waiting_;  // first come, first served
  net::NextTurn serve_turn_;
  net::Timer serve_again_;
  std::vector<std::unique_ptr<UpstreamServer>> servers_;
  std::vector<ServerView> views_;
};

}  // namespace gatebook::proxy
