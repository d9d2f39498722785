// Sinks: all sinks of an edge: hears of visits from the recorder, hands them to each, and lets a reload
// change them while visits go on.
//
// A visit that is told open is kept until its closing comes, so that sinks get it whole: those that write
// JSON write a line at its opening and one at its end, with the same id; `combined` the second one only. Of
// those beyond 16,384 the oldest is given up: no second line comes, and `combined` gets it as it stands.
//
// Thread: what VisitTap says by the recorder's; the rest by one thread (the main one), but for what says
// otherwise. Owns: the sinks and the counters of all that ever were. Borrows: the clock.
// Ends: EndAll, or destroying; the recorder must have stopped before.
// Limits: 16,384 visits that are open.
#pragma once

#include <atomic>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "config/config.h"
#include "logger/visit_tap.h"
#include "review/sink.h"

namespace gatebook::review {

class Sinks final : public logger::VisitTap {
 public:
  Sinks(std::string edge, const base::Clock& clock);
  ~Sinks();

  // What a configuration wants, made and not yet in use.
  class Prepared {
   public:
    Prepared() = default;

   private:
    friend class Sinks;
    std::vector<std::shared_ptr<Sink>> sinks;  // those that stay are among them
  };
  // An error: one of them can't be made; nothing is changed.
  base::Result<Prepared> Prepare(const config::Config& config);
  // Those that are not among them end, each in its own time.
  void Take(Prepared prepared);
  // To be called every second or so: frees those that have ended.
  void Reap();

  void Reopen();
  // Until every sink has done what erasures ask of it. False: one takes longer. Any thread.
  bool AwaitErasures(std::chrono::milliseconds patience);
  // What is queued is written until the deadline.
  void EndAll(base::SteadyTime deadline);

  std::vector<SinkState> states() const;
  void AppendMetrics(std::vector<const base::MetricsBlock*>& blocks) const;

 private:
  using List = std::vector<std::shared_ptr<Sink>>;

  bool IsListening() const override { return listening_.load(std::memory_order_relaxed); }
  void OnVisit(const logger::Record& record, const logger::Name& name, const logger::Place& place) override;
  void OnClosing(const logger::Record& record) override;
  void OnToldAll() override;
  void OnErasures(std::shared_ptr<const logger::ErasureList> erasures) override;

  List sinks() const;
  void KeepOpen(const std::shared_ptr<ToldVisit>& visit);
  base::MetricsBlock& FreeBlock();

  const std::string edge_;
  const base::Clock& clock_;
  std::atomic<bool> listening_{false};
  // The recorder's.
  std::vector<ToldVisitPtr> told_;
  std::map<logger::VisitId, ToldVisitPtr> open_;
  base::MetricsBlock tap_metrics_;
  // The main thread's.
  std::vector<std::unique_ptr<base::MetricsBlock>> blocks_;
  std::vector<base::MetricsBlock*> free_blocks_;
  List ending_;
  mutable std::mutex mutex_;
  List sinks_;                                     // guarded by mutex_, as what follows
  std::vector<std::shared_future<void>> erasing_;  // those that may not be done yet
};

}  // namespace gatebook::review
