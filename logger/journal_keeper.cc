#include "logger/journal_keeper.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/thread.h"

namespace gatebook::logger {
namespace {

using base::Metric;
using namespace std::chrono_literals;

constexpr base::Duration kFlushEvery = 1s;
constexpr base::Duration kCheckEvery = 1s;
constexpr base::Duration kPurgeEvery = 10s;

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
      purge_due_(clock.SteadyNow()) {}

void JournalKeeper::Start() {
  thread_ = base::StartThread("gb:keeper", [this] { Run(); });
}

void JournalKeeper::Stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  bell_.Ring();
  if (thread_.joinable()) thread_.join();
  for (const auto& lane : lanes_) {
    if (const std::string error = Flush(*lane); !error.empty())
      base::LogError("journal", "the last flush of worker {}'s journal failed: {}", lane->worker, error);
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
  for (const JournalTrouble* trouble : {&providing_, &removing_, &erasing_, &flushing_}) {
    if (!trouble->IsWell()) due = std::min(due, trouble->retry_at());
  }
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(due - clock_.SteadyNow()).count();
  return static_cast<int>(std::clamp<int64_t>(wait, 0, 1000));
}

void JournalKeeper::CheckDirectory(base::SteadyTime now) {
  if (now < check_due_) return;
  check_due_ = now + kCheckEvery;
  if (!directory_.HasVanished()) {
    directory_trouble_.Clear();
  } else if (const base::Status made = directory_.MakeAgain(); !made) {
    Fail(directory_trouble_, now, made.error().message);
  } else {
    base::LogError("journal",
                   "the journal directory {} was removed or replaced, and is made again (visits in segments "
                   "that were in it live as long as this process)",
                   directory_.path());
    metrics_.Add(Metric::kJournalErrors);
    directory_trouble_.Clear();
    std::vector<std::string> names;
    directory_.ListSegments(&names);  // of an earlier run: read at the next start, never written over
    for (const std::string& name : names) {
      uint32_t worker = 0;
      uint32_t sequence = 0;
      ParseSegmentName(name, &worker, &sequence);
      for (const auto& lane : lanes_) {
        if (lane->worker == worker) lane->next_sequence = std::max(lane->next_sequence, sequence + 1);
      }
    }
  }
  AbandonNameless();
}

void JournalKeeper::AbandonNameless() {
  for (const auto& lane : lanes_) {
    if (!lane->has_writer) continue;
    // The spare, and the one being written; nothing is written into others any more.
    for (size_t i = lane->segments.size(); i > 0 && i + 2 > lane->segments.size(); --i) {
      JournalSegment& segment = *lane->segments[i - 1];
      if (segment.is_recovered() || segment.is_told()) continue;
      const bool is_hit = segment.is_abandoned();  // not by us: who is left by us is told of
      if (!is_hit && directory_.Holds(segment.name(), segment.file())) continue;
      segment.SetTold();
      base::LogError("journal", "the journal segment {} {}; no more visits are written into it",
                     segment.name(), is_hit ? "can't be reached: the disk fails under it" : "was removed");
      metrics_.Add(Metric::kJournalErrors);
      // A spare without a name would take visits that no restart can find.
      JournalSegment* spare = &segment;
      if (lane->spare.compare_exchange_strong(spare, nullptr)) {
        lane->segments.pop_back();
      } else {
        segment.Abandon();
      }
    }
  }
}

void JournalKeeper::RemoveRetired(base::SteadyTime now) {
  if (!removing_.MayTry(now)) return;
  bool failed = false;
  for (const auto& lane : lanes_) {
    std::vector<const JournalSegment*> removed;
    const auto is_removed = [&removed](const JournalSegment* one) {
      return std::find(removed.begin(), removed.end(), one) != removed.end();
    };
    for (const auto& segment : lane->segments) {
      if (!segment->retired.load(std::memory_order_acquire)) continue;
      // Ids go on from what the next one's opening knows: it has to be on the disk before this one is not.
      JournalSegment* const next = segment->next.load(std::memory_order_acquire);
      const bool is_known = settings_.flush == config::Flush::kNo || next == nullptr ||
                            next->is_abandoned() || next->FlushOpening(directory_.disk());
      if (is_known && segment->Remove(directory_.disk())) {
        removed.push_back(segment.get());
        continue;
      }
      if (!failed) Fail(removing_, now, Failed("remove", *segment));
      failed = true;
    }
    if (removed.empty()) continue;
    providing_.TryNow();  // there is room on the disk that was not there
    // One that could not be removed yet looks past those that are gone.
    for (const auto& segment : lane->segments) {
      JournalSegment* next = segment->next.load(std::memory_order_acquire);
      if (is_removed(segment.get()) || !is_removed(next)) continue;
      while (is_removed(next)) next = next->next.load(std::memory_order_acquire);
      segment->next.store(next, std::memory_order_release);
    }
    std::erase_if(lane->segments, [&](const auto& segment) { return is_removed(segment.get()); });
  }
  if (!failed) removing_.Clear();
}

void JournalKeeper::AllowErasing(base::SteadyTime now) {
  if (!erasing_.MayTry(now)) return;
  bool failed = false;
  for (const auto& lane : lanes_) {
    for (const auto& segment : lane->segments) {
      if (segment->erase_asked() == segment->erase_allowed() || segment->AllowErasing(directory_.disk()))
        continue;
      if (!failed) Fail(erasing_, now, Failed("flush the header of", *segment));
      failed = true;
    }
  }
  if (!failed) erasing_.Clear();
}

void JournalKeeper::FlushDue(base::SteadyTime now) {
  const bool every_second = now >= flush_due_;
  if (every_second) flush_due_ = now + kFlushEvery;
  const bool retry = flushing_.MayTry(now);
  std::string error;
  bool any_failing = false;
  for (const auto& lane : lanes_) {
    const bool failing = lane->flush_failing.load(std::memory_order_relaxed);
    // Who asks while the back-off runs is told by flush_failing, or waits for the next try; the question
    // stays. One lane's failure holds up no other.
    if (!failing || retry) {
      // Taken back before the flush looks at what is published: who asked has published.
      const bool asked = lane->flush_asked.exchange(false, std::memory_order_seq_cst);
      if (asked || failing || (every_second && settings_.flush != config::Flush::kNo)) {
        if (std::string why = Flush(*lane); !why.empty()) error = std::move(why);
        Answer(*lane);  // whoever asked: some wait for an earlier question
      }
    }
    any_failing |= lane->flush_failing.load(std::memory_order_relaxed);
  }
  if (!error.empty()) {
    Fail(flushing_, now, std::move(error));
  } else if (!any_failing) {
    flushing_.Clear();
  }
}

std::string JournalKeeper::Flush(JournalLane& lane) {
  // Newest first: what is published of a segment when its successor had been looked at is all of it, so
  // that no position is called flushed over an older record that isn't.
  std::vector<std::pair<JournalSegment*, uint64_t>> unflushed;
  for (auto segment = lane.segments.rbegin(); segment != lane.segments.rend(); ++segment) {
    const uint64_t published = (*segment)->published();
    if (published > kSegmentHeaderBytes && published > (*segment)->flushed()) {
      unflushed.emplace_back(segment->get(), published);
    }
  }
  std::string error;
  for (auto segment = unflushed.rbegin(); segment != unflushed.rend() && error.empty(); ++segment) {
    // No disk holds what has no name; the worker is on its way out of it, and what it has left is as safe
    // as it can be.
    const bool is_abandoned = segment->first->is_abandoned();
    if (is_abandoned && (segment + 1 != unflushed.rend() || settings_.flush != config::Flush::kAlways))
      continue;
    if (is_abandoned) {
      error = fmt::format("cannot flush {}/{}: it was removed, or the disk has failed under it",
                          directory_.path(), segment->first->name());
    } else if (!segment->first->Flush(directory_.disk(), segment->second)) {
      error = Failed("flush", *segment->first);
    } else {
      lane.flushed.store(MakePosition(segment->first->identity().sequence, segment->second),
                         std::memory_order_release);
    }
  }
  lane.flush_failing.store(!error.empty(), std::memory_order_release);
  return error;
}

void JournalKeeper::Answer(JournalLane& lane) {
  const std::lock_guard lock(lane.callback_mutex);
  if (lane.on_flushed) lane.on_flushed();
}

void JournalKeeper::ProvideSpares(base::SteadyTime now) {
  // Into a directory that the path does not lead to nothing is put.
  if (!directory_trouble_.IsWell() || !providing_.MayTry(now)) return;
  bool failed = false;
  for (const auto& lane : lanes_) {
    if (!lane->has_writer || lane->spare.load(std::memory_order_relaxed) != nullptr) continue;
    const base::Status provided = Provide(*lane);
    if (provided) continue;
    if (!failed) Fail(providing_, now, provided.error().message);
    failed = true;
  }
  if (!failed) providing_.Clear();
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
  identity.sequence = lane.next_sequence++;  // also when it fails: the name may be taken
  identity.created_milliseconds = static_cast<uint64_t>(clock_.WallNow().time_since_epoch().count());
  FillRandom(&identity.seed, sizeof identity.seed);
  identity.edge = settings_.edge;
  auto created = JournalSegment::Create(directory_, identity, settings_.segment_size, last_,
                                        settings_.flush != config::Flush::kNo);
  if (!created) return created.error();
  lane.segments.push_back(std::move(created).value());
  lane.spare.store(lane.segments.back().get(), std::memory_order_release);
  return {};
}

void JournalKeeper::PurgeQuarantine(base::SteadyTime now) {
  if (now < purge_due_) return;
  purge_due_ = now + kPurgeEvery;
  quarantine_.Purge(clock_.SureNow() - settings_.quarantine_retention);
}

void JournalKeeper::Fail(JournalTrouble& trouble, base::SteadyTime now, std::string error) {
  metrics_.Add(Metric::kJournalErrors);
  trouble.Fail(now, std::move(error));
}

std::string JournalKeeper::Failed(std::string_view what, const JournalSegment& segment) const {
  return fmt::format("cannot {} {}/{}: {}", what, directory_.path(), segment.name(), std::strerror(errno));
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
  for (const JournalTrouble* trouble :
       {&directory_trouble_, &providing_, &removing_, &erasing_, &flushing_}) {
    if (state.error.empty()) state.error = trouble->error();
  }
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
