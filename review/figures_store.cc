#include "review/figures_store.h"

#include "review/redis_scan.h"
#include "review/visits.h"

namespace gatebook::review {
namespace {

// A stream goes with its oldest visit, up to so long before its youngest is over (docs/data-model.md).
constexpr std::chrono::seconds kGoneBefore{90};

}  // namespace

std::string FiguresKey(Day day) { return "gb:stats:day:" + ToText(day); }

base::Result<std::map<Day, DayFigures>> FiguresStore::Load(const std::vector<Day>& days) {
  for (const Day day : days) client_.Append({"GET", FiguresKey(day)});
  std::map<Day, DayFigures> loaded;
  base::Status failed;
  for (const Day day : days) {
    const auto reply = client_.Receive();
    if (!reply) return reply.error();
    if ((*reply)->IsError()) failed = RedisSaid((*reply)->text);
    if ((*reply)->IsError() || (*reply)->text.empty()) continue;
    const auto figures = DayFigures::FromJson((*reply)->text);
    if (figures && figures->day == day) {
      loaded.emplace(day, *figures);
    } else {
      failed =
          base::Error{"what Redis holds as " + FiguresKey(day) + " is damaged", base::ExitCode::kNegative};
    }
  }
  if (!failed) return failed.error();
  return loaded;
}

bool FiguresStore::CanCount(Day day) const {
  const base::WallTime now = clock_.WallNow();
  const base::WallTime begin = day;
  const base::WallTime end = day + std::chrono::days(1);
  return end + kSettleTime <= now && now + kGoneBefore < begin + config_.visit.retention;
}

base::Result<DayFigures> FiguresStore::Count(Day day, const std::atomic<bool>* stop) {
  DaySample sample(config_.statistics.SessionsOfANetwork());
  VisitReader reader(client_, clock_);
  reader.SetOnProgress(on_progress_);
  const VisitsWanted wanted{.since = day, .until = day + std::chrono::days(1)};
  const auto is_stopped = [stop] { return stop != nullptr && stop->load(); };
  const base::Status read = reader.Read(wanted, [&](const logger::StoredVisit& visit) {
    sample.Take(visit);
    return !is_stopped();
  });
  if (!read) return read.error();
  if (is_stopped()) return base::Error{"stopped while counting " + ToText(day)};
  DayFigures figures = DayFigures::Of(day, sample.Finish(), config_.statistics);
  const base::WallTime deadline = day + std::chrono::days(1) + config_.statistics.keep;
  const std::string deadline_ms = std::to_string(deadline.time_since_epoch().count());
  const auto kept = client_.Command({"SET", FiguresKey(day), figures.ToJson(), "NX", "PXAT", deadline_ms});
  if (!kept) return kept.error();
  if ((*kept)->IsError()) return RedisSaid((*kept)->text);
  if ((*kept)->text == "OK") return figures;
  auto others = Load({day});
  if (!others) return others.error();
  const auto found = others->find(day);
  if (found == others->end()) return RedisSaid("the figures of " + ToText(day) + " are there and are not");
  return std::move(found->second);
}

}  // namespace gatebook::review
