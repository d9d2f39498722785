// HeldVisits: what Redis has acknowledged of one lane and may not have on its disk, in journal order.
//
// Counts it in gatebook_visits_held; it is still in the journal.
//
// Thread: the recorder's. Borrows: metrics. Ends: without effect.
// Limits: one entry for what was acknowledged between two looks (4 a second at most) and arrived in the same
// minute: for
//   an hour between snapshots 3,600 entries of some 100 bytes, for a backlog of a month 43,200 more.
#pragma once

#include <algorithm>
#include <deque>

#include "base/clock.h"
#include "base/metrics.h"
#include "logger/journal_lane.h"
#include "logger/redis_batch.h"

namespace gatebook::logger {

class HeldVisits {
 public:
  explicit HeldVisits(base::MetricsBlock& metrics) : metrics_(&metrics) {}

  // Acknowledged after look `look`: all up to `position`, of which none arrived before `oldest`.
  void Add(JournalPosition position, base::WallTime oldest, const BatchTally& tally, uint64_t look,
           base::SteadyTime now) {
    metrics_->Add(base::Metric::kVisitsHeld, tally.Visits());
    if (entries_.empty() || entries_.back().look != look || entries_.back().oldest + kMostSpan < oldest)
      entries_.push_back({position, oldest, {}, look, now});
    entries_.back().position = position;
    entries_.back().tally += tally;
  }
  bool IsEmpty() const { return entries_.empty(); }
  // Both: require that it is not empty.
  JournalPosition last() const { return entries_.back().position; }
  base::SteadyTime since() const { return entries_.front().since; }
  uint64_t Visits() const {
    uint64_t visits = 0;
    for (const Entry& entry : entries_) visits += entry.tally.Visits();
    return visits;
  }

  // Taken out, to be released. Position 0: nothing.
  struct Taken {
    JournalPosition position = 0;
    BatchTally tally;
  };
  // What was acknowledged before look `durable` began.
  Taken TakeDurable(uint64_t durable) {
    return Take(
        static_cast<size_t>(std::find_if(entries_.begin(), entries_.end(),
                                         [durable](const Entry& one) { return one.look >= durable; }) -
                            entries_.begin()));
  }
  // What holds a visit that arrived at `arrival` or before.
  Taken TakeOver(base::WallTime arrival) {
    size_t entries = 0;
    while (entries < entries_.size() && entries_[entries].oldest <= arrival) ++entries;
    return Take(entries);
  }
  Taken TakeOlderHalf() { return Take((entries_.size() + 1) / 2); }
  Taken TakeAll() { return Take(entries_.size()); }

 private:
  struct Entry {
    JournalPosition position;
    base::WallTime oldest;
    BatchTally tally;
    uint64_t look;
    base::SteadyTime since;  // of the first
  };

  // What is over together is released together.
  static constexpr auto kMostSpan = std::chrono::minutes(1);

  Taken Take(size_t entries) {
    Taken taken;
    for (; entries > 0; --entries) {
      taken.position = entries_.front().position;
      taken.tally += entries_.front().tally;
      entries_.pop_front();
    }
    metrics_->Sub(base::Metric::kVisitsHeld, taken.tally.Visits());
    return taken;
  }

  base::MetricsBlock* metrics_;
  std::deque<Entry> entries_;
};

}  // namespace gatebook::logger
