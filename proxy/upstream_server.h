// UpstreamServer: one server of an upstream as one worker sees it: its idle or shared connections, how
// many are open, and whether it is to be passed over.
//
// Those used last are taken first, so that spare ones grow old and are closed. A
// connection that came back in this very turn of the loop is looked at with a system call before it is
// taken again: since it came back the kernel was not asked. One that came back earlier is watched.
//
// Thread: the worker's. Owns: idle connections (HTTP/1), all that are greeted (HTTP/2).
// Limits: upstream.max_idle idle connections, each for timeouts.upstream_keep_alive at most;
//   upstream.max_connections open ones, this worker's share of them.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "config/config.h"
#include "net/loop.h"
#include "proxy/balancer.h"
#include "proxy/health_board.h"
#include "proxy/http2_upstream.h"
#include "proxy/server_health.h"
#include "proxy/upstream_connection.h"

namespace gatebook::proxy {

class UpstreamServer final : private UpstreamConnection::User {
 public:
  struct Parts {
    net::Loop& loop;
    base::BufferPool& buffers;
    base::MetricsBlock& metrics;
    const UpstreamNames& names;
    const config::Config& config;
    const config::Upstream& upstream;
    HealthBoard::Server& board;
    std::shared_ptr<Http2Upstream::Stores> stores;
    uint32_t workers;  // among whom max_connections is shared out
  };
  // `on_room` is called when there may be room that was not there before.
  UpstreamServer(const Parts& parts, UpstreamTarget target, std::function<void()> on_room);
  ~UpstreamServer();
  UpstreamServer(const UpstreamServer&) = delete;
  UpstreamServer& operator=(const UpstreamServer&) = delete;

  ServerView View() const;
  std::vector<net::SocketAddress> Addresses() const { return target_.Addresses(names_); }

  // HTTP/1. Null: there is none that began with this preamble. Its user is not set.
  std::unique_ptr<UpstreamConnection> TakeIdle(const std::string& preamble);
  void GiveIdle(std::unique_ptr<UpstreamConnection> connection);
  // HTTP/2. Null: no connection has room.
  UpstreamLease TakeStream(const std::string& preamble);
  // Begins HTTP/2 on a new connection. Share() it when its user is told that it is ready.
  std::unique_ptr<Http2Upstream> Greet(std::unique_ptr<UpstreamConnection> connection,
                                       UpstreamConnection::User& user);
  void Share(std::unique_ptr<Http2Upstream> connection);

  // What is idle is closed, what is shared takes no more.
  void CloseIdle();
  // Likewise, and nothing is kept from now on.
  void Retire();
  // Names may stand for other addresses now: idle connections to former ones are closed.
  void OnNamesChanged();
  // A new connection under way, or null if it failed at once.
  std::unique_ptr<UpstreamConnection> Connect(const net::SocketAddress& address, const std::string& preamble,
                                              UpstreamConnection::User& user);

  // Takes note. True: it is due to be ejected.
  bool OnOutcome(ServerOutcome outcome) {
    if (outcome == ServerOutcome::kAnswered) told_ = false;
    return health_.OnOutcome(outcome, loop_.now());
  }
  // Passes it over for a while.
  void Eject();
  // Says in the log why a connection could not be made, or was lost, once until it answers again.
  void TellFailure(std::string_view why, bool lost = false);

 private:
  class Idle;
  // Of the shared connections.
  void OnUpstreamReady() override { on_room_(); }
  void OnUpstreamFailed() override;
  using IdleList = std::vector<std::unique_ptr<Idle>>;  // the one used last at the end
  IdleList::reverse_iterator FindIdle(const std::string& preamble);
  void Remove(Idle* idle);
  void SweepIdle();
  void GiveUpOldest();
  void Readmit();
  bool IsStillThere(UpstreamConnection& connection) const;

  net::Loop& loop_;
  base::BufferPool& buffers_;
  base::MetricsBlock& metrics_;
  const UpstreamNames& names_;
  const config::Upstream& upstream_;
  HealthBoard::Server& board_;
  const UpstreamTarget target_;
  const base::Duration keep_alive_;
  const http::HeadLimits limits_;
  const uint32_t most_connections_;  // 0: no limit
  std::function<void()> on_room_;
  std::shared_ptr<ServerLoad> load_;
  IdleList idle_;
  const Http2Upstream::Parts h2_parts_;
  std::vector<std::unique_ptr<Http2Upstream>> shared_;  // the oldest first
  bool retired_ = false;
  ServerHealth health_;
  net::Timer sweep_;
  net::Timer readmission_;
  bool told_ = false;
};

}  // namespace gatebook::proxy
