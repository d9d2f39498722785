// FiguresStore: the figures of days in Redis, beyond the lives of their visits.
//
//   gb:stats:day:2026-11-27  string  DayFigures as JSON; deadline: the day's end + statistics.keep
//
// A day is counted once. Whoever comes first, here or on another machine, decides (SET … NX): two counts of
// one day, between which a visitor was erased, would tell of that visitor by their difference.
//
// Thread: one, which it blocks. Borrows: all it is made of. Limits: those of DaySample.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "logger/redis_client.h"
#include "review/day_figures.h"

namespace gatebook::review {

std::string FiguresKey(Day day);

class FiguresStore {
 public:
  FiguresStore(logger::RedisClient& client, const config::Config& config, const base::Clock& clock)
      : client_(client), config_(config), clock_(clock) {}

  // Those of the days that are kept.
  base::Result<std::map<Day, DayFigures>> Load(const std::vector<Day>& days);

  // Whether all visits of the day are written, and none of them is over.
  bool CanCount(Day day) const;
  // Counts the day and keeps its figures; if somebody was faster, those are given.
  // Requires: CanCount(day). An error, and nothing is kept, if `stop` is set meanwhile.
  base::Result<DayFigures> Count(Day day, const std::atomic<bool>* stop = nullptr);

  // Called now and then with the share of the count that is done, 0 to 1.
  void SetOnProgress(std::function<void(double)> on_progress) { on_progress_ = std::move(on_progress); }

 private:
  logger::RedisClient& client_;
  const config::Config& config_;
  const base::Clock& clock_;
  std::function<void(double)> on_progress_;
};

}  // namespace gatebook::review
