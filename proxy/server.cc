#include "proxy/server.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/log.h"
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

uint32_t WorkerCount(const config::Config& config) {
  if (config.edge.workers != 0) return config.edge.workers;
  return std::clamp(std::thread::hardware_concurrency(), 1U, 64U);
}

base::LogLevel LevelOf(const std::string& name) {
  if (name == "debug") return base::LogLevel::kDebug;
  if (name == "warning") return base::LogLevel::kWarning;
  if (name == "error") return base::LogLevel::kError;
  return base::LogLevel::kInfo;
}

}  // namespace

Server::Server(std::shared_ptr<const config::Config> config)
    : config_(std::move(config)),
      worker_count_(WorkerCount(*config_)),
      limiter_(config_->limits.connections, config_->limits.connections_per_address),
      every_second_([this] { OnSecondTick(); }),
      drain_timer_([this] { LookForDrained(); }) {
  for (uint32_t i = 0; i < worker_count_; ++i) worker_metrics_.push_back(std::make_unique<base::MetricsBlock>());
}

Server::~Server() { EndAll(); }

base::Status Server::Start() {
  if (auto status = base::LogSink::Open(config_->log.file, LevelOf(config_->log.level)); !status.ok()) return status;
  SetProcessLimits();
  started_ = base::Clock::System().WallNow();
  for (auto step : {&Server::Bind, &Server::LoadSecrets, &Server::OpenBook, &Server::StartWorkers}) {
    if (auto status = (this->*step)(); !status.ok()) return status;
  }
  admin_ = std::make_unique<AdminServer>(
      loop_, std::move(admin_fd_), [this](std::string_view path) { return PageAt(path); },
      [this](std::string_view path) { return Do(path); });
  const auto on = [this](int number, auto action) {
    signals_.push_back(std::make_unique<net::Signal>(loop_, number, action));
  };
  ::signal(SIGPIPE, SIG_IGN);
  on(SIGTERM, [this] { OnTerm(); });
  on(SIGQUIT, [this] { OnTerm(); });
  on(SIGINT, [this] { StopNow(); });
  on(SIGUSR1, [] { base::LogSink::Reopen(); });
  on(SIGHUP, [this] {
    static_cast<void>(Reload());  // says in the log how it went
  });
  every_second_.Arm(loop_.timers(), loop_.now() + kSecond);
  base::LogInfo("server", "gatebook {} serves with {} workers", GATEBOOK_VERSION, worker_count_);
  NotifyServiceManager("READY=1");
  return {};
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
  certificate_watch_ = CertificateWatch(config_->certificates);
  auto parts = MakeEdition(config_, nullptr, worker_count_);
  if (!parts.ok()) return parts.error();
  first_ = std::move(parts).value();
  if (auto status = BecomeUser(config_->edge.user); !status.ok()) return status;
  auto key = SessionKey::LoadOrMake(config_->session.key_file);
  if (!key.ok()) return key.error();
  session_key_ = std::make_unique<SessionKey>(std::move(key).value());
  return {};
}

base::Status Server::OpenBook() {
  hints_ = std::make_unique<logger::NameHints>();
  logger::JournalOptions options;
  for (auto& block : worker_metrics_) options.worker_metrics.push_back(block.get());
  options.recorder_metrics = &recorder_metrics_;
  options.quarantine_retention = config_->visit.retention;
  auto journal = logger::Journal::Open(config_->journal, config_->edge.name, worker_count_, base::Clock::System(),
                                       std::move(options));
  if (!journal.ok()) return journal.error();
  journal_ = std::move(journal).value();
  recorder_ = std::make_unique<logger::Recorder>(*journal_, worker_count_, *config_, recorder_metrics_,
                                                 base::Clock::System(), *hints_, journal_->doorbell());
  recorder_->SetErasures(logger::ErasureRegister(config_->journal.directory, config_->visit.retention),
                         logger::ErasureKey(session_key_->bytes()));
  recorder_->Start();
  return {};
}

base::Status Server::StartWorkers() {
  for (uint32_t i = 0; i < worker_count_; ++i) {
    workers_.push_back(std::make_unique<Worker>(
        Worker::Parts{limiter_, journal_->writer(i), *hints_, *worker_metrics_[i], *session_key_, worker_count_},
        Worker::ShareOf(first_, bound_, i)));
  }
  for (auto& worker : workers_) worker->Start();
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
  workers_.clear();
  if (recorder_) recorder_->Stop(base::Clock::System().SteadyNow() + kLastDeliveries);
  recorder_.reset();
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
  every_second_.Arm(loop_.timers(), loop_.now() + kSecond);
}

bool Server::IsAnyWorkerStuck() const {
  const base::SteadyTime now = base::Clock::System().SteadyNow();
  return std::any_of(workers_.begin(), workers_.end(),
                     [now](const auto& worker) { return now - worker->last_sign() > kStuckAfter; });
}

std::vector<const base::MetricsBlock*> Server::AllMetrics() const {
  std::vector<const base::MetricsBlock*> blocks{&recorder_metrics_, &journal_->metrics(), &main_metrics_};
  for (const auto& block : worker_metrics_) blocks.push_back(block.get());
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
                    *edition_->health, *journal_, *recorder_, edition_->certificates.get(), StateOfReloads()};
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
