// Server: how an edition comes into force while it runs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "base/log.h"
#include "config/loader.h"
#include "proxy/reload.h"
#include "proxy/server.h"

namespace gatebook::proxy {

using base::Metric;

namespace {

// The main thread stands still for so long at most.
constexpr std::chrono::milliseconds kMostErasureWait{2000};

}  // namespace

void Server::TakeOver(EditionParts parts) {
  edition_ = std::move(parts.edition);
  std::erase_if(editions_, [](const auto& edition) { return edition.expired(); });
  editions_.push_back(edition_);
  // Checks go on where servers are the same: one that is down stays down.
  if (checker_ && edition_->health == checked_health_) return;
  lookups_.reset();
  checker_.reset();
  checked_config_ = edition_->config;
  checked_health_ = edition_->health;
  checker_ = std::make_unique<HealthChecker>(loop_, main_metrics_, *checked_config_, *checked_health_,
                                             parts.upstream_tls.back());
  lookups_ = std::make_unique<UpstreamLookups>(
      loop_, *checked_config_,
      [this](const std::string& hostname, const std::vector<base::IpAddress>& addresses) {
        for (auto& worker : workers_) worker->SetUpstreamAddresses(hostname, addresses);
        checker_->SetUpstreamAddresses(hostname, addresses);
      });
}

base::Status Server::Reload() {
  recorder_->Reload();  // the place databases
  return Tell(TryReload());
}

void Server::LookAtCertificates() {
  if (draining_ || !edition_->certificates || !certificate_watch_.Look()) return;
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
  config::LoadOutcome outcome = config::Load(config_->path);
  if (!outcome.ok())
    return base::Error{config::RenderProblems(outcome.problems, false), base::ExitCode::kConfig};
  const auto keys = KeysThatNeedRestart(*config_, *outcome.config);
  if (!keys.empty()) {
    return base::Error{fmt::format("a change of {} needs a restart", fmt::join(keys, ", ")),
                       base::ExitCode::kConfig};
  }
  return Swap(std::move(outcome.config));
}

base::Status Server::Swap(std::shared_ptr<const config::Config> next) {
  CertificateWatch watch(next->certificates);
  auto parts = MakeEdition(next, edition_.get(), worker_count_);
  if (!parts.ok()) return parts.error();
  auto bound = BindListeners(next->listen, edition_->config->listen, worker_count_);
  if (!bound.ok()) return bound.error();
  // From here on nothing fails.
  certificate_watch_ = std::move(watch);
  limiter_.SetLimits(next->limits.connections, next->limits.connections_per_address);
  for (size_t i = 0; i < workers_.size(); ++i) workers_[i]->Swap(Worker::ShareOf(*parts, *bound, i));
  TakeOver(std::move(parts).value());
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
    if (recorder_->LoadErasures(kMostErasureWait)) return {200, "text/plain; charset=utf-8", "in force\n"};
    return {503, "text/plain; charset=utf-8", "not in force: see the log and gatebook status\n"};
  }
  if (path != "/reload") return {404, "text/plain; charset=utf-8", "/reload /erasures\n"};
  const base::Status status = Reload();
  if (status.ok()) return {200, "text/plain; charset=utf-8", fmt::format("{}\n", edition_->number)};
  std::string why = status.error().message;
  if (!why.ends_with('\n')) why += '\n';
  return {409, "text/plain; charset=utf-8", std::move(why)};
}

}  // namespace gatebook::proxy
