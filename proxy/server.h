// Server: the running edge: builds every part, connects them, ends them in order.
//
// Order of life: log, sockets and certificates (perhaps as root), another user,
// session key, journal, recorder, workers, admin. It ends the other way round:
// listeners close, exchanges end or are cut at the deadline, workers, recorder (which
// delivers what it can), journal.
//
// Thread: the main thread; it stays in Run().
// Owns: everything named above.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "logger/journal.h"
#include "logger/recorder.h"
#include "net/signal.h"
#include "proxy/admin_server.h"
#include "proxy/health_checker.h"
#include "proxy/session_key.h"
#include "proxy/status_page.h"
#include "proxy/upstream_lookups.h"
#include "proxy/worker.h"
#include "tls/certificate_store.h"
#include "tls/ticket_keys.h"

namespace gatebook::proxy {

class Server {
 public:
  explicit Server(std::shared_ptr<const config::Config> config);
  ~Server();

  // Everything up to serving, or why not; nothing is left behind in that case.
  base::Status Start();
  // Serves until told to end by a signal; then drains.
  void Run();

 private:
  base::Status Bind();
  base::Status LoadSecrets();
  base::Status OpenBook();
  base::Status StartWorkers();
  void OnTerm();
  void OnSecondTick();
  void LookForDrained();
  void StopNow();
  void EndAll();
  std::vector<const base::MetricsBlock*> AllMetrics() const;
  AdminServer::Page PageAt(std::string_view path) const;
  bool IsAnyWorkerStuck() const;

  std::shared_ptr<const config::Config> config_;
  const uint32_t worker_count_;
  net::Loop loop_;
  // Counters outlive those who count.
  std::vector<std::unique_ptr<base::MetricsBlock>> worker_metrics_;
  base::MetricsBlock recorder_metrics_;
  guard::ConnectionLimiter limiter_;
  std::vector<std::vector<BoundListener>> bound_;  // by worker
  base::UniqueFd admin_fd_;
  std::shared_ptr<const tls::CertificateStore> certificates_;
  std::shared_ptr<tls::TicketKeys> ticket_keys_;
  std::vector<std::shared_ptr<tls::TlsContext>> tls_contexts_;  // by worker, until it is made
  std::vector<UpstreamTls> upstream_tls_;                       // likewise; one more, for the checks
  HealthBoard health_;
  base::MetricsBlock checker_metrics_;
  std::unique_ptr<SessionKey> session_key_;
  std::unique_ptr<logger::NameHints> hints_;
  std::unique_ptr<logger::Journal> journal_;
  std::unique_ptr<logger::Recorder> recorder_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<HealthChecker> checker_;
  std::unique_ptr<UpstreamLookups> lookups_;
  std::unique_ptr<AdminServer> admin_;
  std::vector<std::unique_ptr<net::Signal>> signals_;
  net::Timer every_second_;
  net::Timer drain_timer_;
  base::SteadyTime drain_deadline_{};
  base::WallTime started_{};
  bool owns_admin_path_ = false;
  bool draining_ = false;
  bool stopping_ = false;
};

}  // namespace gatebook::proxy
