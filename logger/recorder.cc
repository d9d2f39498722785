#include "logger/recorder.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace gatebook::logger {
namespace {

using base::Metric;
using namespace std::chrono_literals;

constexpr size_t kWindow = 65'536;  // records
// After the first ring: what comes in this time is written at once, and rings nobody.
constexpr auto kGather = 5ms;
constexpr auto kHousekeeping = 5s;
constexpr auto kReleaseEvery = 200ms;
// If Redis is away when we are to stop, it gets this long to come.
constexpr auto kStopWithoutRedis = 500ms;
// The wheel may be up to two ticks late, and a visit is not to wait longer than was promised.
constexpr auto kWheelLateness = 2 * net::TimerWheel::kTick;

}  // namespace

Recorder::Wake::Wake(net::Loop& loop, std::function<void()> on_readable)
    : on_readable_(std::move(on_readable)), event_(loop, *this) {}

void Recorder::Wake::Watch(int fd) {
  if (!event_.Watch(fd)) base::LogError("recorder", "the kernel watches no more descriptors");
}

void Recorder::Wake::OnReady(bool readable, bool) {
  if (readable) on_readable_();
}

Recorder::Recorder(Journal& journal, uint32_t workers, const config::Config& config,
                   base::MetricsBlock& metrics, const base::Clock& clock, NameHints& hints,
                   Doorbell& doorbell)
    : config_(config),
      clock_(clock),
      metrics_(metrics),
      hints_(hints),
      doorbell_(doorbell),
      enrichment_(loop_, config, clock, metrics),
      lanes_([&] {
        std::vector<Lane> lanes;
        for (JournalReader* reader : journal.readers()) lanes.emplace_back(reader);
        return lanes;
      }()),
      writer_(
          loop_, config, clock, metrics,
          RedisWriter::Identity{config.edge.name, journal.instance(),
                                [&] {
                                  uint32_t most = workers;
                                  for (const Lane& lane : lanes_)
                                    most = std::max(most, lane.reader->worker() + 1);
                                  return most;
                                }()},
          lanes_.size(), [this](const base::IpAddress& ip) { return enrichment_.PlaceOf(ip); }, *this),
      bell_(loop_, [this] { OnBell(); }),
      housekeeping_(loop_, [this] { Housekeep(); }),
      housekeeping_fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      gather_([this] {
        doorbell_.Answer();
        Pump();
      }),
      name_deadline_([this] { Pump(); }),
      release_([this] { ReleaseDue(writer_.durable_after()); }),
      stop_([this] { loop_.Stop(); }) {
  const itimerspec every{{kHousekeeping.count(), 0}, {kHousekeeping.count(), 0}};
  ::timerfd_settime(housekeeping_fd_.get(), 0, &every, nullptr);
  enrichment_.SetOnNamed([this](const base::IpAddress& ip) {
    for (size_t i = 0; i < lanes_.size(); ++i) {
      const Lane& lane = lanes_[i];
      if (lane.head < lane.waiting.size() && lane.waiting[lane.head].record.visit.ip == ip) PumpLane(i);
    }
  });
}

Recorder::~Recorder() { Stop(base::SteadyTime::min()); }

void Recorder::Start() {
  CHECK(!thread_.joinable());
  ReadErasures();
  bell_.Watch(doorbell_.fd());
  housekeeping_.Watch(housekeeping_fd_.get());
  writer_.Start();
  thread_ = std::thread([this] { loop_.Run(); });
}

void Recorder::Stop(base::SteadyTime deadline) {
  if (!thread_.joinable()) return;
  loop_.Post([this, deadline] { BeginStop(deadline); });
  thread_.join();
  Publish();
}

void Recorder::Reload() {
  loop_.Post([this] { Housekeep(); });
}

RecorderState Recorder::state() const {
  RecorderState state;
  {
    const std::lock_guard lock(mutex_);
    state = published_;
  }
  const uint64_t oldest = oldest_.load(std::memory_order_relaxed);
  if (oldest != 0) {
    const auto age = clock_.WallNow().time_since_epoch() - std::chrono::milliseconds(oldest);
    state.lag = std::max(age, std::chrono::milliseconds(0));
  }
  return state;
}

