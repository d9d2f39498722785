#include "review/visits.h"

#include <poll.h>

#include <algorithm>
#include <map>

#include "review/discreet.h"
#include "review/visit_sweep.h"

namespace gatebook::review {
namespace {

using logger::StoredVisit;
using namespace std::chrono_literals;

constexpr uint32_t kMostWorkers = 1024;
constexpr auto kPollEvery = 250ms;
constexpr auto kEdgesEvery = 10s;
// How long after its minute a stream is still watched for what comes late.
constexpr uint64_t kFollowedMinutes = 15;
constexpr int kWholeAddress = 128;  // bits

uint64_t Milliseconds(base::WallTime time) {
  return static_cast<uint64_t>(std::max<int64_t>(0, time.time_since_epoch().count()));
}

base::Error Unreadable(std::string_view what) {
  return base::Error{"Redis: " + std::string(what), base::ExitCode::kUnavailable};
}

QueryNeeds NeedsOf(const VisitsWanted& wanted) {
  QueryNeeds needs;
  needs.since = wanted.since;
  needs.until = wanted.until;
  if (wanted.ip && wanted.ip->bits() == kWholeAddress) needs.addresses = {wanted.ip->address()};
  if (const auto session = logger::ParseSessionId(wanted.session)) needs.sessions = {*session};
  if (wanted.where != nullptr) needs.And(wanted.where->Needs());
  return needs;
}

}  // namespace

bool IsWanted(const StoredVisit& visit, const VisitsWanted& wanted) {
  if (visit.arrival < wanted.since || visit.arrival >= wanted.until) return false;
  if (!wanted.session.empty() && visit.session != wanted.session) return false;
  if (wanted.ip) {
    const auto ip = base::IpAddress::Parse(visit.ip);
    if (!ip || !wanted.ip->Contains(*ip)) return false;
  }
  return wanted.where == nullptr || wanted.where->Matches(visit);
}

base::Result<std::vector<Lane>> VisitReader::ReadLanes() {
  const auto reply = client_.Command({"HGETALL", logger::kEdgesKey});
  if (!reply) return reply.error();
  if ((*reply)->IsError()) return Unreadable((*reply)->text);
  std::vector<Lane> lanes;
  const auto elements = (*reply)->elements;
  for (size_t i = 0; i + 1 < elements.size(); i += 2) {
    logger::EdgeClaim claim;
    if (!logger::ParseEdgeClaim(elements[i + 1].text, &claim)) continue;
    for (uint32_t worker = 0; worker < std::min(claim.workers, kMostWorkers); ++worker)
      lanes.push_back({std::string(elements[i].text), worker});
  }
  return lanes;
}

base::Status VisitReader::Read(const VisitsWanted& wanted, const VisitSink& sink) {
  auto lanes = ReadLanes();
  if (!lanes) return lanes.error();
  QueryNeeds needs = NeedsOf(wanted);
  // No edge is listed for longer than it may have visits: before that there is nothing to look for.
  needs.since = std::max(needs.since, clock_.WallNow() - logger::kEdgesLifetime);
  // A record is written up to kMostRecordDelay after the arrival, and its clock may not step back.
  const base::WallTime until = std::min(needs.until, clock_.WallNow() + 1min);
  if (lanes->empty() || needs.since >= until) return {};
  MinutesToRead minutes(std::move(*lanes), logger::MinuteOf(Milliseconds(needs.since)),
                        logger::MinuteOf(Milliseconds(until + logger::kMostRecordDelay)));
  if (auto narrowed = minutes.Narrow(client_, needs); !narrowed) return narrowed;
  VisitSweep sweep(client_, minutes, wanted, is_over_);
  return sweep.Run(sink, on_progress_);
}

base::Status VisitReader::Follow(const VisitsWanted& wanted, const VisitSink& sink,
                                 const std::atomic<bool>& stop) {
  std::map<std::string, VisitStream> streams;
  std::vector<Lane> lanes;
  base::SteadyTime lanes_due{};
  bool enough = false;
  const auto give = [&](const StoredVisit& visit) {
    if (enough || !IsWanted(visit, wanted)) return;
    StoredVisit shown = visit;
    if (wanted.discreet) MakeDiscreet(&shown);
    enough = !sink(shown);
  };
  const uint64_t begin = logger::MinuteOf(Milliseconds(wanted.since));
  while (!enough && !stop.load() && clock_.WallNow() < wanted.until) {
    if (clock_.SteadyNow() >= lanes_due) {
      auto read = ReadLanes();
      if (!read) return read.error();
      lanes = std::move(*read);
      lanes_due = clock_.SteadyNow() + kEdgesEvery;
    }
    const uint64_t now = logger::MinuteOf(Milliseconds(clock_.WallNow()));
    const uint64_t oldest = std::max(begin, now - std::min(now, kFollowedMinutes));
    std::erase_if(streams, [&](const auto& one) { return one.second.minute() < oldest; });
    for (const Lane& lane : lanes) {
      // A minute ahead, for an edge whose clock is.
      for (uint64_t minute = oldest; minute <= now + 1; ++minute) {
        const std::string key = logger::VisitsKey(lane.edge, lane.worker, minute);
        if (!streams.contains(key)) streams.emplace(key, VisitStream(lane.edge, lane.worker, minute));
      }
    }
    bool more = false;
    for (auto& [key, stream] : streams) stream.AskForMore(client_);
    for (auto& [key, stream] : streams) {
      const auto finished = stream.TakeMore(client_, give);
      if (!finished) return finished.error();
      more = more || !*finished;
      stream.TakeOpen(give);
    }
    if (!more && !enough) ::poll(nullptr, 0, static_cast<int>(std::chrono::milliseconds(kPollEvery).count()));
  }
  return {};
}

}  // namespace gatebook::review
