#include "proxy/server.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/log.h"
#include "logger/known_time.h"
#include "proxy/admin_tls.h"
#include "proxy/privileges.h"

namespace gatebook::proxy {
namespace {

using base::Metric;

constexpr std::chrono::seconds kSecond{1};
constexpr std::chrono::milliseconds kLookForDrained{50};
// A worker whose loop has not turned for so long is stuck.
constexpr std::chrono::seconds kStuckAfter{5};
// What the recorder may take at the end to deliver what is in the journal; the rest stays there.
constexpr std::chrono::seconds kLastDeliveries{5};
// And the sinks, after it, to write what it told them.
constexpr std::chrono::seconds kLastLines{2};
// A visitor who has something erased waits for so long that the recorder knows of it.
constexpr std::chrono::milliseconds kMostErasureWait{2000};

uint32_t WorkerCount(const config::Config& config) {
  if (config.edge.workers != 0) return config.edge.workers;
  return std::clamp(std::thread::hardware_concurrency(), 1U, 64U);
}

}  // namespace

Server::Server(std::shared_ptr<const config::Config> config)
    : config_(std::move(config)),
      worker_count_(WorkerCount(*config_)),
      clock_(base::Clock::System(), config_->retention.clock_jump),
      desk_(*config_, clock_, desk_metrics_),
      limiter_(config_->limits.connections, config_->limits.connections_per_address),
      sinks_(config_->edge.name, clock_),
      every_second_([this] { OnSecondTick(); }),
      drain_timer_([this] { LookForDrained(); }) {
  for (uint32_t i = 0; i < worker_count_; ++i) worker_metrics_.push_back(std::make_unique<base::MetricsBlock>());
}

Server::~Server() { EndAll(); }

base::Status Server::Start() {
  if (auto status = base::LogSink::Open(config_->log.file, base::LogLevelOf(config_->log.level)); !status.ok()) return status;
  SetProcessLimits();
  started_ = base::Clock::System().WallNow();
  for (auto step : {&Server::Bind, &Server::LoadSecrets, &Server::OpenBook, &Server::StartWorkers}) {
    if (auto status = (this->*step)(); !status.ok()) return status;
  }
  StartAdmin();
  const auto on = [this](int number, auto action) {
    signals_.push_back(std::make_unique<net::Signal>(loop_, number, action));
  };
  ::signal(SIGPIPE, SIG_IGN);
  on(SIGTERM, [this] { OnTerm(); });
  on(SIGQUIT, [this] { OnTerm(); });
  on(SIGINT, [this] { StopNow(); });
  on(SIGUSR1, [this] {
    base::LogSink::Reopen();
    sinks_.Reopen();
  });
  on(SIGHUP, [this] {
    static_cast<void>(Reload());  // says in the log how it went
  });
  every_second_.Arm(loop_.timers(), loop_.now() + kSecond);
  base::LogInfo("server", "gatebook {} serves with {} workers", GATEBOOK_VERSION, worker_count_);
  NotifyServiceManager("READY=1");
  return {};
}

void Server::StartAdmin() {
  readers_desk_ = std::make_unique<review::Desk>(
      review::Desk::Parts{loop_, base::Clock::System(), main_metrics_, [this] { return PageAt("/status").body; }},
      config_, std::exchange(first_readers_, nullptr));
  readers_desk_->Start();
  admin_ = std::make_unique<AdminServer>(
      loop_, std::move(admin_fd_), [this](std::string_view path) { return PageAt(path); },
      [this](std::string_view path) { return Do(path); }, readers_desk_.get());
  const bool is_closed = !first_admin_tls_ && config_->admin.address.kind != config::Endpoint::Kind::kUnix;
  if (is_closed && config_->desk.enabled) {
    base::LogWarning("desk", "the desk is closed: admin.address is TCP without TLS (admin.chain, admin.key)");
  }
  admin_->SetTls(std::exchange(first_admin_tls_, nullptr));
}

base::Status Server::Bind() {
  auto bound = BindListeners(config_->listen, {}, worker_count_);
  if (!bound.ok()) return bound.error();
  bound_ = std::move(bound).value();
  auto admin = BindEndpoint(config_->admin.address, 0660);
  if (!admin.ok()) return admin.error();
  admin_fd_ = std::move(admin).value();
  owns_admin_path_ = config_->admin.address.kind == config::Endpoint::Kind::kUnix;
  return {};
}

base::Status Server::LoadSecrets() {
  // While files that only root may read can be read.
  certificate_watch_ = CertificateWatch(*config_);
  auto parts = MakeEdition(config_, nullptr, worker_count_, desk_);
  if (!parts.ok()) return parts.error();
  first_ = std::move(parts).value();
  auto readers = review::DeskReaders::Load(config_->readers);
  if (!readers.ok()) return readers.error();
  first_readers_ = std::move(readers).value();
  auto admin_tls = MakeAdminTls(config_->admin);
  if (!admin_tls.ok()) return admin_tls.error();
  first_admin_tls_ = std::move(admin_tls).value();
  if (auto status = BecomeUser(config_->edge.user); !status.ok()) return status;
  auto key = SessionKey::LoadOrMake(config_->session.key_file);
  if (!key.ok()) return key.error();
  session_key_ = std::make_unique<SessionKey>(std::move(key).value());
  return {};
}

base::Status Server::OpenBook() {
  clock_.Begin(logger::LoadKnownTime(config_->journal.directory), base::BootId(), base::IsClockSynchronised());
  LookAtClock();
  hints_ = std::make_unique<logger::NameHints>();
  logger::JournalOptions options;
  for (auto& block : worker_metrics_) options.worker_metrics.push_back(block.get());
  options.recorder_metrics = &recorder_metrics_;
  options.quarantine_retention = config_->visit.retention;
  auto journal = logger::Journal::Open(config_->journal, config_->edge.name, worker_count_, clock_, std::move(options));
  if (!journal.ok()) return journal.error();
  journal_ = std::move(journal).value();
  recorder_ = std::make_unique<logger::Recorder>(*journal_, worker_count_, *config_, recorder_metrics_,
                                                 clock_, *hints_, journal_->doorbell());
  recorder_->SetErasures(logger::ErasureRegister(config_->journal.directory, config_->visit.retention),
                         logger::ErasureKey(session_key_->bytes()));
  auto sinks = sinks_.Prepare(*config_);
  if (!sinks.ok()) return sinks.error();
  sinks_.Take(std::move(sinks).value());
  recorder_->SetTap(sinks_);
  recorder_->Start();
  policy_ = std::make_unique<PolicyWatch>(config_->journal.directory, main_metrics_);
  steward_ = std::make_unique<review::RetentionSteward>(review::RetentionSteward::Parts{
      *config_, clock_, steward_metrics_, [this] { return recorder_metrics_.Get(Metric::kDnsCached); }});
  steward_->Start();
  desk_.Start(logger::ErasureKey(session_key_->bytes()), [this] { return LoadErasures(kMostErasureWait); });
  day_counter_ = std::make_unique<review::DayCounter>(review::DayCounter::Parts{
      *config_, base::Clock::System(), statistics_metrics_, [this] { return recorder_->state().lag; }});
  day_counter_->Start();
  return {};
}

base::Status Server::StartWorkers() {
  if (auto status = ReadObjections(); !status.ok()) return status;
  for (uint32_t i = 0; i < worker_count_; ++i) {
    workers_.push_back(std::make_unique<Worker>(
        Worker::Parts{limiter_, journal_->writer(i), *hints_, *worker_metrics_[i], *session_key_, worker_count_,
                      objections_},
        Worker::ShareOf(first_, bound_, i)));
  }
  for (size_t i = 0; i < workers_.size(); ++i) workers_[i]->Start(i);
  TakeOver(std::exchange(first_, {}));
  return {};
}

void Server::Run() {
  loop_.Run();
  EndAll();
}

// The first one drains, a second one ends now.
void Server::OnTerm() {
  if (draining_) return StopNow();
  draining_ = true;
  NotifyServiceManager("STOPPING=1");
  base::LogInfo("server", "draining: exchanges have {} ms to end", edition_->config->timeouts.drain.count());
  drain_deadline_ = loop_.now() + edition_->config->timeouts.drain;
  for (auto& worker : workers_) worker->BeginDrain();
  LookForDrained();
}

void Server::LookForDrained() {
  const bool all = std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->IsDrained(); });
  if (all || loop_.now() >= drain_deadline_) return StopNow();
  drain_timer_.Arm(loop_.timers(), loop_.now() + kLookForDrained);
}