void Recorder::OnWriterReady() { Pump(); }

void Recorder::OnWriterStateChanged() { Publish(); }

void Recorder::OnWriterLost() {
  // What was under way may or may not be in Redis: it all comes again from the journal.
  for (Lane& lane : lanes_) {
    lane.waiting.clear();
    lane.head = 0;
    lane.under_way = false;
    lane.held.clear();
    lane.reader->Rewind();
  }
  release_.Cancel();
  for (size_t i = 0; i < lanes_.size(); ++i) Settle(i);
  for (Lane& lane : lanes_) Fill(lane);
  oldest_.store(Oldest(), std::memory_order_relaxed);
  if (stopping_) stop_.Arm(loop_.timers(), std::min(stop_.deadline(), loop_.now() + kStopWithoutRedis));
}

void Recorder::OnBell() {
  enrichment_.TakeHints(hints_);
  if (!gather_.IsArmed()) gather_.Arm(loop_.timers(), loop_.now() + kGather);
}

void Recorder::Housekeep() {
  uint64_t times;
  [[maybe_unused]] const ssize_t got = ::read(housekeeping_fd_.get(), &times, sizeof times);
  writer_.Housekeep();
  enrichment_.TakeHints(hints_);
  enrichment_.Housekeep();
  ReadErasures();
  DropExpired();
  for (Lane& lane : lanes_) lane.reader->EraseReleased();
  Publish();
}

void Recorder::Pump() {
  for (size_t i = 0; i < lanes_.size(); ++i) PumpLane(i);
  oldest_.store(Oldest(), std::memory_order_relaxed);
  StopIfDone();
}

void Recorder::PumpLane(size_t index) {
  Lane& lane = lanes_[index];
  while (true) {
    Fill(lane);
    if (!writer_.CanBegin(index)) return;
    JournalPosition last = 0;
    const uint64_t oldest =
        lane.head < lane.waiting.size() ? lane.waiting[lane.head].record.id.milliseconds : 0;
    for (; lane.head < lane.waiting.size(); ++lane.head) {
      const Waiting& next = lane.waiting[lane.head];
      Name name;
      if (next.record.type == RecordType::kClosing) {
        if (!writer_.Add(index, next.record.id, next.record.closing)) break;
      } else if (IsErased(next.record)) {
        if (!writer_.PassOver(index)) break;
      } else {
        if (!NameFor(next, &name)) break;
        if (!writer_.Add(index, next.record.id, next.record.visit, name)) break;
      }
      last = next.record.position;
    }
    BatchTally tally;
    switch (writer_.Commit(index, &tally)) {
      case RedisWriter::Committed::kNothing:
        return;
      case RedisWriter::Committed::kDone:
        Hold(lane, last, tally);
        break;
      case RedisWriter::Committed::kUnderWay:
        lane.under_way = true;
        lane.sent = last;
        lane.sent_oldest = oldest;
        return;
    }
  }
}

void Recorder::Fill(Lane& lane) {
  if (lane.head == lane.waiting.size()) {
    lane.waiting.clear();
    lane.head = 0;
  } else if (lane.head > 1024 && lane.head > lane.waiting.size() / 2) {
    lane.waiting.erase(lane.waiting.begin(), lane.waiting.begin() + static_cast<ptrdiff_t>(lane.head));
    lane.head = 0;
  }
  // While Redis is away one record is enough: it tells the lag.
  const size_t most = writer_.IsUp() ? std::max<size_t>(1, kWindow / lanes_.size()) : 1;
  while (lane.waiting.size() - lane.head < most) {
    Waiting& next = lane.waiting.emplace_back();
    if (!lane.reader->Next(&next.record)) {
      lane.waiting.pop_back();
      return;
    }
    next.since = loop_.now();
    if (next.record.type == RecordType::kVisit && !IsOver(next.record) && !IsErased(next.record)) {
      enrichment_.Ask(next.record.visit.ip);
    }
  }
}

