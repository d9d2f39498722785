#include "logger/recorder.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/thread.h"

namespace gatebook::logger {
namespace {

using base::Metric;
using namespace std::chrono_literals;

constexpr size_t kWindow = 65'536;  // records that may wait for names
// Read ahead otherwise: what is read is soon written, while it is in the cache.
constexpr size_t kBatchesAhead = 2;
// After the first ring: what comes in this time is written at once, and rings nobody.
constexpr auto kGather = 5ms;
constexpr auto kHousekeeping = 5s;
// Of journal.max_size: more than that held, and a snapshot is asked for.
constexpr uint64_t kHeldShare = 4;
// What is held for longer in a full journal may be released early: an append-only file that works is faster.
std::chrono::milliseconds HeldLong(const config::Redis& redis) {
  return std::max<std::chrono::milliseconds>(5 * redis.hold, 2s);
}
// If Redis is away when we are to stop, it gets this long to come.
constexpr auto kStopWithoutRedis = 500ms;
// The wheel may be up to two ticks late, and a visit is not to wait longer than was promised.
constexpr auto kWheelLateness = 2 * net::TimerWheel::kTick;

}  // namespace

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
        for (JournalReader* reader : journal.readers()) lanes.emplace_back(reader, metrics);
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
      bell_(loop_, *this),
      housekeeping_([this] {
        housekeeping_.Arm(loop_.timers(), loop_.now() + kHousekeeping);
        Housekeep();
      }),
      gather_([this] {
        doorbell_.Answer();
        Pump();
      }),
      name_deadline_([this] { Pump(); }),
      stop_([this] { loop_.Stop(); }) {
  enrichment_.SetOnNamed([this](const base::IpAddress& ip) {
    for (size_t i = 0; i < lanes_.size(); ++i) {
      if (WaitsFor(lanes_[i], ip)) PumpLane(i);
    }
  });
}

Recorder::~Recorder() { Stop(base::SteadyTime::min()); }

void Recorder::Start() {
  CHECK(!thread_.joinable());
  ReadErasures();
  if (!bell_.WatchReadable(doorbell_.fd()))
    base::LogError("recorder", "the kernel watches no more descriptors");
  housekeeping_.Arm(loop_.timers(), loop_.now() + kHousekeeping);
  writer_.Start();
  thread_ = base::StartThread(
      "gb:recorder", [this] { loop_.Run(); }, base::Niceness::kBehindWorkers);
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
    lane.told = 0;
    lane.sent.clear();
    lane.acknowledged = std::max(lane.acknowledged, lane.held.TakeAll().position);
    lane.reader->Rewind();
  }
  for (size_t i = 0; i < lanes_.size(); ++i) Settle(i);
  for (Lane& lane : lanes_) Fill(lane, 1);
  oldest_.store(Oldest(), std::memory_order_relaxed);
  if (stopping_) stop_.Arm(loop_.timers(), std::min(stop_.deadline(), loop_.now() + kStopWithoutRedis));
}

void Recorder::OnReady(bool, bool) {
  enrichment_.TakeHints(hints_);
  Gather();
}

void Recorder::Gather() {
  if (!gather_.IsArmed()) gather_.Arm(loop_.timers(), loop_.now() + kGather);
}

void Recorder::Housekeep() {
  writer_.Housekeep();
  enrichment_.TakeHints(hints_);
  enrichment_.Housekeep();
  ReadErasures();
  DropExpired();
  Pump();  // what waited for the clock to be believed
  for (Lane& lane : lanes_) {
    // Redis may never have it on its disk, and has destroyed it by now.
    const HeldVisits::Taken over = lane.held.TakeOver(clock_.SureNow() - config_.visit.retention);
    metrics_.Add(Metric::kVisitsReleasedOver, over.tally.visits_stored);
    Release(lane, over);
    lane.reader->EraseReleased();
  }
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
    Fill(lane, kBatchesAhead * writer_.batch_size());
    if (tap_ != nullptr) TellTap(lane);
    if (!writer_.CanBegin(index)) return;
    // While one is under way only a full one is worth making: a small one would keep others waiting.
    if (writer_.IsUnderWay(index) && lane.waiting.size() - lane.head < writer_.batch_size()) return;
    JournalPosition last = 0;
    const uint64_t oldest =
        lane.head < lane.waiting.size() ? lane.waiting[lane.head].record.id.milliseconds : 0;
    for (; lane.head < lane.waiting.size(); ++lane.head) {
      const Waiting& next = lane.waiting[lane.head];
      Name name;
      if (next.record.type == RecordType::kClosing) {
        if (!writer_.Add(index, next.record.id, next.record.closing)) break;
      } else if (erasures_.Contains(next.record)) {
        if (!writer_.PassOver(index)) break;
      } else {
        if (!NameFor(next, &name)) {
          Fill(lane, kWindow / lanes_.size());  // while one name is waited for, many are asked
          break;
        }
        if (!writer_.Add(index, next.record.id, next.record.visit, name)) break;
      }
      last = next.record.position;
      if (last == lane.acknowledged) {  // what comes behind is another matter
        ++lane.head;
        break;
      }
    }
    BatchTally tally;
    switch (writer_.Commit(index, &tally)) {
      case RedisWriter::Committed::kNothing:
        return;
      case RedisWriter::Committed::kDone:
        Hold(lane, {last, oldest}, tally);
        break;
      case RedisWriter::Committed::kUnderWay:
        lane.sent.push_back({last, oldest});
        break;
    }
  }
}

