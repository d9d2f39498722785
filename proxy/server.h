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
#include "base/guarded_clock.h"
#include "logger/journal.h"
#include "logger/recorder.h"
#include "net/signal.h"
#include "proxy/admin_server.h"
#include "proxy/certificate_watch.h"
#include "proxy/edition.h"
#include "proxy/health_checker.h"
#include "proxy/policy_watch.h"
#include "proxy/session_key.h"
#include "proxy/status_page.h"
#include "proxy/upstream_lookups.h"
#include "proxy/worker.h"
#include "review/desk.h"
#include "review/retention_steward.h"
#include "review/rights_desk.h"
#include "review/day_counter.h"
#include "review/sinks.h"

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
  // Takes an edition into use on this thread, after the workers have been given it.
  void TakeOver(EditionParts parts);
  // Loads the file anew and swaps it in whole, or changes nothing; both are said in the log.
  base::Status Reload();
  base::Status TryReload();
  // The same config with certificates that have been replaced on disk.
  void LookAtCertificates();
  // Puts a checked config in force, or changes nothing.
  base::Status Swap(std::shared_ptr<const config::Config> next);
  // Reads the register of objections for the workers; if it can't be read, what was in force stays so.
  base::Status ReadObjections();
  base::Status TellObjections();
  // True when nothing that is erased is on its way to Redis or into a file any more. Any thread but the
  // recorder's.
  bool LoadErasures(std::chrono::milliseconds patience);
  base::Status Tell(base::Status status);
  ReloadState StateOfReloads() const;
  AdminServer::Page Do(std::string_view path);
  void StartAdmin();
  void OnTerm();
  void OnSecondTick();
  void LookAtClock();
  void LookForDrained();
  void StopNow();
  void EndAll();
  std::vector<const base::MetricsBlock*> AllMetrics() const;
  AdminServer::Page PageAt(std::string_view path) const;
  bool IsAnyWorkerStuck() const;

  const std::shared_ptr<const config::Config> config_;  // with which it was started
  const uint32_t worker_count_;
  net::Loop loop_;
  // Counters outlive those who count.
  std::vector<std::unique_ptr<base::MetricsBlock>> worker_metrics_;
  base::MetricsBlock recorder_metrics_;
  base::MetricsBlock steward_metrics_;
  base::MetricsBlock desk_metrics_;
  base::GuardedClock clock_;  // for whoever destroys what is old
  review::RightsDesk desk_;   // outlives all editions
  std::shared_ptr<const review::DeskReaders> first_readers_;  // until the desk is made
  std::shared_ptr<tls::TlsContext> first_admin_tls_;          // until the admin server is made; may be null
  std::unique_ptr<review::Desk> readers_desk_;
  guard::ConnectionLimiter limiter_;
  std::vector<std::vector<BoundListener>> bound_;  // by worker, until it is made
  EditionParts first_;                             // likewise
  base::UniqueFd admin_fd_;
  std::shared_ptr<const Edition> edition_;             // in force
  std::vector<std::weak_ptr<const Edition>> editions_;  // those that were, as long as anything goes on under them
  std::optional<base::WallTime> refused_at_;           // the last reload that was refused
  std::string refused_why_;
  CertificateWatch certificate_watch_;  // of the edition in force
  base::MetricsBlock main_metrics_;
  base::MetricsBlock statistics_metrics_;
  std::unique_ptr<SessionKey> session_key_;
  std::shared_ptr<const logger::ObjectionList> objections_;  // null: none
  uint64_t objections_number_ = 0;                           // of the last loading
  std::unique_ptr<logger::NameHints> hints_;
  std::unique_ptr<logger::Journal> journal_;
  review::Sinks sinks_;  // told by the recorder; in front of it, so that it outlives it
  std::unique_ptr<logger::Recorder> recorder_;
  std::unique_ptr<review::RetentionSteward> steward_;
  std::unique_ptr<review::DayCounter> day_counter_;
  std::vector<std::unique_ptr<Worker>> workers_;
  // What is checked; may be an older config with the same servers.
  std::shared_ptr<const config::Config> checked_config_;
  std::shared_ptr<HealthBoard> checked_health_;
  std::unique_ptr<HealthChecker> checker_;
  std::unique_ptr<UpstreamLookups> lookups_;
  std::unique_ptr<PolicyWatch> policy_;
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
