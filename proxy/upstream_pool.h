// UpstreamPool: a worker's way to the servers of one upstream: chooses one (proxy/balancer.h), leases
// out its connections, or streams of them, makes new ones (proxy/upstream_attempt.h), lets exchanges
// wait while all servers are full, and learns from how they fare which to pass over.
//
// A connection of HTTP/1 serves one exchange at a time, and comes back only when that ended exactly:
// all of the request written, nothing read beyond the answer, both sides willing to go on. One of HTTP/2 is
// shared; while one is being made, others who come wait for it instead of making their own.
//
// An exchange: Begin() once; TakeIdle(); if that gives nothing Connect(); Report() how it fared. If a used
// connection proves stale and the request may be sent again, it asks MayRetry() and goes on with
// Connect(), which makes a new connection to the same server first.
//
// Thread: the worker's. Owns: servers with their connections. Borrows: parts; attempts and leases, which
//   must not outlive it.
// Limits: as config [[upstream]] says; timeouts.connect is the total over all servers tried.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "http/refusal.h"
#include "net/loop.h"
#include "net/next_turn.h"
#include "proxy/balancer.h"
#include "proxy/health_board.h"
#include "proxy/http1_upstream.h"
#include "proxy/object_pool.h"
#include "proxy/retry_budget.h"
#include "proxy/upstream_server.h"

namespace gatebook::proxy {

class UpstreamAttempt;

// Where an exchange stands in its search for a server. A value; empty: it has none yet.
struct ServerChoice {
  uint64_t session = 0;          // what balance = "session" goes by
  std::optional<size_t> server;  // whose turn it is
  uint64_t tried = 0;            // to which no connection could be made; a bit a server
  std::string preamble;          // of its connections (upstream.proxy_protocol); only equal ones are shared
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

  bool speaks_h2() const { return upstream_.protocol == config::UpstreamProtocol::kH2; }
  // Whether connections begin with a PROXY header, ServerChoice::preamble.
  bool sends_proxy_header() const { return upstream_.proxy_protocol; }

  // An exchange begins; `session`: equal for equal sessions.
  ServerChoice Begin(uint64_t session, std::string preamble = {});

  // What there is already to the chosen server, or nothing.
  UpstreamLease TakeIdle(ServerChoice& choice);

  using Attempt = UpstreamAttempt;
  using OnConnected = std::function<void(UpstreamLease)>;
  using OnRefused = std::function<void(http::Refusal)>;
  // Exactly one of the two is called, once, later than this returns, and not after
  // the attempt was destroyed; it may be destroyed inside them. `choice` must outlive it.
  std::unique_ptr<Attempt> Connect(ServerChoice& choice, OnConnected on_connected, OnRefused on_refused);

  // How a server fared. Of refusals only those that are its fault count.
  void Report(size_t server, ServerOutcome outcome);
  void Report(size_t server, http::Refusal refusal);
  // Whether a request may be sent again, which is then paid for (upstream.retry_budget).
  bool MayRetry();

  // No connection is kept any more.
  void Retire();
  // The names that UpstreamNames holds may stand for other addresses now.
  void OnNamesChanged();

  // For leases of HTTP/1: see above for what may come back; all else is closed.
  void GiveIdle(std::unique_ptr<UpstreamConnection> connection);
  void Drop(std::unique_ptr<UpstreamConnection> connection);
  void Forget(Http1Upstream& lease);

 private:
  friend class UpstreamAttempt;
  using Waiting = std::list<UpstreamAttempt*>;
  // Of a server whose connections are shared.
  struct Making {
    UpstreamAttempt* leader = nullptr;        // who makes one
    std::vector<UpstreamAttempt*> followers;  // who wait for it
    std::optional<ServerOutcome> failure;     // of the last leader
  };

  const std::vector<ServerView>& Views(uint64_t tried);
  std::optional<size_t> Choose(const ServerChoice& choice);
  bool MustWait(const ServerChoice& choice) { return Balancer::MustWait(Views(choice.tried)); }
  size_t UntriedOf(const ServerChoice& choice) const;
  // What the server has already.
  UpstreamLease TakeFrom(size_t server, const ServerChoice& choice);
  UpstreamLease LeaseOf(std::unique_ptr<UpstreamConnection> connection);
  static bool MayFollow(const Making& making);
  // True: somebody makes a connection to the server that this one will share.
  bool Follow(size_t server, UpstreamAttempt& attempt);
  void Lead(size_t server, UpstreamAttempt& attempt);
  // The leader, if it is that, is done.
  void StopLeading(size_t server, UpstreamAttempt& attempt, std::optional<ServerOutcome> failure);
  void StopFollowing(size_t server, UpstreamAttempt& attempt);
  void TellFollowers();
  void OnRoom();
  void ServeWaiting();

  net::Loop& loop_;
  base::BufferPool& buffers_;
  base::MetricsBlock& metrics_;
  const config::Upstream& upstream_;
  const base::Duration connect_timeout_;
  Balancer balancer_;
  RetryBudget retries_;
  ObjectPool<Http1Upstream> http1_;
  Waiting waiting_;              // first come, first served
  std::vector<Making> makings_;  // by server
  net::NextTurn followers_turn_;
  net::NextTurn serve_turn_;
  net::Timer serve_again_;
  std::vector<std::unique_ptr<UpstreamServer>> servers_;
  std::vector<ServerView> views_;
};

}  // namespace gatebook::proxy
