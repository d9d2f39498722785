#include "review/live_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/thread.h"
#include "logger/redis_client.h"
#include "review/discreet.h"
#include "review/render.h"
#include "review/visits.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;

constexpr size_t kMostBacklog = 64 * 1024;
// A visit that came while the page was fetched; whoever gets one twice knows it by its id.
constexpr auto kLookBack = 3s;
constexpr auto kTryAgain = 1s;
constexpr uint32_t kSignEvery = 15;  // seconds

}  // namespace

void LiveFeed::Start() {
  open_ = true;
  thread_ = base::StartThread(
      "gb:live-feed", [this] { Run(); }, base::Niceness::kBehindAll);
}

void LiveFeed::Stop() {
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    streams_.clear();
  }
  rests_.store(true);
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool LiveFeed::Join(DeskReply reply, std::shared_ptr<const Query> where, std::function<bool()> may_look) {
  const std::lock_guard lock(mutex_);
  if (!open_ || streams_.size() >= kMostStreams) return false;
  streams_.push_back({joined_++, std::move(reply), std::move(where), std::move(may_look)});
  rests_.store(false);
  wake_.notify_all();
  return true;
}

void LiveFeed::Tend() {
  const std::lock_guard lock(mutex_);
  std::erase_if(streams_, [](const Stream& stream) {
    if (stream.reply.IsCancelled()) return true;
    if (stream.may_look()) return false;
    stream.reply.End();
    return true;
  });
  if (streams_.empty()) rests_.store(true);
  for (Stream& stream : streams_) {
    stream.sent = 0;
    if (stream.missed > 0 && stream.reply.backlog() < kMostBacklog) {
      stream.reply.More(fmt::format("event: missed\ndata: {}\n\n", std::exchange(stream.missed, 0)));
    } else if (++stream.seconds % kSignEvery == 0) {
      stream.reply.More(": here\n\n");
    }
  }
}

size_t LiveFeed::streams() const {
  const std::lock_guard lock(mutex_);
  return streams_.size();
}

void LiveFeed::Run() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !open_ || !rests_.load(); });
      if (!open_) return;
    }
    Follow();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kTryAgain, [this] { return !open_ || rests_.load(); });
  }
}

void LiveFeed::Follow() {
  auto client = logger::RedisClient::Connect(redis_);
  if (!client) return Tell("event: trouble\ndata: Redis does not answer\n\n");
  Tell("event: well\ndata: \n\n");
  VisitReader reader(**client, clock_);
  VisitsWanted wanted;
  wanted.since = clock_.WallNow() - kLookBack;
  const auto status = reader.Follow(
      wanted,
      [this](const logger::StoredVisit& visit) {
        Give(visit);
        return !rests_.load();
      },
      rests_);
  if (!status) Tell("event: trouble\ndata: Redis does not answer\n\n");
}

void LiveFeed::Give(const logger::StoredVisit& visit) {
  // A query may be slow, and the main loop waits for the lock.
  std::vector<std::pair<uint64_t, std::shared_ptr<const Query>>> asked;
  {
    const std::lock_guard lock(mutex_);
    for (const Stream& stream : streams_) asked.emplace_back(stream.number, stream.where);
  }
  std::set<uint64_t> fitting;
  for (const auto& [number, where] : asked) {
    if (!where || where->Matches(visit)) fitting.insert(number);
  }
  if (fitting.empty()) return;
  const std::lock_guard lock(mutex_);
  std::string event;
  for (Stream& stream : streams_) {
    if (!fitting.contains(stream.number)) continue;
    if (stream.sent >= kMostEvents || stream.reply.backlog() >= kMostBacklog) {
      ++stream.missed;
      continue;
    }
    if (event.empty()) {
      logger::StoredVisit shown = visit;
      MakeDiscreet(&shown);
      // One line, as an event's data must be.
      event = "event: visit\ndata: " + RenderVisit(shown, Form::kJson) + "\n";
    }
    ++stream.sent;
    stream.reply.More(event);
  }
}

void LiveFeed::Tell(std::string_view event) {
  const std::lock_guard lock(mutex_);
  for (Stream& stream : streams_) stream.reply.More(std::string(event));
}

}  // namespace gatebook::review