void Recorder::Fill(Lane& lane, size_t most) {
  if (lane.head == lane.waiting.size()) {
    lane.waiting.clear();
    lane.head = 0;
    lane.told = 0;
  } else if (lane.head > 1024 && lane.head > lane.waiting.size() / 2) {
    lane.waiting.erase(lane.waiting.begin(), lane.waiting.begin() + static_cast<ptrdiff_t>(lane.head));
    lane.told -= std::min(lane.told, lane.head);
    lane.head = 0;
  }
  // While Redis is away one record is enough: it tells the lag. A tap hears of them all the same.
  if (!writer_.IsUp()) most = IsTapped() ? kWindow / lanes_.size() : 1;
  while (lane.waiting.size() - lane.head < most) {
    Waiting& next = lane.waiting.emplace_back();
    if (!lane.reader->Next(&next.record)) {
      lane.waiting.pop_back();
      return;
    }
    next.since = loop_.now();
    if (next.record.type == RecordType::kVisit && !IsOver(next.record) && !erasures_.Contains(next.record)) {
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
  CHECK(!lane.sent.empty());
  const Sent sent = lane.sent.front();
  lane.sent.pop_front();
  Settle(index);
  if (sent.position <= lane.acknowledged)
    metrics_.Add(Metric::kVisitsRestored, tally.visits_stored - tally.visits_replayed);
  Hold(lane, sent, tally);
  Fill(lane, writer_.batch_size());
  if (!stopping_ && lane.head < lane.waiting.size() &&
      lane.waiting.size() - lane.head < writer_.batch_size()) {
    Gather();
  } else {
    PumpLane(index);
  }
  oldest_.store(Oldest(), std::memory_order_relaxed);
  StopIfDone();
}

void Recorder::Hold(Lane& lane, const Sent& sent, const BatchTally& tally) {
  const auto [position, oldest] = sent;
  lane.held.Add(position, base::WallTime(std::chrono::milliseconds(oldest)) - kMostRecordDelay, tally,
                writer_.durability().looks(), loop_.now());
  if (writer_.durability().IsWaitingVain()) return Release(lane, lane.held.TakeAll());
  writer_.WatchDurability();
}

void Recorder::OnWriterLooked() {
  Publish();
  ReleaseDurable();
  RelieveJournal();
  if (std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return !lane.held.IsEmpty(); }))
    writer_.WatchDurability();
}

void Recorder::ReleaseDurable() {
  const NodesDurability& durability = writer_.durability();
  for (Lane& lane : lanes_) {
    Release(lane,
            durability.IsWaitingVain() ? lane.held.TakeAll() : lane.held.TakeDurable(durability.durable()));
  }
}

void Recorder::Release(Lane& lane, const HeldVisits::Taken& taken) {
  if (taken.position == 0) return;
  taken.tally.CountIn(metrics_);
  lane.reader->Release(taken.position);
}

void Recorder::RelieveJournal() {
  uint64_t bytes = 0;
  for (const Lane& lane : lanes_) {
    if (!lane.held.IsEmpty()) bytes += lane.reader->BytesUntil(lane.held.last());
  }
  if (bytes > config_.journal.max_size / kHeldShare && writer_.durability().WaitsForSave())
    writer_.AskToSave();
  for (Lane& lane : lanes_) {
    if (lane.held.IsEmpty() || !lane.reader->IsJournalFull()) continue;
    if (loop_.now() < lane.held.since() + HeldLong(config_.redis)) continue;
    const HeldVisits::Taken taken = lane.held.TakeOlderHalf();
    metrics_.Add(Metric::kVisitsReleasedEarly, taken.tally.visits_stored);
    Release(lane, taken);
  }
}

