#include "base/metrics.h"

#include <fmt/format.h>

#include <string_view>
#include <thread>

namespace gatebook::base {
namespace {

constexpr MetricInfo kTable[] = {
#define GATEBOOK_METRIC_ROW(name, kind, prometheus, labels, help) \
  {MetricKind::kind, prometheus, labels, help},
    GATEBOOK_METRICS(GATEBOOK_METRIC_ROW)
#undef GATEBOOK_METRIC_ROW
};

}  // namespace

const MetricInfo& InfoOf(Metric metric) { return kTable[static_cast<size_t>(metric)]; }

void CountStatus(MetricsBlock& metrics, int status) {
  constexpr Metric kByClass[] = {Metric::kResponses1xx, Metric::kResponses2xx, Metric::kResponses3xx,
                                 Metric::kResponses4xx, Metric::kResponses5xx};
  if (status >= 100 && status < 600) metrics.Add(kByClass[status / 100 - 1]);
}

uint64_t Sum(const std::vector<const MetricsBlock*>& blocks, Metric metric) {
  uint64_t sum = 0;
  for (const MetricsBlock* block : blocks) sum += block->Get(metric);
  return sum;
}

MetricsSnapshot::MetricsSnapshot(const std::vector<const MetricsBlock*>& blocks) {
  std::array<uint64_t, static_cast<size_t>(Metric::kCount)> cells;
  for (const MetricsBlock* block : blocks) {
    for (;;) {
      const uint64_t turns = block->turns_.load(std::memory_order_acquire);
      for (size_t i = 0; i < cells.size(); ++i) cells[i] = block->cells_[i].load(std::memory_order_acquire);
      if (turns % 2 == 0 && block->turns_.load(std::memory_order_relaxed) == turns) break;
      std::this_thread::yield();
    }
    for (size_t i = 0; i < cells.size(); ++i) sums_[i] += cells[i];
  }
}

uint64_t MetricsSnapshot::VisitsDropped() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < sums_.size(); ++i) {
    if (std::string_view(kTable[i].name) == "gatebook_visits_dropped_total") sum += sums_[i];
  }
  return sum;
}

uint64_t MetricsSnapshot::VisitsKnown() const {
  return Get(Metric::kVisitsStored) + Get(Metric::kVisitsInJournal) + Get(Metric::kVisitsQuarantined) +
         VisitsDropped();
}

std::string ToPrometheus(const std::vector<const MetricsBlock*>& blocks) {
  const MetricsSnapshot snapshot(blocks);
  std::string text;
  std::string_view last_name;
  for (uint32_t i = 0; i < static_cast<uint32_t>(Metric::kCount); ++i) {
    const MetricInfo& info = kTable[i];
    if (last_name != info.name) {
      last_name = info.name;
      text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", info.name, info.help, info.name,
                          info.kind == MetricKind::kCounter ? "counter" : "gauge");
    }
    const uint64_t sum = snapshot.Get(static_cast<Metric>(i));
    if (*info.labels == '\0') {
      text += fmt::format("{} {}\n", info.name, sum);
    } else {
      text += fmt::format("{}{{{}}} {}\n", info.name, info.labels, sum);
    }
  }
  return text;
}

}  // namespace gatebook::base
