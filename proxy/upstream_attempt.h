// UpstreamAttempt: one exchange's search for a connection: waits for room where all
// servers are full, then connects to the servers the balancer names, each at all its addresses.
//
// With HTTP/2 a try is over when the server has greeted; and where another attempt is at it
// already, it waits for that one's connection.
//
// timeouts.connect is the total. Each try has a fair share of what is left of it: as many as there are
// still to try, but a quarter at the least, so that one address into which packets vanish
// does not eat the time of those that would answer.
//
// Thread: the worker's. Borrows: pool and choice, which must outlive it. Owns: the connection under way.
// Ends: destroying it gives up; also inside its own callbacks.
#pragma once

#include <memory>
#include <vector>

#include "proxy/upstream_pool.h"

namespace gatebook::proxy {

class UpstreamAttempt : public net::Disposable, private UpstreamConnection::User {
 public:
  // Only by UpstreamPool::Connect(), which says what the callbacks mean.
  UpstreamAttempt(UpstreamPool& pool, ServerChoice& choice, UpstreamPool::OnConnected on_connected,
                  UpstreamPool::OnRefused on_refused);
  ~UpstreamAttempt() override;

 private:
  friend class UpstreamPool;

  // ---- waiting for room
  void Wait();
  void LeaveQueue();
  // Its turn has come.
  void GoOnWith(size_t server);

  // ---- following
  // Whom it followed has a connection, or has failed.
  void StopWaitingFor(std::optional<ServerOutcome> failure);

  // ---- connecting
  void TryNext();
  // False: there is none to be tried now.
  bool EnterServer();
  void BeginTry(const net::SocketAddress& address);
  void OnTryFailed(ServerOutcome outcome);
  void DropTry();
  void LeaveServer();
  void OnUpstreamReady() override;
  void OnUpstreamFailed() override;
  void OnDeadline();

  // ---- the end
  void Connected(UpstreamLease lease);
  void Refuse(http::Refusal refusal);
  void RefuseLater(http::Refusal refusal);

  UpstreamPool& pool_;
  ServerChoice& choice_;
  UpstreamPool::OnConnected on_connected_;
  UpstreamPool::OnRefused on_refused_;

  std::optional<size_t> server_;               // whose addresses are being tried
  std::vector<net::SocketAddress> addresses_;  // of it
  size_t next_address_ = 0;
  std::unique_ptr<UpstreamConnection> connection_;  // under way
  std::unique_ptr<Http2Upstream> greeting_;         // likewise, then
  UpstreamLease found_;                             // instead of a new one
  base::Duration left_;                             // of timeouts.connect
  base::SteadyTime try_began_{};
  std::optional<ServerOutcome> last_failure_;  // of a try; nothing: no address was known
  http::Refusal refusal_ = http::Refusal::kCount;

  std::optional<UpstreamPool::Waiting::iterator> place_;  // in the queue
  bool waited_ = false;
  bool following_ = false;  // to choice_.server
  net::Timer deadline_;     // of the try, of waiting or of following
  net::NextTurn later_;
};

}  // namespace gatebook::proxy