void Recorder::DropExpired() {
  if (writer_.IsUp()) return;  // who writes drops them
  bool more = false;
  for (Lane& lane : lanes_) {
    BatchTally tally;
    JournalPosition last = 0;
    size_t dropped = 0;
    for (Fill(lane, 1); lane.head < lane.waiting.size() && dropped < kWindow; Fill(lane, 1)) {
      const Record& record = lane.waiting[lane.head].record;
      const bool erased = erasures_.Contains(record);
      if (!erased && !IsOver(record)) break;
      ++(record.type == RecordType::kClosing ? tally.closings_dropped
         : erased                            ? tally.visits_erased
                                             : tally.visits_expired);
      last = record.position;
      ++lane.head;
      ++dropped;
    }
    if (dropped == 0) continue;
    tally.CountIn(metrics_);
    lane.reader->Release(last);
    more = more || dropped == kWindow;
  }
  if (more) loop_.Post([this] { DropExpired(); });
  oldest_.store(Oldest(), std::memory_order_relaxed);
}

void Recorder::SetErasures(ErasureRegister erasures, ErasureKey key) {
  CHECK(!thread_.joinable());
  erasures_.Set(std::move(erasures), key);
}

bool Recorder::LoadErasures(std::chrono::milliseconds patience) {
  auto settled = std::make_shared<std::promise<bool>>();
  auto answer = settled->get_future();
  loop_.Post([this, settled] {
    ReadErasures(true);
    if (!erasures_.IsReadable()) return settled->set_value(false);
    Unsettled one{{}, settled};
    for (size_t i = 0; i < lanes_.size(); ++i) {
      if (!lanes_[i].sent.empty()) one.lanes.emplace_back(i, lanes_[i].sent.size());
    }
    if (one.lanes.empty()) return settled->set_value(true);
    unsettled_.push_back(std::move(one));
  });
  return answer.wait_for(patience) == std::future_status::ready && answer.get();
}

void Recorder::ReadErasures(bool always) {
  if (!erasures_.Read(clock_.SureNow(), always)) return;
  writer_.ForgetFacts();
  if (tap_ != nullptr) tap_->OnErasures(erasures_.list());
}

void Recorder::Settle(size_t lane) {
  const bool all = lanes_[lane].sent.empty();
  std::erase_if(unsettled_, [lane, all](Unsettled& one) {
    std::erase_if(one.lanes, [&](auto& of) { return of.first == lane && (all || --of.second == 0); });
    if (one.lanes.empty()) one.settled->set_value(true);
    return one.lanes.empty();
  });
}

bool Recorder::IsOver(const Record& record) const {
  const base::WallTime now = clock_.SureNow();
  const base::WallTime arrival =
      record.type == RecordType::kVisit
          ? record.visit.arrival
          : base::WallTime(std::chrono::milliseconds(record.closing.of.milliseconds));
  return DeadlineOf(arrival, config_.visit.retention, now) <= now;
}

void Recorder::BeginStop(base::SteadyTime deadline) {
  stopping_ = true;
  if (!writer_.IsUp()) deadline = std::min(deadline, loop_.now() + kStopWithoutRedis);
  stop_.SetCallback([this] {
    uint64_t held = 0;
    for (const Lane& lane : lanes_) held += lane.held.Visits();
    if (held != 0) {
      base::LogInfo("recorder",
                    "{} visits that Redis acknowledged may not be on its disk yet: they stay in the "
                    "journal and are given to it once more at the next start",
                    held);
    }
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
    if (!lane.sent.empty() || lane.head < lane.waiting.size()) return;
  }
  stop_.Arm(loop_.timers(), loop_.now());
}

uint64_t Recorder::Oldest() const {
  uint64_t oldest = 0;
  for (const Lane& lane : lanes_) {
    uint64_t of_lane = 0;
    if (!lane.sent.empty()) {
      of_lane = lane.sent.front().oldest;
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
  state.durability = writer_.IsUp() ? writer_.durability().state() : "not known: Redis is away";
  state.dns = enrichment_.names_state();
  state.geo = enrichment_.places_state();
  const std::lock_guard lock(mutex_);
  published_ = std::move(state);
}

}  // namespace gatebook::logger
