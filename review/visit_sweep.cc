#include "review/visit_sweep.h"

#include <algorithm>

#include "logger/redis_keys.h"
#include "review/discreet.h"

namespace gatebook::review {
namespace {

using logger::StoredVisit;

constexpr size_t kMostStreams = 256;
constexpr size_t kDense = 20'000;  // entries of a strip
constexpr size_t kLeastAPage = 100;
constexpr size_t kMostHeld = 100'000;  // visits

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

uint64_t VisitSweep::StepOf(uint64_t minute) const {
  return wanted_.newest_first ? minutes_.last() - minute : minute - minutes_.first();
}

bool VisitSweep::Begin() {
  Strip strip;
  for (; step_ < steps_ && strip.parts.size() < budget_; ++step_) {
    const uint64_t minute = MinuteAt(step_);
    for (size_t lane = 0; lane < minutes_.lanes().size(); ++lane) {
      if (!minutes_.Has(lane, minute)) continue;
      const Lane& of = minutes_.lanes()[lane];
      strip.parts.push_back({VisitStream(of.edge, of.worker, minute)});
    }
  }
  if (strip.parts.empty()) return false;
  strip.done = step_;
  Strip& begun = strips_.emplace_back(std::move(strip));
  const size_t page = std::max(kLeastAPage, 2 * kDense / begun.parts.size());
  for (Part& part : begun.parts) {
    part.stream.AskForMore(client_, page);
    asked_.push_back(&part);
  }
  return true;
}

void VisitSweep::Keep(const StoredVisit& visit) {
  if (IsWanted(visit, wanted_)) found_.push_back(visit);
}

base::Status VisitSweep::TakeAnswer() {
  Part& part = *asked_.front();
  asked_.pop_front();
  const auto keep = [this](const StoredVisit& visit) { Keep(visit); };
  const auto finished = part.stream.TakeMore(client_, keep);
  if (!finished) return finished.error();
  if (*finished) part.stream.TakeOpen(keep);
  part.state = *finished ? State::kDone : State::kHasMore;
  return {};
}

base::Status VisitSweep::Finish(std::span<Part> minute) {
  const auto any_is = [minute](State state) {
    return std::any_of(minute.begin(), minute.end(),
                       [state](const Part& part) { return part.state == state; });
  };
  while (any_is(State::kAsked) || any_is(State::kHasMore)) {
    for (Part& part : minute) {
      if (part.state != State::kHasMore) continue;
      part.stream.AskForMore(client_);
      part.state = State::kAsked;
      asked_.push_back(&part);
    }
    while (any_is(State::kAsked)) {
      if (auto taken = TakeAnswer(); !taken) return taken;
    }
  }
  return {};
}

base::Status VisitSweep::Finish(Strip& strip, const VisitSink& sink) {
  for (auto begin = strip.parts.begin(); begin != strip.parts.end() && !enough_;) {
    const auto end = std::find_if(begin, strip.parts.end(), [&](const Part& part) {
      return part.stream.minute() != begin->stream.minute();
    });
    if (auto finished = Finish(std::span<Part>(begin, end)); !finished) return finished;
    if (found_.size() > kMostHeld && end != strip.parts.end()) HandOver(StepOf(end->stream.minute()), sink);
    begin = end;
  }
  return {};
}

void VisitSweep::HandOver(uint64_t unread, const VisitSink& sink) {
  const bool newest = wanted_.newest_first;
  std::stable_sort(found_.begin(), found_.end(), [newest](const StoredVisit& a, const StoredVisit& b) {
    return newest ? b.arrival < a.arrival : a.arrival < b.arrival;
  });
  auto border = found_.end();
  if (unread < steps_) {
    // Unread minutes may hold arrivals up to their own end, and records are written up to kMostRecordDelay
    // after the arrival: what is older, or newer, than all of that is in its place.
    const uint64_t next = MinuteAt(unread);
    const base::WallTime safe = newest ? StartOf(next + 1) : StartOf(next) - logger::kMostRecordDelay;
    border = std::find_if(found_.begin(), found_.end(), [&](const StoredVisit& visit) {
      return newest ? visit.arrival < safe : visit.arrival >= safe;
    });
  }
  for (auto visit = found_.begin(); visit != border && !enough_; ++visit) {
    if (wanted_.discreet) MakeDiscreet(&*visit);
    enough_ = !sink(*visit);
  }
  found_.erase(found_.begin(), border);
}

base::Status VisitSweep::Run(const VisitSink& sink, const std::function<void(double)>& on_progress) {
  Begin();
  while (!strips_.empty() && !enough_) {
    Begin();
    Strip& strip = strips_.front();
    if (auto finished = Finish(strip, sink); !finished) return finished;
    if (enough_) break;
    HandOver(strip.done, sink);
    if (on_progress) on_progress(static_cast<double>(strip.done) / static_cast<double>(steps_));
    uint64_t entries = 0;
    for (const Part& part : strip.parts) entries += part.stream.entries();
    budget_ = std::clamp(entries > kDense ? budget_ / 2 : budget_ * 2, size_t{1}, kMostStreams);
    strips_.pop_front();
  }
  // Minutes at the end in which nothing could be.
  if (!enough_) HandOver(steps_, sink);
  for (; !asked_.empty(); asked_.pop_front()) {
    if (const auto reply = client_.Receive(); !reply) return reply.error();
  }
  return {};
}

}  // namespace gatebook::review
