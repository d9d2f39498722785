#include "logger/journal_keeper.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace gatebook::logger {
namespace {

using base::Metric;
using namespace std::chrono_literals;

constexpr base::Duration kLeastBackoff = 100ms;
constexpr base::Duration kMostBackoff = 10s;
constexpr base::Duration kFlushEvery = 1s;
constexpr base::Duration kCheckEvery = 1s;
constexpr base::Duration kPurgeEvery = 1h;

base::Duration NextBackoff(base::Duration backoff) { return std::min(backoff * 2, kMostBackoff); }

}  // namespace

JournalKeeper::JournalKeeper(Settings settings, RecordId last, const base::Clock& clock,
                             JournalDirectory& directory, JournalQuarantine& quarantine,
                             std::vector<std::unique_ptr<JournalLane>>& lanes, base::MetricsBlock& metrics)
    : settings_(std::move(settings)),
      last_(last),
      clock_(clock),
      directory_(directory),
      quarantine_(quarantine),
      lanes_(lanes),
      metrics_(metrics),
      flush_due_(clock.SteadyNow() + kFlushEvery),
      check_due_(clock.SteadyNow() + kCheckEvery),
      purge_due_(clock.SteadyNow()),
      files_backoff_(kLeastBackoff),
      flush_backoff_(kLeastBackoff) {}

void JournalKeeper::Start() {
  thread_ = std::thread([this] { Run(); });
}

void JournalKeeper::Stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  bell_.Ring();
  if (thread_.joinable()) thread_.join();
  for (const auto& lane : lanes_) {
    if (!Flush(*lane)) {
      base::LogError("journal", "the last flush of worker {}'s journal failed: {}", lane->worker,
                     flush_error_);
    }
  }
}

void JournalKeeper::RunOnce() {
  bell_.Answer();
  const base::SteadyTime now = clock_.SteadyNow();
  CheckDirectory(now);
  RemoveRetired(now);
  AllowErasing(now);
  FlushDue(now);
  ProvideSpares(now);
  PurgeQuarantine(now);
  Report();
}

JournalState JournalKeeper::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void JournalKeeper::Run() {
  for (;;) {
    RunOnce();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    pollfd bell{bell_.fd(), POLLIN, 0};
    ::poll(&bell, 1, WaitMilliseconds());
  }
}

int JournalKeeper::WaitMilliseconds() const {
  base::SteadyTime due = std::min({flush_due_, check_due_, purge_due_});
  if (!files_error_.empty()) due = std::min(due, files_retry_at_);
  if (!flush_error_.empty()) due = std::min(due, flush_retry_at_);
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(due - clock_.SteadyNow()).count();
  return static_cast<int>(std::clamp<int64_t>(wait, 0, 1000));
}

void JournalKeeper::CheckDirectory(base::SteadyTime now) {
  if (now < check_due_) return;
  check_due_ = now + kCheckEvery;
  if (!directory_.HasVanished()) return;
  base::LogError("journal",
                 "the journal directory {} has been removed; making it again (visits in segments that were "
                 "in it live as long as this process)",
                 directory_.path());
  metrics_.Add(Metric::kJournalErrors);
  if (const base::Status made = directory_.MakeAgain(); !made) return FailFiles(now, made.error().message);
  // A spare without a name would take visits that no restart can find.
  for (const auto& lane : lanes_) {
    if (JournalSegment* const spare = lane->spare.exchange(nullptr)) {
      std::erase_if(lane->segments, [&](const auto& segment) { return segment.get() == spare; });
    }
  }
}

void JournalKeeper::RemoveRetired(base::SteadyTime now) {
  if (!files_error_.empty() && now < files_retry_at_) return;
  for (const auto& lane : lanes_) {
    std::erase_if(lane->segments, [&](const auto& segment) {
      if (!segment->retired.load(std::memory_order_acquire)) return false;
      if (directory_.Remove(segment->name())) return true;
      FailFiles(now, fmt::format("cannot remove {}/{}: {}", directory_.path(), segment->name(),
                                 std::strerror(errno)));
      return false;
    });
  }
}

void JournalKeeper::AllowErasing(base::SteadyTime now) {
  if (!files_error_.empty() && now < files_retry_at_) return;
  for (const auto& lane : lanes_) {
    for (const auto& segment : lane->segments) {
      if (segment->erase_asked() == segment->erase_allowed() || segment->AllowErasing(directory_)) continue;
      return FailFiles(now, fmt::format("cannot flush the header of {}/{}: {}", directory_.path(),
                                        segment->name(), std::strerror(errno)));
    }
  }
}

void JournalKeeper::FlushDue(base::SteadyTime now) {
  const bool every_second = now >= flush_due_;
  if (every_second) flush_due_ = now + kFlushEvery;
  const bool retry = now >= flush_retry_at_;
  bool failed = false;
  bool any_failing = false;
  for (const auto& lane : lanes_) {
    const bool failing = lane->flush_failing.load(std::memory_order_relaxed);
    // Who asks while the back-off runs is told by flush_failing, or waits for the next try; the question
    // stays. One lane's failure holds up no other.
    if (!failing || retry) {
      // Taken back before the flush looks at what is published: who asked has published.
      const bool asked = lane->flush_asked.exchange(false, std::memory_order_seq_cst);
      if (asked || failing || (every_second && settings_.flush != config::Flush::kNo)) {
        failed |= !Flush(*lane);
        Answer(*lane);  // whoever asked: some wait for an earlier question
      }
    }
    any_failing |= lane->flush_failing.load(std::memory_order_relaxed);
  }
  if (failed) {
    metrics_.Add(Metric::kJournalErrors);
    flush_retry_at_ = now + flush_backoff_;
    flush_backoff_ = NextBackoff(flush_backoff_);
  } else if (!any_failing) {
    flush_error_.clear();
    flush_backoff_ = kLeastBackoff;
  }
}