void Server::StopNow() {
  if (stopping_) return;
  stopping_ = true;
  loop_.Stop();
}

void Server::EndAll() {
  lookups_.reset();
  checker_.reset();
  for (auto& worker : workers_) worker->Stop();
  for (auto& worker : workers_) worker->Join();
  desk_.Stop();
  if (readers_desk_) readers_desk_->Stop();
  workers_.clear();
  steward_.reset();
  day_counter_.reset();
  if (recorder_) recorder_->Stop(base::Clock::System().SteadyNow() + kLastDeliveries);
  recorder_.reset();
  sinks_.EndAll(base::Clock::System().SteadyNow() + kLastLines);
  if (journal_) journal_->Close();
  journal_.reset();
  signals_.clear();
  admin_.reset();
  if (std::exchange(owns_admin_path_, false)) ::unlink(config_->admin.address.path.c_str());
  base::LogSink::Close();
}

void Server::OnSecondTick() {
  for (auto& worker : workers_) worker->AskForSign();
  LookAtCertificates();
  policy_->Look();
  sinks_.Reap();
  LookAtClock();
  every_second_.Arm(loop_.timers(), loop_.now() + kSecond);
}

void Server::LookAtClock() {
  const auto change = clock_.Look(base::IsClockSynchronised());
  main_metrics_.Set(Metric::kClockHeld, clock_.IsHeld() ? 1 : 0);
  if (change == base::GuardedClock::Change::kHeld) {
    main_metrics_.Add(Metric::kClockJumps);
    base::LogError("server",
                   "the wall clock is {} s ahead of the time that has passed: nothing is destroyed for its age until "
                   "it is back, or until gatebook retention --confirm-clock says that it is right",
                   clock_.Ahead().count() / 1000);
  }
  if (change == base::GuardedClock::Change::kBelieved) base::LogInfo("server", "the wall clock is believed again");
}

