#include "review/visit_sweep.h"

#include <algorithm>

#include "logger/redis_keys.h"
#include "review/discreet.h"

namespace gatebook::review {
namespace {

using logger::StoredVisit;

constexpr size_t kMostStreams = 256;
constexpr uint64_t kDense = 20'000;  // entries of a strip

base::WallTime StartOf(uint64_t minute) { return base::WallTime(std::chrono::minutes(minute)); }

}  // namespace

VisitSweep::VisitSweep(logger::RedisClient& client, const MinutesToRead& minutes, const VisitsWanted& wanted)
    : client_(client),
      minutes_(minutes),
      wanted_(wanted),
      steps_(minutes.last() - minutes.first() + 1),
      budget_(minutes.lanes().size()) {}

uint64_t VisitSweep::MinuteAt(uint64_t step) const {
  return wanted_.newest_first ? minutes_.last() - step : minutes_.first() + step;
}

bool VisitSweep::Begin() {
  Strip strip;
  for (; step_ < steps_ && strip.streams.size() < budget_; ++step_) {
    const uint64_t minute = MinuteAt(step_);
    for (size_t lane = 0; lane < minutes_.lanes().size(); ++lane) {
      if (!minutes_.Has(lane, minute)) continue;
      strip.streams.emplace_back(minutes_.lanes()[lane].edge, minutes_.lanes()[lane].worker, minute);
    }
  }
  if (strip.streams.empty()) return false;
  strip.unfinished = strip.streams.size();
  strip.done = step_;
  Strip& begun = strips_.emplace_back(std::move(strip));
  for (VisitStream& stream : begun.streams) {
    stream.AskForMore(client_);
    asked_.push_back({&begun, &stream});
  }
  return true;
}

void VisitSweep::Keep(const StoredVisit& visit) {
  if (IsWanted(visit, wanted_)) found_.push_back(visit);
}

base::Status VisitSweep::TakeFirst() {
  const Asked asked = asked_.front();
  asked_.pop_front();
  const auto keep = [this](const StoredVisit& visit) { Keep(visit); };
  const auto finished = asked.stream->TakeMore(client_, keep);
  if (!finished) return finished.error();
  if (*finished) {
    asked.stream->TakeOpen(keep);
    --asked.strip->unfinished;
  } else {
    asked.stream->AskForMore(client_);
    asked_.push_back(asked);
  }
  return {};
}

bool VisitSweep::HandOver(const Strip& strip, const VisitSink& sink) {
  const bool newest = wanted_.newest_first;
  std::stable_sort(found_.begin(), found_.end(), [newest](const StoredVisit& a, const StoredVisit& b) {
    return newest ? b.arrival < a.arrival : a.arrival < b.arrival;
  });
  auto border = found_.end();
  if (strip.done < steps_) {
    // Unread minutes may hold arrivals up to their own end, and records are written up to kMostRecordDelay
    // after the arrival: what is older, or newer, than all of that is in its place.
    const uint64_t next = MinuteAt(strip.done);
    const base::WallTime safe = newest ? StartOf(next + 1) : StartOf(next) - logger::kMostRecordDelay;
    border = std::find_if(found_.begin(), found_.end(), [&](const StoredVisit& visit) {
      return newest ? visit.arrival < safe : visit.arrival >= safe;
    });
  }
  for (auto visit = found_.begin(); visit != border; ++visit) {
    if (wanted_.discreet) MakeDiscreet(&*visit);
    if (!sink(*visit)) return false;
  }
  found_.erase(found_.begin(), border);
  return true;
}

base::Status VisitSweep::Run(const VisitSink& sink, const std::function<void(double)>& on_progress) {
  bool enough = false;
  Begin();
  while (!strips_.empty() && !enough) {
    Begin();
    Strip& strip = strips_.front();
    while (strip.unfinished != 0) {
      if (auto taken = TakeFirst(); !taken) return taken;
    }
    uint64_t entries = 0;
    for (const VisitStream& stream : strip.streams) entries += stream.entries();
    enough = !HandOver(strip, sink);
    if (on_progress) on_progress(static_cast<double>(strip.done) / static_cast<double>(steps_));
    budget_ = entries > kDense ? budget_ / 2 : budget_ * 2;
    budget_ = std::clamp(budget_, size_t{1}, kMostStreams);
    strips_.pop_front();
  }
  // Minutes at the end in which nothing could be.
  if (!enough) HandOver({.streams = {}, .unfinished = 0, .done = steps_}, sink);
  for (; !asked_.empty(); asked_.pop_front()) {
    if (const auto reply = client_.Receive(); !reply) return reply.error();
  }
  return {};
}

}  // namespace gatebook::review