bool JournalKeeper::Flush(JournalLane& lane) {
  // Newest first: what is published of a segment when its successor had been looked at is all of it, so
  // that no position is called flushed over an older record that isn't.
  std::vector<std::pair<JournalSegment*, uint64_t>> unflushed;
  for (auto segment = lane.segments.rbegin(); segment != lane.segments.rend(); ++segment) {
    const uint64_t published = (*segment)->published();
    if (published > kSegmentHeaderBytes && published > (*segment)->flushed()) {
      unflushed.emplace_back(segment->get(), published);
    }
  }
  bool flushed = true;
  for (auto segment = unflushed.rbegin(); segment != unflushed.rend() && flushed; ++segment) {
    flushed = segment->first->Flush(directory_, segment->second);
    if (!flushed) {
      flush_error_ = fmt::format("cannot flush {}/{}: {}", directory_.path(), segment->first->name(),
                                 std::strerror(errno));
    } else {
      lane.flushed.store(MakePosition(segment->first->identity().sequence, segment->second),
                         std::memory_order_release);
    }
  }
  lane.flush_failing.store(!flushed, std::memory_order_release);
  return flushed;
}

void JournalKeeper::Answer(JournalLane& lane) {
  const std::lock_guard lock(lane.callback_mutex);
  if (lane.on_flushed) lane.on_flushed();
}

void JournalKeeper::ProvideSpares(base::SteadyTime now) {
  if (!files_error_.empty() && now < files_retry_at_) return;
  for (const auto& lane : lanes_) {
    if (!lane->has_writer || lane->spare.load(std::memory_order_relaxed) != nullptr) continue;
    if (base::Status provided = Provide(*lane); !provided) {
      return FailFiles(now, provided.error().message);
    }
  }
  const bool retired_left = std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
    return std::any_of(lane->segments.begin(), lane->segments.end(),
                       [](const auto& segment) { return segment->retired.load(std::memory_order_relaxed); });
  });
  if (retired_left) return;  // removing them has failed, or is this thread's next round
  files_error_.clear();
  files_backoff_ = kLeastBackoff;
}

base::Status JournalKeeper::Provide(JournalLane& lane) {
  uint64_t bytes = settings_.segment_size;
  for (const auto& other : lanes_) {
    for (const auto& segment : other->segments) bytes += segment->size();
  }
  const bool is_full = bytes > settings_.max_size;
  lane.is_full.store(is_full, std::memory_order_relaxed);
  if (is_full) return {};

  SegmentIdentity identity;
  identity.worker = lane.worker;
  identity.sequence = lane.next_sequence;
  identity.created_milliseconds = static_cast<uint64_t>(clock_.WallNow().time_since_epoch().count());
  FillRandom(&identity.seed, sizeof identity.seed);
  identity.edge = settings_.edge;
  auto created = JournalSegment::Create(directory_, identity, settings_.segment_size, last_,
                                        settings_.flush != config::Flush::kNo);
  if (!created) return created.error();
  ++lane.next_sequence;
  lane.segments.push_back(std::move(created).value());
  lane.spare.store(lane.segments.back().get(), std::memory_order_release);
  return {};
}

void JournalKeeper::PurgeQuarantine(base::SteadyTime now) {
  if (now < purge_due_) return;
  purge_due_ = now + kPurgeEvery;
  quarantine_.Purge(clock_.WallNow() - settings_.quarantine_retention);
}

void JournalKeeper::FailFiles(base::SteadyTime now, std::string error) {
  metrics_.Add(Metric::kJournalErrors);
  files_error_ = std::move(error);
  files_retry_at_ = now + files_backoff_;
  files_backoff_ = NextBackoff(files_backoff_);
}

void JournalKeeper::Report() {
  using Condition = JournalState::Condition;
  JournalState state;
  state.max_size = settings_.max_size;
  bool is_full = false;
  for (const auto& lane : lanes_) {
    is_full |= lane->is_full.load(std::memory_order_relaxed);
    state.segments += lane->segments.size();
    for (const auto& segment : lane->segments) state.bytes += segment->size();
  }
  state.error = files_error_.empty() ? flush_error_ : files_error_;
  state.condition = !state.error.empty() ? Condition::kFailing : is_full ? Condition::kFull : Condition::kOk;
  metrics_.Set(Metric::kJournalSegments, state.segments);
  metrics_.Set(Metric::kJournalBytes, state.bytes);

  Condition before;
  {
    const std::lock_guard lock(mutex_);
    before = state_.condition;
    state_ = state;
  }
  if (state.condition == before) return;
  if (state.condition == Condition::kFailing) base::LogError("journal", "{}; trying again", state.error);
  if (state.condition == Condition::kFull)
    base::LogWarning("journal", "the journal is full ({} bytes)", state.bytes);
  if (state.condition == Condition::kOk) base::LogInfo("journal", "the journal is well again");
}

}  // namespace gatebook::logger
