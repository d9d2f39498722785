#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>

namespace gatebook::base {
namespace {

template <typename Each>
void ForEveryMetric(Each each) {
  for (uint32_t i = 0; i < static_cast<uint32_t>(Metric::kCount); ++i) each(static_cast<Metric>(i));
}

TEST(Metrics, NamesAndLabelsKeepTheRules) {
  ForEveryMetric([&](Metric metric) {
    const MetricInfo& info = InfoOf(metric);
    const std::string name = info.name;
    EXPECT_THAT(name, testing::MatchesRegex("gatebook_[a-z0-9_]+"));
    EXPECT_THAT(info.labels, testing::MatchesRegex("([a-z_]+=\"[a-z0-9_]+\")?"));
    EXPECT_EQ(name.ends_with("_total"), info.kind == MetricKind::kCounter) << name;
    EXPECT_STRNE(info.help, "") << name;
  });
}

// The exposition says HELP and TYPE once a name, before its rows.
TEST(Metrics, RowsOfANameStandTogetherAndAgree) {
  std::set<std::string> names;
  std::set<std::string> rows;
  const MetricInfo* last = nullptr;
  ForEveryMetric([&](Metric metric) {
    const MetricInfo& info = InfoOf(metric);
    EXPECT_TRUE(rows.insert(std::string(info.name) + "{" + info.labels).second) << info.name << info.labels;
    if (last == nullptr || std::string_view(last->name) != info.name) {
      EXPECT_TRUE(names.insert(info.name).second) << info.name << " stands in two places";
    } else {
      EXPECT_STREQ(info.help, last->help) << info.name;
      EXPECT_EQ(info.kind, last->kind) << info.name;
      EXPECT_STRNE(info.labels, "") << info.name;
    }
    last = &info;
  });
}

TEST(Metrics, EveryRowIsExposedOnceWithItsSum) {
  MetricsBlock first;
  MetricsBlock second;
  ForEveryMetric([&](Metric metric) {
    first.Add(metric, static_cast<uint64_t>(metric));
    second.Add(metric);
  });
  const std::string text = ToPrometheus({&first, &second});
  ASSERT_FALSE(text.empty());
  EXPECT_EQ(text.back(), '\n');
  std::map<std::string, uint64_t> samples;
  std::set<std::string> typed;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) {
      const std::string name = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_FALSE(typed.contains(name)) << line;
      if (line.starts_with("# HELP ")) continue;
      EXPECT_THAT(line, testing::MatchesRegex("# TYPE [a-z0-9_]+ (counter|gauge)"));
      typed.insert(name);
      continue;
    }
    ASSERT_THAT(line, testing::MatchesRegex("[a-z0-9_]+([{][^ ]+[}])? [0-9]+"));
    const size_t space = line.find(' ');
    EXPECT_TRUE(typed.contains(line.substr(0, std::min(space, line.find('{'))))) << line;
    EXPECT_TRUE(samples.emplace(line.substr(0, space), std::stoull(line.substr(space))).second) << line;
  }
  ForEveryMetric([&](Metric metric) {
    const MetricInfo& info = InfoOf(metric);
    const std::string key =
        *info.labels == '\0' ? info.name : std::string(info.name) + "{" + info.labels + "}";
    ASSERT_TRUE(samples.contains(key)) << key;
    EXPECT_EQ(samples[key], static_cast<uint64_t>(metric) + 1) << key;
  });
  EXPECT_EQ(samples.size(), static_cast<size_t>(Metric::kCount));
}

TEST(Metrics, NoBlocksMeanZeroes) {
  EXPECT_EQ(Sum({}, Metric::kRequests), 0U);
  EXPECT_NE(ToPrometheus({}).find("\ngatebook_requests_total 0\n"), std::string::npos);
}

// What one thread opened and another's block closed still adds up.
TEST(Metrics, AGaugeIsTheSumOverAllBlocks) {
  MetricsBlock opener;
  MetricsBlock closer;
  opener.Add(Metric::kConnectionsOpen, 5);
  closer.Sub(Metric::kConnectionsOpen, 2);
  EXPECT_EQ(Sum({&opener, &closer}, Metric::kConnectionsOpen), 3U);
  opener.Set(Metric::kConnectionsOpen, 10);
  EXPECT_EQ(opener.Get(Metric::kConnectionsOpen), 10U);
}

TEST(Metrics, AReaderOnAnotherThreadSeesACounterGrow) {
  MetricsBlock block;
  std::thread owner([&block] {
    for (int i = 0; i < 100000; ++i) block.Add(Metric::kRequests);
  });
  uint64_t last = 0;
  while (last < 100000) {
    const uint64_t now = block.Get(Metric::kRequests);
    ASSERT_GE(now, last);
    last = now;
  }
  owner.join();
  EXPECT_EQ(last, 100000U);
}

// A worker appends, the recorder takes; whoever looks at any moment sees sums that hold, and no gauge below
// zero.
TEST(Metrics, TheSumOfTheBookHoldsInEverySnapshotWhileOthersCount) {
  MetricsBlock worker;
  MetricsBlock recorder;
  std::atomic<uint64_t> appended{0};
  std::atomic<bool> end{false};
  std::thread appending([&] {
    while (!end.load()) {
      {
        const MetricsBlock::Together together(worker);
        worker.Add(Metric::kVisitsAccepted);
        worker.Add(appended.load() % 7 == 6 ? Metric::kVisitsDroppedFull : Metric::kVisitsInJournal);
      }
      appended.fetch_add(1);
    }
  });
  std::thread taking([&] {
    for (uint64_t taken = 0; !end.load();) {
      if (taken == appended.load()) continue;
      if (taken++ % 7 == 6) continue;
      const MetricsBlock::Together together(recorder);
      recorder.Add(Metric::kVisitsStored);
      recorder.Sub(Metric::kVisitsInJournal);
    }
  });
  uint64_t last = 0;
  for (int i = 0; i < 20'000 || last < 1000; ++i) {
    const MetricsSnapshot snapshot({&recorder, &worker});
    last = snapshot.Get(Metric::kVisitsAccepted);
    ASSERT_EQ(last, snapshot.VisitsKnown()) << i;
    ASSERT_LE(snapshot.Get(Metric::kVisitsInJournal), last) << i;
  }
  end = true;
  appending.join();
  taking.join();
}

TEST(Metrics, EveryReasonForDroppingAVisitIsInTheSum) {
  MetricsBlock block;
  uint64_t dropped = 0;
  ForEveryMetric([&](Metric metric) {
    if (std::string_view(InfoOf(metric).name) != "gatebook_visits_dropped_total") return;
    block.Add(metric, 10);
    dropped += 10;
  });
  EXPECT_GE(dropped, 60u);
  EXPECT_EQ(MetricsSnapshot({&block}).VisitsDropped(), dropped);
}

}  // namespace
}  // namespace gatebook::base
