#include "review/day_counter.h"

#include "base/log.h"
#include "base/thread.h"
#include "logger/redis_client.h"
#include "logger/redis_keys.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookFirst = 1min;  // what waits in the journal since the last run comes first
constexpr auto kLookEvery = 10min;
constexpr auto kMostDays = std::chrono::days(31);
// A day whose visits begin to be over within this time is counted as it is.
constexpr auto kLastChance = std::chrono::hours(24);

}  // namespace

void DayCounter::Start() {
  thread_ = base::StartThread(
      "gb:day-counter", [this] { Run(); }, base::Niceness::kBehindAll);
}

void DayCounter::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void DayCounter::Run() {
  auto pause = std::chrono::milliseconds(kLookFirst);
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, pause, [this] { return stopping_.load(); })) return;
    }
    pause = kLookEvery;
    const base::Status counted = CountDue();
    if (stopping_) return;
    if (!counted) {
      parts_.metrics.Add(base::Metric::kStatisticsDaysFailed);
      // Redis that is away is said by others, too; once is enough until it goes well again.
      if (!std::exchange(failure_is_said_, true)) {
        base::LogWarning("statistics", "a day could not be counted, and is tried again: {}",
                         counted.error().message);
      }
    } else {
      failure_is_said_ = false;
    }
  }
}

bool DayCounter::IsDue(const FiguresStore& store, Day day) const {
  if (!store.CanCount(day)) return false;
  const base::WallTime now = parts_.clock.WallNow();
  const base::WallTime end = day + std::chrono::days(1);
  const bool is_whole = now - parts_.lag() >= end + logger::kMostRecordDelay;
  return is_whole || now + kLastChance >= base::WallTime(day) + parts_.config.visit.retention;
}

base::Status DayCounter::CountDue() {
  std::vector<Day> days;
  const Day today = std::chrono::floor<std::chrono::days>(parts_.clock.WallNow());
  for (Day day = today - kMostDays; day < today; day += std::chrono::days(1)) days.push_back(day);

  const auto client = logger::RedisClient::Connect(parts_.config.redis);
  if (!client) return client.error();
  FiguresStore store(**client, parts_.config, parts_.clock);
  const auto kept = store.Load(days);
  if (!kept) return kept.error();
  uint32_t counted_days = 0;
  for (const Day day : days) {
    if (kept->contains(day) || !IsDue(store, day)) continue;
    const auto counted = store.Count(day, &stopping_);
    if (!counted) return counted.error();
    parts_.metrics.Add(base::Metric::kStatisticsDays);
    ++counted_days;
  }
  if (counted_days > 0) base::LogInfo("statistics", "counted and kept: the figures of {} days", counted_days);
  return {};
}

}  // namespace gatebook::review
