// Recorder: what it tells its tap.
#include <algorithm>

#include "logger/recorder.h"

namespace gatebook::logger {

void Recorder::SetTap(VisitTap& tap) {
  tap_ = &tap;
  // What the journal has already is told at once, also if Redis is away and nobody visits.
  loop_.Post([this] { Pump(); });
}

bool Recorder::WaitsFor(const Lane& lane, const base::IpAddress& ip) const {
  const auto is_at = [&](size_t at) {
    return at < lane.waiting.size() && lane.waiting[at].record.visit.ip == ip;
  };
  return is_at(lane.head) || (IsTapped() && is_at(lane.told));
}

void Recorder::TellTap(Lane& lane) {
  if (!IsTapped()) {
    if (!lane.waiting.empty())
      lane.told_until = std::max(lane.told_until, lane.waiting.back().record.position);
    lane.told = lane.waiting.size();
    return;
  }
  const JournalPosition before = lane.told_until;
  for (lane.told = std::max(lane.told, lane.head); lane.told < lane.waiting.size(); ++lane.told) {
    const Waiting& next = lane.waiting[lane.told];
    if (next.record.position <= lane.told_until) continue;
    if (IsOver(next.record) || erasures_.Contains(next.record)) {
      // Whoever writes finds that out, too.
    } else if (next.record.type == RecordType::kClosing) {
      tap_->OnClosing(next.record);
    } else {
      Name name;
      if (!NameFor(next, &name)) break;
      tap_->OnVisit(next.record, name, enrichment_.PlaceOf(next.record.visit.ip));
    }
    lane.told_until = next.record.position;
  }
  if (lane.told_until != before) tap_->OnToldAll();
}

}  // namespace gatebook::logger
