#include "review/sinks.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "config/sink_path.h"
#include "review/sink_files.h"

namespace gatebook::review {
namespace {

using base::Metric;
using namespace std::chrono_literals;

constexpr size_t kMostOpen = 16'384;
// Of a sink that a reload takes away.
constexpr auto kMostToEnd = 5s;

// What a sink leaves that is taken away.
void TellOfFiles(const config::Sink& gone, const std::vector<std::shared_ptr<Sink>>& sinks) {
  if (gone.kind != config::SinkKind::kFile) return;
  const bool goes_on = std::any_of(sinks.begin(), sinks.end(), [&](const std::shared_ptr<Sink>& sink) {
    return sink->config().kind == gone.kind && sink->config().path == gone.path;
  });
  if (goes_on) return;
  base::LogWarning("sink",
                   "{}: it is gone, and nobody destroys {} and its closed files any more: delete them",
                   gone.name, gone.path);
}

}  // namespace

Sinks::Sinks(std::string edge, const base::Clock& clock) : edge_(std::move(edge)), clock_(clock) {}

Sinks::~Sinks() { EndAll(base::SteadyTime::min()); }

base::MetricsBlock& Sinks::FreeBlock() {
  if (free_blocks_.empty()) {
    free_blocks_.push_back(blocks_.emplace_back(std::make_unique<base::MetricsBlock>()).get());
  }
  base::MetricsBlock& block = *free_blocks_.back();
  free_blocks_.pop_back();
  return block;
}

Sinks::List Sinks::sinks() const {
  const std::lock_guard lock(mutex_);
  return sinks_;
}

base::Result<Sinks::Prepared> Sinks::Prepare(const config::Config& config) {
  Prepared prepared;
  List before = sinks();
  for (config::Sink wanted : config.sinks) {
    if (wanted.kind == config::SinkKind::kFile) wanted.path = SinkPath(wanted);
    const auto same = std::find_if(before.begin(), before.end(), [&](const std::shared_ptr<Sink>& sink) {
      return sink && sink->config() == wanted;
    });
    if (same != before.end()) {
      prepared.sinks.push_back(std::move(*same));
      continue;
    }
    base::MetricsBlock& block = FreeBlock();
    auto made = Sink::Make({wanted, edge_, KeepOf(wanted, config), clock_, block});
    if (!made.ok()) {
      free_blocks_.push_back(&block);
      return made.error();
    }
    prepared.sinks.push_back(std::move(made).value());
  }
  return prepared;
}

void Sinks::Take(Prepared prepared) {
  List before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(sinks_, prepared.sinks);
  }
  for (const auto& sink : before) {
    if (std::find(prepared.sinks.begin(), prepared.sinks.end(), sink) != prepared.sinks.end()) continue;
    TellOfFiles(sink->config(), prepared.sinks);
    sink->BeginEnd(clock_.SteadyNow() + kMostToEnd);
    ending_.push_back(sink);
  }
  for (const auto& sink : prepared.sinks) {
    if (std::find(before.begin(), before.end(), sink) == before.end()) sink->Start();
  }
  listening_.store(!prepared.sinks.empty(), std::memory_order_relaxed);
}

void Sinks::Reap() {
  std::erase_if(ending_, [this](const std::shared_ptr<Sink>& sink) {
    if (!sink->HasEnded()) return false;
    sink->Join();
    free_blocks_.push_back(&sink->metrics());
    return true;
  });
}

void Sinks::Reopen() {
  for (const auto& sink : sinks()) sink->Reopen();
}

void Sinks::EndAll(base::SteadyTime deadline) {
  listening_.store(false, std::memory_order_relaxed);
  List all;
  {
    const std::lock_guard lock(mutex_);
    all = std::exchange(sinks_, {});
  }
  for (const auto& sink : all) sink->BeginEnd(deadline);
  all.insert(all.end(), ending_.begin(), ending_.end());
  ending_.clear();
  for (const auto& sink : all) {
    sink->Join();
    free_blocks_.push_back(&sink->metrics());
  }
}

std::vector<SinkState> Sinks::states() const {
  std::vector<SinkState> states;
  for (const auto& sink : sinks()) states.push_back(sink->state());
  return states;
}

void Sinks::AppendMetrics(std::vector<const base::MetricsBlock*>& blocks) const {
  blocks.push_back(&tap_metrics_);
  for (const auto& block : blocks_) blocks.push_back(block.get());
}

void Sinks::OnVisit(const logger::Record& record, const logger::Name& name, const logger::Place& place) {
  auto told = std::make_shared<ToldVisit>();
  const logger::Visit& visit = record.visit;
  told->kind = visit.open ? ToldVisit::Kind::kOpening : ToldVisit::Kind::kWhole;
  told->id = record.id;
  told->arrival = visit.arrival;
  told->session = visit.session;
  told->ip = visit.ip;
  logger::AppendVisitFacts(told->visit_facts, record.id, visit);
  logger::AppendClientFacts(told->client_facts, visit, name, place);
  if (visit.open) KeepOpen(told);
  told_.push_back(std::move(told));
}

void Sinks::KeepOpen(const std::shared_ptr<ToldVisit>& visit) {
  open_.emplace(visit->id, visit);
  if (open_.size() <= kMostOpen) return;
  auto given_up = std::make_shared<ToldVisit>(*open_.begin()->second);
  given_up->kind = ToldVisit::Kind::kGivenUp;
  told_.push_back(std::move(given_up));
  open_.erase(open_.begin());
}

void Sinks::OnClosing(const logger::Record& record) {
  const auto found = open_.find(record.closing.of);
  if (found == open_.end()) return;  // erased, given up, or told before the last start
  auto told = std::make_shared<ToldVisit>(*found->second);
  open_.erase(found);
  told->kind = ToldVisit::Kind::kCompletion;
  logger::AppendClosingFacts(told->closing_facts, record.closing);
  told_.push_back(std::move(told));
}

void Sinks::OnToldAll() {
  for (const auto& sink : sinks()) {
    if (const size_t left_out = sink->Give(told_); left_out != 0)
      tap_metrics_.Add(Metric::kSinkVisitsDropped, left_out);
  }
  told_.clear();
}

void Sinks::OnErasures(std::shared_ptr<const logger::ErasureList> erasures) {
  std::erase_if(open_, [&](const auto& one) { return IsErased(*one.second, *erasures); });
  std::erase_if(told_, [&](const ToldVisitPtr& visit) { return IsErased(*visit, *erasures); });
  std::vector<std::shared_future<void>> erasing;
  for (const auto& sink : sinks()) erasing.push_back(sink->Erase(erasures).share());
  const std::lock_guard lock(mutex_);
  std::erase_if(erasing_, [](const auto& one) { return one.wait_for(0s) == std::future_status::ready; });
  erasing_.insert(erasing_.end(), erasing.begin(), erasing.end());
}

bool Sinks::AwaitErasures(std::chrono::milliseconds patience) {
  std::vector<std::shared_future<void>> erasing;
  {
    const std::lock_guard lock(mutex_);
    erasing = erasing_;
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  return std::all_of(erasing.begin(), erasing.end(), [&](const std::shared_future<void>& one) {
    return one.wait_until(deadline) == std::future_status::ready;
  });
}

}  // namespace gatebook::review