bool Server::IsAnyWorkerStuck() const {
  const base::SteadyTime now = base::Clock::System().SteadyNow();
  return std::any_of(workers_.begin(), workers_.end(),
                     [now](const auto& worker) { return now - worker->last_sign() > kStuckAfter; });
}

std::vector<const base::MetricsBlock*> Server::AllMetrics() const {
  std::vector<const base::MetricsBlock*> blocks{&recorder_metrics_, &journal_->metrics(), &main_metrics_,
                                                 &steward_metrics_, &desk_metrics_, &statistics_metrics_};
  for (const auto& block : worker_metrics_) blocks.push_back(block.get());
  sinks_.AppendMetrics(blocks);
  return blocks;
}

AdminServer::Page Server::PageAt(std::string_view path) const {
  if (path == "/healthz") {
    if (IsAnyWorkerStuck()) return {503, "text/plain; charset=utf-8", "a worker is stuck\n"};
    return {200, "text/plain; charset=utf-8", "ok\n"};
  }
  if (path == "/readyz") {
    if (draining_) return {503, "text/plain; charset=utf-8", "draining\n"};
    return {200, "text/plain; charset=utf-8", "ready\n"};
  }
  StatusFacts facts{*edition_->config, started_, worker_count_, draining_, IsAnyWorkerStuck(), AllMetrics(), {}, {}, {},
                    *edition_->health, *journal_, *recorder_, edition_->certificates.get(), StateOfReloads(),
                    objections_ ? objections_->size() : 0,
                    steward_->state(), clock_, sinks_.states()};
  for (const auto& worker : workers_) {
    facts.refusals.push_back(&worker->refusals());
    facts.close_reasons.push_back(&worker->close_reasons());
    facts.h2_ends.push_back(&worker->h2_ends());
  }
  if (path == "/metrics") return {200, "text/plain; version=0.0.4; charset=utf-8", MetricsPage(facts)};
  if (path == "/status") return {200, "application/json", StatusPage(facts)};
  return {404, "text/plain; charset=utf-8", "/metrics /healthz /readyz /status\n"};
}

}  // namespace gatebook::proxy
