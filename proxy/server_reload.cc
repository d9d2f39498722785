// Server: how an edition comes into force while it runs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "base/log.h"
#include "config/loader.h"
#include "proxy/admin_tls.h"
#include "proxy/config_trial.h"
#include "proxy/reload.h"
#include "proxy/server.h"

namespace gatebook::proxy {

using base::Metric;

namespace {

// The main thread stands still for so long at most.
constexpr std::chrono::milliseconds kMostErasureWait{2000};
constexpr std::chrono::milliseconds kMostObjectionWait{2000};

}  // namespace

void Server::TakeOver(EditionParts parts) {
  edition_ = std::move(parts.edition);
  std::erase_if(editions_, [](const auto& edition) { return edition.expired(); });
  editions_.push_back(edition_);
  policy_->TakeOver(*edition_->config, base::Clock::System().WallNow());
  recorder_->SetRecorded(RecordedFields(edition_->config->visit));
  lookups_.reset();
  // Checks go on where servers are the same.
  if (!checker_ || edition_->health != checked_health_) {
    checker_.reset();
    checked_config_ = edition_->config;
    checked_health_ = edition_->health;
    checker_ = std::make_unique<HealthChecker>(loop_, main_metrics_, *checked_config_, *checked_health_,
                                               parts.upstream_tls.back());
  }
  // Begun anew each time: this machine may ask other name servers by now (resolv.conf).
  lookups_ = std::make_unique<UpstreamLookups>(
      loop_, *edition_->config,
      [this](const std::string& hostname, const std::vector<base::IpAddress>& addresses) {
        for (auto& worker : workers_) worker->SetUpstreamAddresses(hostname, addresses);
        checker_->SetUpstreamAddresses(hostname, addresses);
      });
}

base::Status Server::Reload() {
  if (auto status = TellObjections(); !status.ok()) base::LogError("server", "{}", status.error().message);
  return Tell(TryReload());
}

void Server::LookAtCertificates() {
  if (draining_ || !certificate_watch_.Look()) return;
  base::LogInfo("server", "certificate files have been replaced");
  // Told once: the next try is when the files change again.
  static_cast<void>(Tell(Swap(edition_->config)));
}

base::Status Server::Tell(base::Status status) {
  if (status.ok()) {
    main_metrics_.Add(Metric::kReloads);
    base::LogInfo("server", "reload: generation {} is in force", edition_->number);
  } else {
    main_metrics_.Add(Metric::kReloadsFailed);
    refused_at_ = base::Clock::System().WallNow();
    refused_why_ = status.error().message;
    base::LogError("server", "reload refused, generation {} stays in force", edition_->number);
    std::istringstream lines(refused_why_);
    for (std::string line; std::getline(lines, line);) base::LogError("server", "{}", line);
  }
  return status;
}

base::Status Server::TryReload() {
  if (draining_ || stopping_) return base::Error{"the edge is ending"};
  std::vector<std::string> keys;
  config::LoadOutcome outcome =
      LoadTried(config_->path, [this, &keys](const config::Config& next, const config::PlaceMap& places,
                                             config::ProblemList& problems) {
        TryPlaces(next, places, problems);
        keys = KeysThatNeedRestart(*config_, next);
      });
  std::string refusal = config::RenderProblems(outcome.problems, false);
  if (!keys.empty()) refusal += fmt::format("a change of {} needs a restart", fmt::join(keys, ", "));
  if (!refusal.empty()) return base::Error{std::move(refusal), base::ExitCode::kConfig};
  const config::Log& log = outcome.config->log;
  auto log_file = base::LogSink::OpenFile(log.file);
  if (!log_file.ok()) return log_file.error();
  if (auto status = Swap(outcome.config); !status.ok()) return status;
  base::LogSink::Change(log.file, std::move(log_file).value(), base::LogLevelOf(log.level));
  recorder_->Reload();  // opens what has just been found to be good
  return {};
}

base::Status Server::Swap(std::shared_ptr<const config::Config> next) {
  CertificateWatch watch(*next);
  auto parts = MakeEdition(next, edition_.get(), worker_count_, desk_);
  if (!parts.ok()) return parts.error();
  auto bound = BindListeners(next->listen, edition_->config->listen, worker_count_);
  if (!bound.ok()) return bound.error();
  auto readers = review::DeskReaders::Load(next->readers);
  if (!readers.ok()) return readers.error();
  auto admin_tls = MakeAdminTls(next->admin);
  if (!admin_tls.ok()) return admin_tls.error();
  auto sinks = sinks_.Prepare(*next);
  if (!sinks.ok()) return sinks.error();
  // From here on nothing fails.
  sinks_.Take(std::move(sinks).value());
  certificate_watch_ = std::move(watch);
  limiter_.SetLimits(next->limits.connections, next->limits.connections_per_address);
  for (size_t i = 0; i < workers_.size(); ++i) workers_[i]->Swap(Worker::ShareOf(*parts, *bound, i));
  TakeOver(std::move(parts).value());
  readers_desk_->TakeOver(next, std::move(readers).value());
  admin_->SetTls(std::move(admin_tls).value());
  return {};
}

base::Status Server::ReadObjections() {
  const auto loaded =
      logger::ObjectionRegister(config_->journal.directory).Load(base::Clock::System().WallNow());
  if (!loaded.ok()) return loaded.error();
  ++objections_number_;
  objections_ = loaded->empty()
                    ? nullptr
                    : std::make_shared<const logger::ObjectionList>(
                          logger::ObjectionKey(session_key_->bytes()), *loaded, objections_number_);
  return {};
}

bool Server::LoadErasures(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  if (!recorder_->LoadErasures(patience)) return false;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return sinks_.AwaitErasures(std::max(left, std::chrono::milliseconds(0)));
}

base::Status Server::TellObjections() {
  if (auto status = ReadObjections(); !status.ok()) return status;
  std::vector<std::future<void>> taken;
  for (auto& worker : workers_) {
    auto promise = std::make_shared<std::promise<void>>();
    taken.push_back(promise->get_future());
    worker->SetObjections(objections_, std::move(promise));
  }
  const auto deadline = std::chrono::steady_clock::now() + kMostObjectionWait;
  for (const auto& one : taken) {
    if (one.wait_until(deadline) != std::future_status::ready) return base::Error{"a worker does not answer"};
  }
  return {};
}

ReloadState Server::StateOfReloads() const {
  ReloadState state{edition_->number, edition_->loaded, edition_->number, 0, refused_at_, refused_why_};
  for (const auto& worker : workers_) state.in_force = std::min(state.in_force, worker->in_force());
  state.live = static_cast<uint64_t>(std::count_if(editions_.begin(), editions_.end(),
                                                   [](const auto& edition) { return !edition.expired(); }));
  return state;
}

AdminServer::Page Server::Do(std::string_view path) {
  if (path == "/erasures") {
    // The recorder has what is under way acknowledged in a moment, or given up.
    if (LoadErasures(kMostErasureWait)) return {200, "text/plain; charset=utf-8", "in force\n"};
    return {503, "text/plain; charset=utf-8", "not in force: see the log and gatebook status\n"};
  }
  if (path == "/retention") return {200, "text/plain; charset=utf-8", fmt::format("{}\n", steward_->AskForRound())};
  if (path == "/clock") {
    const bool held = clock_.IsHeld();
    clock_.Confirm();
    LookAtClock();
    if (held) base::LogWarning("server", "an operator says that the wall clock is right");
    return {200, "text/plain; charset=utf-8", held ? "the wall clock is believed from now on\n" : "it was believed already\n"};
  }
  if (path == "/objections") {
    const base::Status status = TellObjections();
    if (status.ok()) return {200, "text/plain; charset=utf-8", "in force\n"};
    return {503, "text/plain; charset=utf-8", status.error().message + "\n"};
  }
  if (path != "/reload") return {404, "text/plain; charset=utf-8", "/reload /erasures /objections /retention /clock\n"};
  const base::Status status = Reload();
  if (status.ok()) return {200, "text/plain; charset=utf-8", fmt::format("{}\n", edition_->number)};
  std::string why = status.error().message;
  if (!why.ends_with('\n')) why += '\n';
  return {409, "text/plain; charset=utf-8", std::move(why)};
}

}  // namespace gatebook::proxy
