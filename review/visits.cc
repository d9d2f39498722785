#include "review/visits.h"

#include <poll.h>

#include <algorithm>

namespace gatebook::review {
namespace {

using logger::ClientReference;
using logger::RedisReply;
using logger::StoredVisit;
using namespace std::chrono_literals;

constexpr std::string_view kPage = "500";  // entries
constexpr size_t kPageSize = 500;
constexpr size_t kStreamsAtOnce = 256;
constexpr size_t kDense = 20'000;  // entries: then minutes are read one by one
constexpr uint32_t kMostWorkers = 1024;
constexpr auto kPollEvery = 250ms;
constexpr auto kEdgesEvery = 10s;
// How long after its minute a stream is still watched for what comes late.
constexpr uint64_t kFollowedMinutes = 15;

uint64_t Milliseconds(base::WallTime time) {
  return static_cast<uint64_t>(std::max<int64_t>(0, time.time_since_epoch().count()));
}

base::Error Unreadable(std::string_view what) {
  return base::Error{"Redis: " + std::string(what), base::ExitCode::kUnavailable};
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

VisitStream::VisitStream(std::string edge, uint32_t worker, uint64_t minute)
    : edge_(std::move(edge)),
      worker_(worker),
      minute_(minute),
      key_(logger::VisitsKey(edge_, worker, minute)) {}

void VisitStream::AskForMore(logger::RedisClient& client) const {
  client.Append({"XRANGE", key_, after_.empty() ? std::string("-") : '(' + after_, "+", "COUNT", kPage});
}

base::Result<bool> VisitStream::Take(logger::RedisClient& client,
                                     const std::function<void(StoredVisit&&)>& sink) {
  const auto reply = client.Receive();
  if (!reply) return reply.error();
  if ((*reply)->IsError()) return Unreadable((*reply)->text);
  for (const RedisReply& entry : (*reply)->elements) TakeEntry(entry, sink);
  return (*reply)->elements.size() < kPageSize;
}

void VisitStream::TakeEntry(const RedisReply& entry, const std::function<void(StoredVisit&&)>& sink) {
  if (entry.elements.size() != 2) return;
  after_ = entry.elements[0].text;
  StoredVisit visit;
  visit.edge = edge_;
  visit.id.worker = worker_;
  if (!logger::ParseEntryId(after_, &visit.id)) return;
  std::string_view v, c;
  const auto fields = entry.elements[1].elements;
  for (size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (fields[i].text == "v") v = fields[i + 1].text;
    if (fields[i].text == "c") c = fields[i + 1].text;
  }
  const auto reference = logger::ReadClientReference(c, minute_);
  if (!reference) return;
  const EntryId of{reference->id.milliseconds, reference->id.n};
  if (reference->kind == ClientReference::Kind::kClosingOf) {
    const auto found = open_.find(of);
    if (found == open_.end()) return;
    logger::ReadClosingFacts(v, &found->second);
    sink(std::move(found->second));
    open_.erase(found);
    return;
  }
  const EntryId self{visit.id.milliseconds, visit.id.n};
  if (reference->kind == ClientReference::Kind::kFacts) {
    facts_of_[self] = facts_.size();
    facts_.emplace_back(c);
  } else if (const auto found = facts_of_.find(of); found != facts_of_.end()) {
    facts_of_[self] = found->second;  // an entry that points may itself be pointed to
    c = facts_[found->second];
  } else {
    c = {};
  }
  if (!logger::ReadVisitFacts(v, &visit) || !logger::ReadClientFacts(c, &visit)) return;
  if (visit.open) {
    open_.emplace(self, std::move(visit));
  } else {
    sink(std::move(visit));
  }
}

std::vector<StoredVisit> VisitStream::TakeOpen() {
  std::vector<StoredVisit> visits;
  for (auto& [id, visit] : open_) visits.push_back(std::move(visit));
  open_.clear();
  return visits;
}

base::Result<std::vector<VisitReader::EdgeWorkers>> VisitReader::ReadEdges() {
  const auto reply = client_.Command({"HGETALL", logger::kEdgesKey});
  if (!reply) return reply.error();
  if ((*reply)->IsError()) return Unreadable((*reply)->text);
  std::vector<EdgeWorkers> edges;
  const auto elements = (*reply)->elements;
  for (size_t i = 0; i + 1 < elements.size(); i += 2) {
    logger::EdgeClaim claim;
    if (!logger::ParseEdgeClaim(elements[i + 1].text, &claim)) continue;
    edges.push_back({std::string(elements[i].text), std::min(claim.workers, kMostWorkers)});
  }
  return edges;
}

base::Status VisitReader::ReadAll(std::vector<VisitStream>& streams,
                                  const std::function<void(StoredVisit&&)>& sink, size_t* entries) {
  const auto counted = [&](StoredVisit&& visit) {
    ++*entries;
    sink(std::move(visit));
  };
  std::vector<VisitStream*> unfinished;
  for (VisitStream& stream : streams) unfinished.push_back(&stream);
  while (!unfinished.empty()) {
    for (const VisitStream* stream : unfinished) stream->AskForMore(client_);
    std::vector<VisitStream*> more;
    for (VisitStream* stream : unfinished) {
      const auto finished = stream->Take(client_, counted);
      if (!finished) return finished.error();
      if (!*finished) more.push_back(stream);
    }
    unfinished = std::move(more);
  }
  return {};
}

base::Status VisitReader::Read(const VisitsWanted& wanted, const VisitSink& sink) {
  const auto edges = ReadEdges();
  if (!edges) return edges.error();
  size_t streams_a_minute = 0;
  for (const EdgeWorkers& edge : *edges) streams_a_minute += edge.workers;
  if (streams_a_minute == 0) return {};
  // A record is written up to kMostRecordDelay after the arrival, and its clock may not step back.
  const base::WallTime until = std::min(wanted.until, clock_.WallNow() + 1min);
  const uint64_t first = logger::MinuteOf(Milliseconds(wanted.since));
  const uint64_t last = logger::MinuteOf(Milliseconds(until + logger::kMostRecordDelay));
  std::vector<StoredVisit> found;
  const auto keep = [&](StoredVisit&& visit) {
    if (IsWanted(visit, wanted)) found.push_back(std::move(visit));
  };
  const uint64_t most_minutes = std::max<uint64_t>(1, kStreamsAtOnce / streams_a_minute);
  uint64_t minutes = most_minutes;
  uint64_t end = first;
  for (uint64_t minute = first; minute <= last; minute = end) {
    std::vector<VisitStream> streams;
    end = std::min(last + 1, minute + minutes);
    for (uint64_t m = minute; m < end; ++m) {
      for (const EdgeWorkers& edge : *edges) {
        for (uint32_t worker = 0; worker < edge.workers; ++worker) streams.emplace_back(edge.edge, worker, m);
      }
    }
    size_t entries = 0;
    if (auto read = ReadAll(streams, keep, &entries); !read) return read;
    for (VisitStream& stream : streams) {
      for (StoredVisit& visit : stream.TakeOpen()) keep(std::move(visit));
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const StoredVisit& a, const StoredVisit& b) { return a.arrival < b.arrival; });
    // What the next minutes may still hold something older than has to wait.
    const base::WallTime safe = end > last
                                    ? base::WallTime::max()
                                    : base::WallTime(std::chrono::minutes(end)) - logger::kMostRecordDelay;
    const auto border = std::find_if(found.begin(), found.end(),
                                     [&](const StoredVisit& visit) { return visit.arrival >= safe; });
    for (auto visit = found.begin(); visit != border; ++visit) {
      if (!sink(*visit)) return {};
    }
    found.erase(found.begin(), border);
    if (on_progress_) on_progress_(static_cast<double>(end - first) / static_cast<double>(last + 1 - first));
    minutes = entries > kDense ? 1 : most_minutes;
  }
  return {};
}

base::Status VisitReader::Follow(const VisitsWanted& wanted, const VisitSink& sink,
                                 const std::atomic<bool>& stop) {
  std::map<std::string, VisitStream> streams;
  std::vector<EdgeWorkers> edges;
  base::SteadyTime edges_due{};
  bool enough = false;
  const auto give = [&](const StoredVisit& visit) {
    if (!enough && IsWanted(visit, wanted)) enough = !sink(visit);
  };
  const uint64_t begin = logger::MinuteOf(Milliseconds(wanted.since));
  while (!enough && !stop.load() && clock_.WallNow() < wanted.until) {
    if (clock_.SteadyNow() >= edges_due) {
      auto read = ReadEdges();
      if (!read) return read.error();
      edges = std::move(*read);
      edges_due = clock_.SteadyNow() + kEdgesEvery;
    }
    const uint64_t now = logger::MinuteOf(Milliseconds(clock_.WallNow()));
    const uint64_t oldest = std::max(begin, now - std::min(now, kFollowedMinutes));
    std::erase_if(streams, [&](const auto& one) { return one.second.minute() < oldest; });
    for (const EdgeWorkers& edge : edges) {
      for (uint32_t worker = 0; worker < edge.workers; ++worker) {
        // A minute ahead, for an edge whose clock is.
        for (uint64_t minute = oldest; minute <= now + 1; ++minute) {
          const std::string key = logger::VisitsKey(edge.edge, worker, minute);
          if (!streams.contains(key)) streams.emplace(key, VisitStream(edge.edge, worker, minute));
        }
      }
    }
    bool more = false;
    for (auto& [key, stream] : streams) stream.AskForMore(client_);
    for (auto& [key, stream] : streams) {
      const auto finished = stream.Take(client_, give);
      if (!finished) return finished.error();
      more = more || !*finished;
      for (const StoredVisit& visit : stream.TakeOpen()) give(visit);
    }
    if (!more && !enough) ::poll(nullptr, 0, static_cast<int>(std::chrono::milliseconds(kPollEvery).count()));
  }
  return {};
}

}  // namespace gatebook::review
