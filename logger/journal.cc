#include "logger/journal.h"

#include <fmt/format.h>

#include <algorithm>

#include "logger/journal_recovery.h"

namespace gatebook::logger {
namespace {

using base::Error;
using base::ExitCode;
using base::Metric;

constexpr uint64_t kPage = 4096;
// Each worker writes one segment, has one spare, and the recorder reads one.
constexpr uint64_t kLeastSegmentsPerWorker = 3;
// More than any flush policy that promises anything leaves unwritten.
constexpr std::chrono::milliseconds kSkippedAfterPowerCut{60'000};

// The lanes of `workers` writers, and behind them those that only have something left to read.
std::vector<std::unique_ptr<JournalLane>> MakeLanes(uint32_t workers, RecoveredJournal& recovered) {
  std::vector<std::unique_ptr<JournalLane>> lanes;
  const auto add = [&](uint32_t worker) -> JournalLane& {
    JournalLane& lane = *lanes.emplace_back(std::make_unique<JournalLane>());
    lane.worker = worker;
    lane.has_writer = worker < workers;
    return lane;
  };
  for (uint32_t worker = 0; worker < workers; ++worker) add(worker);
  for (auto& [worker, found] : recovered.lanes) {
    JournalLane& lane = worker < workers ? *lanes[worker] : add(worker);
    lane.next_sequence = found.last_sequence + 1;
    lane.segments = std::move(found.segments);
    if (lane.segments.empty()) continue;
    lane.first.store(lane.segments.front().get());
    lane.end_of_chain = &lane.segments.back()->next;
  }
  return lanes;
}

}  // namespace

base::Result<std::unique_ptr<Journal>> Journal::Open(const config::Journal& config, std::string_view edge,
                                                     uint32_t workers, const base::Clock& clock,
                                                     JournalOptions options) {
  CHECK(workers > 0 && (options.worker_metrics.empty() || options.worker_metrics.size() == workers));
  CHECK(edge.size() <= kMostEdgeName);
  const uint64_t share = config.max_size / (kLeastSegmentsPerWorker * workers);
  const uint64_t segment_size = std::min({config.segment_size, share, kMostSegment}) & ~(kPage - 1);
  if (segment_size < kLeastSegment) {
    return Error{
        fmt::format("[journal] max_size of {} bytes with segment_size of {} bytes is too small: {} workers "
                    "need segments of at least {} bytes, {} of them each",
                    config.max_size, config.segment_size, workers, kLeastSegment, kLeastSegmentsPerWorker),
        ExitCode::kConfig};
  }

  std::unique_ptr<Journal> journal(new Journal);
  auto directory = JournalDirectory::Open(config.directory, std::move(options.disk_fault));
  if (!directory) return directory.error();
  journal->directory_ = std::move(directory).value();
  const JournalDisk& disk = journal->directory_->disk();
  journal->quarantine_ = std::make_unique<JournalQuarantine>(config.directory, disk);
  auto found = RecoverJournal(*journal->directory_, *journal->quarantine_);
  if (!found) return found.error();
  RecoveredJournal recovered = std::move(found).value();
  // Of the last records before a power cut Redis may have some that the disk has not. Their ids are skipped,
  // which a clock that went back would give again.
  if (recovered.unended &&
      clock.WallNow() <= base::WallTime(std::chrono::milliseconds(recovered.last.milliseconds)))
    recovered.last.milliseconds += kSkippedAfterPowerCut.count();
  journal->lanes_ = MakeLanes(workers, recovered);
  journal->keeper_ = std::make_unique<JournalKeeper>(
      JournalKeeper::Settings{config.flush, config.max_size, segment_size, std::string(edge),
                              options.quarantine_retention},
      recovered.last, clock, *journal->directory_, *journal->quarantine_, journal->lanes_,
      journal->keeper_metrics_);
  if (!journal->doorbell_.IsValid() || !journal->keeper_->bell().IsValid()) {
    return Error{"cannot open the journal: no file descriptors left", ExitCode::kInputOutput};
  }

  base::MetricsBlock& recorder =
      options.recorder_metrics != nullptr ? *options.recorder_metrics : journal->OwnMetrics();
  for (const auto& lane : journal->lanes_) {
    journal->readers_.push_back(std::make_unique<JournalReader>(*lane, disk, *journal->quarantine_, clock,
                                                                journal->keeper_->bell(), recorder));
    if (!lane->has_writer) continue;
    base::MetricsBlock& metrics =
        options.worker_metrics.empty() ? journal->OwnMetrics() : *options.worker_metrics[lane->worker];
    journal->writers_.push_back(std::make_unique<JournalWriter>(
        *lane, recovered.last, clock, journal->doorbell_, journal->keeper_->bell(), metrics));
  }
  journal->recovered_visits_ = recovered.visits;
  {
    const base::MetricsBlock::Together together(recorder);
    recorder.Add(Metric::kVisitsAccepted, recovered.visits);
    recorder.Add(Metric::kVisitsInJournal, recovered.visits);
  }
  recorder.Add(Metric::kJournalDamage, recovered.bad_files);

  journal->keeper_->RunOnce();  // spares are there before the first visit
  if (options.start_keeper) journal->keeper_->Start();
  return journal;
}

Journal::~Journal() { Close(); }

std::vector<JournalReader*> Journal::readers() {
  std::vector<JournalReader*> readers;
  for (const auto& reader : readers_) readers.push_back(reader.get());
  return readers;
}

void Journal::Close() {
  if (closed_) return;
  closed_ = true;
  for (const auto& writer : writers_) writer->Close();
  if (keeper_ != nullptr) keeper_->Stop();
}

base::MetricsBlock& Journal::OwnMetrics() {
  return *own_metrics_.emplace_back(std::make_unique<base::MetricsBlock>());
}

}  // namespace gatebook::logger
