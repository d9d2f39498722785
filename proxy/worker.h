// Worker: one thread that serves clients, with everything it needs of its own.
//
// Thread: made and destroyed by the main thread; Start() begins its own. Between
//   Start() and Join() only the methods that say so may be called from elsewhere.
// Owns: loop, listeners, connections, upstream pools, counters.
// Borrows: journal writer, hints, limiter, session keys.
// Ends: BeginDrain() lets exchanges end; Stop() ends at once; then Join().
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "logger/journal_writer.h"
#include "logger/name_hints.h"
#include "net/listener.h"
#include "proxy/arriving_connection.h"
#include "proxy/exchange.h"
#include "proxy/http2_stream.h"
#include "proxy/listening.h"
#include "proxy/upstream_names.h"
#include "proxy/worker_context.h"
#include "tls/tls_context.h"

namespace gatebook::proxy {

class Worker final : private ArrivingConnection::Host {
 public:
  // A worker's share of an edition.
  struct Share {
    std::shared_ptr<const Edition> edition;
    std::shared_ptr<tls::TlsContext> tls;  // null if no listener has tls
    UpstreamTls upstream_tls;
    std::vector<BoundListener> added;  // listeners that were not there before
  };
  // Takes a worker's share out.
  static Share ShareOf(EditionParts& parts, std::vector<std::vector<BoundListener>>& added, size_t worker) {
    return {parts.edition, std::move(parts.tls[worker]), std::move(parts.upstream_tls[worker]),
            std::move(added[worker])};
  }
  struct Parts {
    guard::ConnectionLimiter& limiter;
    logger::JournalWriter& journal;
    logger::NameHints& hints;
    base::MetricsBlock& metrics;
    const SessionKey& session_key;
    uint32_t workers;                                         // how many there are
    std::shared_ptr<const logger::ObjectionList> objections;  // null: none
  };

  Worker(const Parts& parts, Share first);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // `number` names its thread.
  void Start(size_t number);
  void Join();

  // Any thread.
  void BeginDrain();  // no new connections; idle ones end, others after their answer
  void Stop();        // everything ends now
  // What begins from then on begins under `share`; in_force() tells when.
  void Swap(Share share);
  // Number of the edition in force.
  uint64_t in_force() const { return in_force_.load(std::memory_order_acquire); }
  void SetUpstreamAddresses(const std::string& hostname, std::vector<base::IpAddress> addresses);
  // `taken`: set once requests are judged by it.
  void SetObjections(std::shared_ptr<const logger::ObjectionList> objections,
                     std::shared_ptr<std::promise<void>> taken);
  void AskForSign();  // the loop answers by moving last_sign()
  base::SteadyTime last_sign() const { return last_sign_.load(std::memory_order_relaxed); }
  bool IsDrained() const { return drained_.load(std::memory_order_acquire); }
  const Tally<http::Refusal>& refusals() const { return refusals_; }
  const Tally<CloseReason>& close_reasons() const { return close_reasons_; }
  const Tally<http::H2End>& h2_ends() const { return h2_ends_; }

 private:
  // An open socket; its settings are those of the edition in force.
  struct Listening {
    config::Listen listen;
    std::unique_ptr<net::Listener> listener;
  };
  std::shared_ptr<Generation> MakeGeneration(const Share& share);
  void PostIfAlive(std::function<void()> task);
  void SwapHere(Share share);
  void Listen(BoundListener bound);
  void OnAccept(const config::Listen& listen, base::UniqueFd fd, std::optional<base::IpAddress> ip);
  void OnArrived(ClientConnection& from, Arrival arrival) override;
  void OnClosed(ClientConnection& connection) override;
  void OnFlushed();
  void DrainHere();

  net::Loop loop_;
  base::BufferPool buffers_;
  base::MetricsBlock& metrics_;
  const SessionKey& session_key_;
  const uint32_t workers_;
  guard::ConnectionLimiter& limiter_;
  logger::JournalWriter& journal_;
  Tally<http::Refusal> refusals_;
  Tally<CloseReason> close_reasons_;
  RequestIds request_ids_;
  VisitBook book_;
  UpstreamNames names_;
  ObjectPool<http::RequestParser> parsers_;
  ObjectPool<Exchange> exchanges_;
  ObjectPool<Http2Stream> h2_streams_;
  http::H2Pool h2_pool_{buffers_};
  Tally<http::H2End> h2_ends_;
  WorkerContext context_;
  std::vector<BoundListener> bound_;  // until the start
  std::vector<std::unique_ptr<Listening>> listening_;
  std::vector<std::unique_ptr<ClientConnection>> connections_;
  std::atomic<base::SteadyTime> last_sign_;
  std::atomic<uint64_t> in_force_;
  std::atomic<bool> drained_{false};
  std::thread thread_;
};

}  // namespace gatebook::proxy