bool Recorder::NameFor(const Waiting& waiting, Name* name) {
  if (const auto known = enrichment_.NameOf(waiting.record.visit.ip)) {
    *name = *known;
    return true;
  }
  const base::SteadyTime deadline = waiting.since + config_.dns.timeout - kWheelLateness;
  if (loop_.now() >= deadline) {
    name->check = DnsCheck::kTimeout;
    return true;
  }
  if (!name_deadline_.IsArmed() || deadline < name_deadline_.deadline()) {
    name_deadline_.Arm(loop_.timers(), deadline);
  }
  return false;
}

void Recorder::OnBatchStored(size_t index, const BatchTally& tally) {
  Lane& lane = lanes_[index];
  lane.under_way = false;
  Settle(index);
  Hold(lane, lane.sent, tally);
  PumpLane(index);
  oldest_.store(Oldest(), std::memory_order_relaxed);
  StopIfDone();
}

void Recorder::Hold(Lane& lane, JournalPosition position, const BatchTally& tally) {
  lane.held.push_back({position, tally, loop_.now()});
  if (writer_.durable_after().count() == 0) return ReleaseDue(std::chrono::milliseconds(0));
  if (!release_.IsArmed()) release_.Arm(loop_.timers(), loop_.now() + writer_.durable_after());
}

void Recorder::ReleaseDue(std::chrono::milliseconds after) {
  bool more = false;
  for (Lane& lane : lanes_) {
    while (!lane.held.empty() && lane.held.front().since + after <= loop_.now()) {
      const Held& held = lane.held.front();
      Count(held.tally);
      lane.reader->Release(held.position);
      lane.held.pop_front();
    }
    more = more || !lane.held.empty();
  }
  if (more && !release_.IsArmed()) release_.Arm(loop_.timers(), loop_.now() + kReleaseEvery);
}

void Recorder::DropExpired() {
  if (writer_.IsUp()) return;  // who writes drops them
  bool more = false;
  for (Lane& lane : lanes_) {
    BatchTally tally;
    JournalPosition last = 0;
    size_t dropped = 0;
    for (Fill(lane); lane.head < lane.waiting.size() && dropped < kWindow; Fill(lane)) {
      const Record& record = lane.waiting[lane.head].record;
      const bool erased = IsErased(record);
      if (!erased && !IsOver(record)) break;
      ++(record.type == RecordType::kClosing ? tally.closings_dropped
         : erased                            ? tally.visits_erased
                                             : tally.visits_expired);
      last = record.position;
      ++lane.head;
      ++dropped;
    }
    if (dropped == 0) continue;
    Count(tally);
    lane.reader->Release(last);
    more = more || dropped == kWindow;
  }
  if (more) loop_.Post([this] { DropExpired(); });
  oldest_.store(Oldest(), std::memory_order_relaxed);
}

void Recorder::SetErasures(ErasureRegister erasures, ErasureKey key) {
  CHECK(!thread_.joinable());
  erasure_register_.emplace(std::move(erasures));
  erasure_key_.emplace(key);
}

bool Recorder::LoadErasures(std::chrono::milliseconds patience) {
  auto settled = std::make_shared<std::promise<bool>>();
  auto answer = settled->get_future();
  loop_.Post([this, settled] {
    erasures_read_ = {};
    ReadErasures();
    if (erasures_unreadable_) return settled->set_value(false);
    Unsettled one{{}, settled};
    for (size_t i = 0; i < lanes_.size(); ++i) {
      if (lanes_[i].under_way) one.lanes.push_back(i);
    }
    if (one.lanes.empty()) return settled->set_value(true);
    unsettled_.push_back(std::move(one));
  });
  return answer.wait_for(patience) == std::future_status::ready && answer.get();
}

