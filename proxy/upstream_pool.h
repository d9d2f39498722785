// UpstreamPool: a worker's connections to the servers of one upstream.
//
// A connection comes back only when its exchange ended exactly: all of the
// request written, nothing read beyond the answer, both sides willing to go on.
// The one used last is taken first, so that spare ones grow old and are closed.
//
// Thread: the worker's. Owns: idle connections and attempts' connections.
// Limits: config upstream.max_idle idle connections; idle for at most
//   timeouts.upstream_keep_alive; timeouts.connect is the total over all servers tried.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "config/config.h"
#include "http/refusal.h"
#include "net/loop.h"
#include "proxy/upstream_connection.h"

namespace gatebook::proxy {

class UpstreamNames;

class UpstreamPool {
 public:
  UpstreamPool(net::Loop& loop, base::BufferPool& buffers, base::MetricsBlock& metrics, UpstreamNames& names,
               const config::Config& config, const config::Upstream& upstream);
  ~UpstreamPool();

  // The connection used last, or nothing. Its user is not set.
  std::unique_ptr<UpstreamConnection> TakeIdle();
  // See above for what may come back.
  void GiveIdle(std::unique_ptr<UpstreamConnection> connection);

  // One try to connect to the servers in turn, each at all its addresses. Destroying it gives up.
  class Attempt;
  using OnConnected = std::function<void(std::unique_ptr<UpstreamConnection>)>;
  using OnRefused = std::function<void(http::Refusal)>;
  // Exactly one of the two is called, once, later than this returns, and not after
  // the attempt was destroyed. The attempt must not be destroyed inside them: Loop::Dispose it.
  std::unique_ptr<Attempt> Connect(OnConnected on_connected, OnRefused on_refused);

  void CloseIdle();

 private:
  class Idle;
  void Remove(Idle* idle);
  void SweepIdle();

  net::Loop& loop_;
  base::BufferPool& buffers_;
  base::MetricsBlock& metrics_;
  UpstreamNames& names_;
  const config::Config& config_;
  const config::Upstream& upstream_;
  http::HeadLimits limits_;
  size_t next_server_ = 0;
  std::vector<std::unique_ptr<Idle>> idle_;  // the one used last at the end
  net::Timer sweep_;
};

// Public so that its owner can hold it by unique_ptr and dispose of it.
class UpstreamPool::Attempt : public net::Disposable, private UpstreamConnection::User {
 public:
  Attempt(UpstreamPool& pool, OnConnected on_connected, OnRefused on_refused);

 private:
  friend class UpstreamPool;
  std::optional<net::SocketAddress> NextAddress(const config::Endpoint& server);
  void TryNext();
  void Refuse(http::Refusal refusal);
  void OnUpstreamReady() override;
  void OnUpstreamFailed() override;

  UpstreamPool& pool_;
  OnConnected on_connected_;
  OnRefused on_refused_;
  size_t first_server_;
  size_t tried_servers_ = 0;
  size_t tried_addresses_ = 0;  // of the server whose turn it is
  bool any_address_ = false;
  bool over_ = false;
  std::unique_ptr<UpstreamConnection> connection_;
  net::Timer deadline_;
  net::Timer next_turn_;
};

}  // namespace gatebook::proxy
