#include "review/retention_steward.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/thread.h"
#include "logger/erasures.h"
#include "logger/known_time.h"
#include "logger/redis_client.h"
#include "review/audit_log.h"
#include "review/redis_rewrite.h"
#include "review/retention_ledger.h"
#include "review/retention_scan.h"

namespace gatebook::review {
namespace {

using base::Metric;
using namespace std::chrono_literals;

constexpr auto kNoteEvery = 60s;
constexpr auto kFirstRound = 60s;
constexpr auto kAgain = 10min;

int64_t DayOf(base::WallTime time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

std::string WhatIsBroken(const RetentionReport& report) {
  std::string broken;
  for (size_t i = 0; i < report.places.size(); ++i) {
    if (report.places[i].IsKept()) continue;
    broken += broken.empty() ? "broken: " : ", ";
    broken += InfoOf(static_cast<Place>(i)).slug;
  }
  return broken.empty() ? "kept" : broken;
}

}  // namespace

RetentionSteward::RetentionSteward(Parts parts) : parts_(std::move(parts)) {}

void RetentionSteward::Start() {
  not_before_ = parts_.clock.SteadyNow() + kFirstRound;
  thread_ = base::StartThread(
      "gb:steward", [this] { Run(); }, base::Niceness::kBehindAll);
}

void RetentionSteward::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  NoteTime();
}

uint64_t RetentionSteward::AskForRound() {
  const std::lock_guard lock(mutex_);
  // One that is under way has perhaps looked already.
  asked_ = state_.rounds + (asked_ > state_.rounds ? 2 : 1);
  wake_.notify_all();
  return asked_;
}

StewardState RetentionSteward::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

bool RetentionSteward::Pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, time, [this] { return stopping_.load(); });
  return !stopping_;
}

void RetentionSteward::Run() {
  if (!parts_.config.retention.ledger.empty()) {
    const auto contents = RetentionLedger(parts_.config.retention.ledger).Read();
    if (contents.ok() && !contents->lines.empty()) {
      day_ = DayOf(contents->lines.back().time);
      const std::lock_guard lock(mutex_);
      state_.ledger_lines = contents->lines.size();
      state_.ledger_digest = contents->lines.back().chain;
    }
  }
  while (!stopping_) {
    NoteTime();
    StewardState made;
    {
      std::unique_lock lock(mutex_);
      if (asked_ <= state_.rounds && !IsRoundDue()) {
        wake_.wait_for(lock, kNoteEvery, [this] { return stopping_ || asked_ > state_.rounds; });
        continue;
      }
      asked_ = std::max(asked_, state_.rounds + 1);
      made = state_;
    }
    const auto round = Round(&made);
    ++made.rounds;
    if (!round && !stopping_) {
      made.state = "failed: " + round.error().message;
      parts_.metrics.Add(Metric::kRetentionRoundsFailed);
      base::LogError("retention", "the daily look failed, and is tried again in {} min: {}", kAgain.count(),
                     round.error().message);
    }
    not_before_ = parts_.clock.SteadyNow() + kAgain;
    const std::lock_guard lock(mutex_);
    state_ = std::move(made);
  }
}

bool RetentionSteward::IsRoundDue() const {
  if (parts_.clock.SteadyNow() < not_before_) return false;
  return !day_ || DayOf(parts_.clock.SureNow()) > *day_;
}

void RetentionSteward::NoteTime() {
  const auto noted = logger::SaveKnownTime(parts_.config.journal.directory, parts_.clock.Known());
  if (!noted && !std::exchange(cannot_note_, true)) base::LogError("retention", "{}", noted.error().message);
  cannot_note_ = !noted;
}

base::Status RetentionSteward::Round(StewardState* state) {
  const config::Config& config = parts_.config;
  const logger::ErasureRegister erasures(config.journal.directory, config.visit.retention);
  if (auto struck = erasures.StrikeOut(parts_.clock.SureNow()); !struck) return struck;
  if (auto destroyed = DestroyOldAudit(); !destroyed) return destroyed;
  auto client = logger::RedisClient::Connect(config.redis);
  if (!client) return client.error();
  state->rewrite = "off";
  if (config.retention.rewrite) {
    const auto rewritten =
        RewriteRedisFiles(**client, [this](std::chrono::milliseconds time) { return Pause(time); });
    if (!rewritten) return rewritten.error();
    state->rewrite = *rewritten;
    const bool done = *rewritten == kRewritten;
    parts_.metrics.Add(done ? Metric::kRedisRewrites : Metric::kRedisRewritesFailed);
    if (done) state->rewritten = parts_.clock.SureNow();
    if (!done) base::LogWarning("retention", "Redis did not write its files anew: {}", *rewritten);
  }
  RetentionScan::Options how;
  how.every_entry = false;
  how.names = [this] { return std::optional(parts_.names()); };
  how.stop = &stopping_;
  how.rewritten = state->rewritten;
  const auto report = RetentionScan(config, **client, parts_.clock, std::move(how)).Look();
  if (!report) return report.error();
  state->state = WhatIsBroken(*report);
  state->looked = report->made;
  state->next_destruction = report->Next();
  state->overdue = report->Overdue();
  state->undated = report->Undated();
  parts_.metrics.Add(report->IsKept() ? Metric::kRetentionRounds : Metric::kRetentionRoundsBroken);
  parts_.metrics.Set(Metric::kRetentionOverdue, state->overdue);
  parts_.metrics.Set(Metric::kRetentionUndated, state->undated);
  return WriteLedger(*report, state);
}

base::Status RetentionSteward::DestroyOldAudit() {
  const AuditLog log(parts_.config.audit, parts_.clock);
  const auto destroyed = log.DestroyOld();
  if (!destroyed) return destroyed.error();
  if (*destroyed != 0) base::LogInfo("audit", "destroyed {} lines that were over", *destroyed);
  const auto contents = log.Read();
  if (!contents) return contents.error();
  if (contents->lines.empty()) return {};
  if (!contents->broken.empty()) base::LogError("audit", "the audit log is broken: {}", contents->broken);
  // As of the ledger: where the operations log is collected elsewhere, the chain can't be made anew.
  const AuditLine& last = contents->lines.back();
  base::LogInfo("audit", "line {} of the audit log has the digest {}", last.number, last.chain);
  return {};
}

base::Status RetentionSteward::WriteLedger(const RetentionReport& report, StewardState* state) {
  day_ = DayOf(parts_.clock.SureNow());
  std::string digest = "no ledger is kept";
  if (!parts_.config.retention.ledger.empty()) {
    const auto line = RetentionLedger(parts_.config.retention.ledger)
                          .Append({parts_.config.edge.name, report, state->rewrite});
    if (!line) {
      parts_.metrics.Add(Metric::kLedgerErrors);
      day_.reset();
      return line.error();
    }
    state->ledger_lines = line->number;
    state->ledger_digest = line->chain;
    digest = fmt::format("line {} of the ledger has the digest {}", line->number, line->chain);
  }
  // Where the log is collected elsewhere, a ledger that is made anew can't have its digests.
  if (report.IsKept()) {
    base::LogInfo("retention", "every promise is kept; {}", digest);
  } else {
    base::LogError("retention", "a promise is broken, see gatebook retention: {}; {}", state->state, digest);
  }
  return {};
}

}  // namespace gatebook::review