void Recorder::ReadErasures() {
  if (!erasure_register_) return;
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(erasure_register_->path(), error);
  if (!error && changed == erasures_read_) return;
  const auto loaded = erasure_register_->Load(clock_.WallNow());
  if (erasures_unreadable_ != !loaded.ok() && !loaded.ok()) {
    base::LogError("recorder", "{}; what was in force stays in force", loaded.error().message);
  }
  erasures_unreadable_ = !loaded.ok();
  if (!loaded.ok()) return;
  erasures_read_ = error ? std::filesystem::file_time_type{} : changed;
  if (loaded->empty()) return erasures_.reset();
  erasures_.emplace(*erasure_key_, *loaded);
  writer_.ForgetFacts();
}

bool Recorder::IsErased(const Record& record) const {
  return erasures_ && record.type == RecordType::kVisit && erasures_->Contains(record.visit);
}

void Recorder::Settle(size_t lane) {
  std::erase_if(unsettled_, [lane](Unsettled& one) {
    std::erase(one.lanes, lane);
    if (one.lanes.empty()) one.settled->set_value(true);
    return one.lanes.empty();
  });
}

bool Recorder::IsOver(const Record& record) const {
  const base::WallTime now = clock_.WallNow();
  const base::WallTime arrival =
      record.type == RecordType::kVisit
          ? record.visit.arrival
          : base::WallTime(std::chrono::milliseconds(record.closing.of.milliseconds));
  return DeadlineOf(arrival, config_.visit.retention, now) <= now;
}

void Recorder::Count(const BatchTally& tally) {
  metrics_.Add(Metric::kVisitsStored, tally.visits_stored);
  metrics_.Add(Metric::kVisitsReplayed, tally.visits_replayed);
  metrics_.Add(Metric::kVisitsDroppedExpired, tally.visits_expired);
  metrics_.Add(Metric::kVisitsDroppedErased, tally.visits_erased);
  metrics_.Add(Metric::kVisitsDroppedRefused, tally.visits_refused);
  metrics_.Sub(Metric::kVisitsInJournal,
               tally.visits_stored + tally.visits_expired + tally.visits_erased + tally.visits_refused);
  metrics_.Add(Metric::kClosingsStored, tally.closings_stored);
  metrics_.Add(Metric::kClosingsDropped, tally.closings_dropped);
}

void Recorder::BeginStop(base::SteadyTime deadline) {
  stopping_ = true;
  if (!writer_.IsUp()) deadline = std::min(deadline, loop_.now() + kStopWithoutRedis);
  stop_.SetCallback([this] {
    // Redis lives on, and will have on its disk what it acknowledged.
    ReleaseDue(std::chrono::milliseconds(0));
    loop_.Stop();
  });
  stop_.Arm(loop_.timers(), std::max(deadline, loop_.now()));
  gather_.Cancel();
  doorbell_.Answer();
  Pump();
}

void Recorder::StopIfDone() {
  if (!stopping_ || !writer_.IsUp()) return;
  for (const Lane& lane : lanes_) {
    if (lane.under_way || lane.head < lane.waiting.size()) return;
  }
  stop_.Arm(loop_.timers(), loop_.now());
}

uint64_t Recorder::Oldest() const {
  uint64_t oldest = 0;
  for (const Lane& lane : lanes_) {
    uint64_t of_lane = 0;
    if (lane.under_way) {
      of_lane = lane.sent_oldest;
    } else if (lane.head < lane.waiting.size()) {
      of_lane = lane.waiting[lane.head].record.id.milliseconds;
    }
    if (of_lane != 0 && (oldest == 0 || of_lane < oldest)) oldest = of_lane;
  }
  return oldest;
}

void Recorder::Publish() {
  oldest_.store(Oldest(), std::memory_order_relaxed);
  RecorderState state;
  state.redis = writer_.state();
  state.redis_up = writer_.IsUp();
  state.dns = enrichment_.names_state();
  state.geo = enrichment_.places_state();
  const std::lock_guard lock(mutex_);
  published_ = std::move(state);
}

}  // namespace gatebook::logger
