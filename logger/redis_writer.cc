#include "logger/redis_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "logger/redis_command.h"
#include "logger/redis_endpoint.h"
#include "logger/visit_record.h"

namespace gatebook::logger {
namespace {

using base::Metric;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kLeastBackOff = 100ms;
constexpr std::chrono::milliseconds kMostBackOff = 5s;
constexpr auto kClaimEvery = 1h;
constexpr auto kClaimTakenEvery = 30s;
// With appendfsync everysec Redis may be up to two seconds behind (redis.conf).
constexpr std::chrono::milliseconds kEverySecondLag = 2s;
constexpr size_t kMostStreamsABatch = 16;
constexpr size_t kMostErrorText = 160;

// What a server says in an error may be anything.
std::string CleanError(std::string_view text) {
  std::string clean(text.substr(0, kMostErrorText));
  for (char& c : clean) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return clean;
}

std::string Milliseconds(base::WallTime time) { return std::to_string(time.time_since_epoch().count()); }

// XADD's answer to an id that is not beyond the stream's last.
bool IsReplay(const RedisReply& reply) {
  return reply.text.find("equal or smaller") != std::string_view::npos;
}

}  // namespace

RedisWriter::RedisWriter(net::Loop& loop, const config::Config& config, const base::Clock& clock,
                         base::MetricsBlock& metrics, Identity identity, size_t lanes, PlaceOf place_of,
                         Handler& handler)
    : loop_(loop),
      config_(config),
      clock_(clock),
      metrics_(metrics),
      identity_(std::move(identity)),
      batch_size_(std::max<size_t>(1, config.redis.pipeline / std::max<size_t>(1, lanes))),
      place_of_(std::move(place_of)),
      handler_(handler),
      connection_(loop, config.redis, *this),
      lanes_(lanes),
      back_off_(kLeastBackOff),
      random_(std::random_device()()) {
  for (size_t i = 0; i < lanes; ++i) lanes_[i].sessions = NewTransaction(Transaction::Purpose::kSessions, i);
  retry_.SetCallback([this] { connection_.Connect(); });
}

void RedisWriter::Start() {
  SetState("connecting", false);
  connection_.Connect();
}

void RedisWriter::Housekeep() {
  if (connection_.IsReady() && loop_.now() >= claim_due_) SendClaim();
}

bool RedisWriter::CanBegin(size_t lane) const { return up_ && !lanes_[lane].under_way; }

size_t RedisWriter::Transaction::Replies() const {
  switch (purpose) {
    case Purpose::kInfo:
      return 1;
    case Purpose::kSessions:
      return sessions * kSessionReplies;
    default:
      return kinds.size() + 2;
  }
}

RedisWriter::Transaction RedisWriter::NewTransaction(Transaction::Purpose purpose, size_t lane) {
  Transaction transaction;
  if (!spare_.empty()) {
    transaction = std::move(spare_.back());
    spare_.pop_back();
  }
  transaction.purpose = purpose;
  transaction.lane = lane;
  transaction.last_of_batch = false;
  transaction.deadline = base::WallTime::max();
  transaction.commands.clear();
  transaction.kinds.clear();
  transaction.sessions = 0;
  transaction.replies_seen = 0;
  return transaction;
}

RedisWriter::Transaction* RedisWriter::StreamOf(Lane& lane, size_t index, const VisitId& id) {
  const uint64_t minute = MinuteOf(id);
  for (Transaction& one : lane.streams) {
    if (one.minute == minute && one.worker == id.worker) return &one;
  }
  if (lane.streams.size() >= kMostStreamsABatch) return nullptr;
  lane.streams.push_back(NewTransaction(Transaction::Purpose::kStream, index));
  lane.streams.back().worker = id.worker;
  lane.streams.back().minute = minute;
  return &lane.streams.back();
}

bool RedisWriter::Add(size_t index, const VisitId& id, const Visit& visit, const Name& name) {
  Lane& lane = lanes_[index];
  CHECK(CanBegin(index));
  const uint64_t minute = MinuteOf(id);
  if (lane.records >= batch_size_ || (lane.visits_minute != 0 && lane.visits_minute != minute)) return false;
  const base::WallTime now = clock_.WallNow();
  const base::WallTime deadline = DeadlineOf(visit.arrival, config_.visit.retention, now);
  if (deadline <= now) {
    ++lane.records;
    ++lane.tally.visits_expired;
    return true;
  }
  Transaction* stream = StreamOf(lane, index, id);
  if (stream == nullptr) return false;
  ++lane.records;
  lane.visits_minute = minute;
  stream->deadline = std::min(stream->deadline, deadline);
  stream->kinds.push_back(Kind::kVisit);
  scratch_key_.clear();
  AppendVisitsKey(scratch_key_, identity_.edge, id.worker, minute);
  scratch_id_.clear();
  AppendEntryId(scratch_id_, id.milliseconds, id.n);
  scratch_v_.clear();
  AppendVisitFacts(scratch_v_, id, visit);
  scratch_c_.clear();
  if (const VisitId* earlier = lane.facts.FindOrAdd(id, visit, name)) {
    AppendSameAs(scratch_c_, *earlier);
  } else {
    AppendClientFacts(scratch_c_, visit, name, place_of_(visit.ip));
  }
  AppendCommand(stream->commands, {"XADD", scratch_key_, scratch_id_, "v", scratch_v_, "c", scratch_c_});
  if (visit.session_new) AddSession(lane, visit, name, deadline);
  return true;
}

void RedisWriter::AddSession(Lane& lane, const Visit& visit, const Name& name, base::WallTime deadline) {
  const std::string key = SessionKey(visit.session);
  const Place place = place_of_(visit.ip);
  std::string& commands = lane.sessions.commands;
  AppendCommand(commands, {"MULTI"});
  AppendCommand(commands,
                {"HSET", key, "time", Milliseconds(visit.arrival), "ip", visit.ip.ToText(), "dns", name.text,
                 "dns_check", ToText(name.check), "channel", ToText(visit.channel), "referrer",
                 visit.referrer, "country", place.country, "user_agent", visit.user_agent});
  AppendCommand(commands, {"PEXPIREAT", key, Milliseconds(deadline)});
  AppendCommand(commands, {"EXEC"});
  ++lane.sessions.sessions;
}

bool RedisWriter::Add(size_t index, const VisitId& id, const Closing& closing) {
  Lane& lane = lanes_[index];
  CHECK(CanBegin(index));
  if (lane.records >= batch_size_) return false;
  Transaction* stream = StreamOf(lane, index, closing.of);
  if (stream == nullptr) return false;
  ++lane.records;
  stream->kinds.push_back(Kind::kClosing);
  scratch_key_.clear();
  AppendVisitsKey(scratch_key_, identity_.edge, closing.of.worker, MinuteOf(closing.of));
  scratch_id_.clear();
  AppendEntryId(scratch_id_, id.milliseconds, id.n);
  scratch_v_.clear();
  AppendClosingFacts(scratch_v_, closing);
  scratch_c_.clear();
  AppendClosingOf(scratch_c_, closing.of);
  // NOMKSTREAM: what is expired or erased must not come back.
  AppendCommand(stream->commands,
                {"XADD", scratch_key_, "NOMKSTREAM", scratch_id_, "v", scratch_v_, "c", scratch_c_});
  return true;
}

bool RedisWriter::PassOver(size_t index) {
  Lane& lane = lanes_[index];
  CHECK(CanBegin(index));
  if (lane.records >= batch_size_) return false;
  ++lane.records;
  ++lane.tally.visits_erased;
  return true;
}

void RedisWriter::ForgetFacts() {
  for (Lane& lane : lanes_) lane.facts.Clear();
}

RedisWriter::Committed RedisWriter::Commit(size_t index, BatchTally* tally) {
  Lane& lane = lanes_[index];
  if (lane.records == 0) return Committed::kNothing;
  lane.records = 0;
  lane.visits_minute = 0;
  if (lane.streams.empty()) {
    *tally = std::exchange(lane.tally, BatchTally());
    return Committed::kDone;
  }
  lane.under_way = true;
  size_t replies = 0;
  if (lane.sessions.sessions != 0) {
    replies += Queue(std::exchange(lane.sessions, NewTransaction(Transaction::Purpose::kSessions, index)));
  }
  lane.streams.back().last_of_batch = true;
  for (Transaction& stream : lane.streams) {
    if (stream.deadline != base::WallTime::max()) {
      scratch_key_.clear();
      AppendVisitsKey(scratch_key_, identity_.edge, stream.worker, stream.minute);
      // LT: a stream's deadline only ever comes nearer, whoever writes again what was there.
      AppendCommand(stream.commands, {"PEXPIREAT", scratch_key_, Milliseconds(stream.deadline), "LT"});
      stream.kinds.push_back(Kind::kExpiry);
    }
    replies += Queue(std::move(stream));
  }
  lane.streams.clear();
  connection_.Send(replies);
  return Committed::kUnderWay;
}

size_t RedisWriter::Queue(Transaction transaction) {
  const bool bare = transaction.purpose == Transaction::Purpose::kInfo ||
                    transaction.purpose == Transaction::Purpose::kSessions;
  std::string& output = connection_.output();
  if (!bare) AppendCommand(output, {"MULTI"});
  output += transaction.commands;
  if (!bare) AppendCommand(output, {"EXEC"});
  const size_t replies = transaction.Replies();
  under_way_.push_back(std::move(transaction));
  return replies;
}

void RedisWriter::OnRedisConnected() {
  metrics_.Add(Metric::kRedisConnects);
  for (Lane& lane : lanes_) lane.facts.Clear();
  Transaction info = NewTransaction(Transaction::Purpose::kInfo, 0);
  AppendCommand(info.commands, {"INFO", "persistence"});
  connection_.Send(Queue(std::move(info)));
  SendClaim();
}

void RedisWriter::SendClaim() {
  claim_due_ = loop_.now() + (up_ ? kClaimEvery : kClaimTakenEvery);
  Transaction claim = NewTransaction(Transaction::Purpose::kClaim, 0);
  const EdgeClaim mine{identity_.instance, identity_.workers, clock_.WallNow()};
  AppendCommand(claim.commands, {"HSETNX", kEdgesKey, identity_.edge, ToText(mine)});
  AppendCommand(claim.commands, {"HGET", kEdgesKey, identity_.edge});
  AppendCommand(claim.commands, {"PEXPIRE", kEdgesKey, std::to_string(kEdgesLifetime.count())});
  claim.kinds.assign(3, Kind::kExpiry);
  connection_.Send(Queue(std::move(claim)));
}

void RedisWriter::OnRedisReply(const RedisReply& reply) {
  CHECK(!under_way_.empty());
  Transaction& front = under_way_.front();
  if (reply.IsError() && front.purpose != Transaction::Purpose::kInfo) return Lose(CleanError(reply.text));
  ++front.replies_seen;
  if (front.purpose == Transaction::Purpose::kSessions && front.replies_seen % kSessionReplies == 0) {
    for (const RedisReply& one : reply.elements) CountRefusal(one);
  }
  if (front.replies_seen < front.Replies()) return;
  Transaction done = std::move(front);
  under_way_.pop_front();
  if (done.purpose == Transaction::Purpose::kInfo) {
    OnInfoReply(reply);
    return Finish(std::move(done));
  }
  if (done.purpose == Transaction::Purpose::kSessions) return Finish(std::move(done));
  if (reply.elements.size() != done.kinds.size()) return Lose("an answer to a transaction of another size");
  switch (done.purpose) {
    case Transaction::Purpose::kClaim:
      OnClaimReply(reply);
      break;
    case Transaction::Purpose::kClaimed:
      claim_due_ = loop_.now() + kClaimEvery;
      if (!up_) {
        SetState("ok", true);
        handler_.OnWriterReady();
      }
      break;
    case Transaction::Purpose::kStream:
      OnStreamReply(done, reply);
      break;
    case Transaction::Purpose::kSessions:
    case Transaction::Purpose::kInfo:
      break;
  }
  Finish(std::move(done));
}

void RedisWriter::OnInfoReply(const RedisReply& reply) {
  const bool knows = reply.type == RedisReply::Type::kString;
  // Without an append-only file nothing is gained by waiting; if we may not know, we wait.
  const bool no_file = knows && reply.text.find("aof_enabled:0") != std::string_view::npos;
  durable_after_ = no_file ? 0ms : kEverySecondLag;
}

void RedisWriter::OnClaimReply(const RedisReply& reply) {
  EdgeClaim claim;
  const EdgeClaim mine{identity_.instance, identity_.workers, clock_.WallNow()};
  const bool readable = ParseEdgeClaim(reply.elements[1].text, &claim);
  const bool stale = readable && claim.seen + kEdgesLifetime < mine.seen;
  if (readable && !stale && claim.instance != mine.instance) {
    claim_due_ = loop_.now() + kClaimTakenEvery;
    const bool was_up = up_;
    SetState(
        fmt::format("edge_name_taken: another instance writes as edge \"{0}\"; give this one another [edge] "
                    "name or, if the other is gone for good, remove its claim: redis-cli HDEL {1} {0}",
                    identity_.edge, kEdgesKey),
        false);
    if (was_up) Lose(state_);
    return;
  }
  Transaction claimed = NewTransaction(Transaction::Purpose::kClaimed, 0);
  const EdgeClaim now{mine.instance,
                      readable && !stale ? std::max(claim.workers, mine.workers) : mine.workers, mine.seen};
  AppendCommand(claimed.commands, {"HSET", kEdgesKey, identity_.edge, ToText(now)});
  AppendCommand(claimed.commands, {"PEXPIRE", kEdgesKey, std::to_string(kEdgesLifetime.count())});
  claimed.kinds.assign(2, Kind::kExpiry);
  connection_.Send(Queue(std::move(claimed)));
}

void RedisWriter::OnStreamReply(const Transaction& transaction, const RedisReply& reply) {
  BatchTally& tally = lanes_[transaction.lane].tally;
  for (size_t i = 0; i < transaction.kinds.size(); ++i) {
    const RedisReply& one = reply.elements[i];
    const bool replayed = one.IsError() && IsReplay(one);
    if (!replayed) CountRefusal(one);
    switch (transaction.kinds[i]) {
      case Kind::kVisit:
        if (!one.IsError() || replayed) ++tally.visits_stored;
        if (replayed) ++tally.visits_replayed;
        if (one.IsError() && !replayed) ++tally.visits_refused;
        break;
      case Kind::kClosing:
        if (one.type == RedisReply::Type::kString || replayed) {
          ++tally.closings_stored;
        } else {
          ++tally.closings_dropped;
        }
        break;
      case Kind::kExpiry:
        break;
    }
  }
}

void RedisWriter::CountRefusal(const RedisReply& reply) {
  if (!reply.IsError()) return;
  metrics_.Add(Metric::kRedisErrors);
  base::LogError("redis", "a record was refused: {}", CleanError(reply.text));
}

void RedisWriter::Finish(Transaction transaction) {
  const bool last = transaction.last_of_batch;
  const size_t index = transaction.lane;
  if (spare_.size() < lanes_.size() * 2 + 2) spare_.push_back(std::move(transaction));
  if (!last) return;
  Lane& lane = lanes_[index];
  lane.under_way = false;
  back_off_ = kLeastBackOff;
  handler_.OnBatchStored(index, std::exchange(lane.tally, BatchTally()));
}

void RedisWriter::Lose(std::string reason) {
  metrics_.Add(Metric::kRedisErrors);
  connection_.Close();
  OnRedisClosed(reason);
}

void RedisWriter::OnRedisClosed(const std::string& reason) {
  metrics_.Add(Metric::kRedisConnectsFailed, up_ ? 0 : 1);
  for (size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    lane.under_way = false;
    lane.records = 0;
    lane.visits_minute = 0;
    lane.tally = BatchTally();
    lane.streams.clear();
    lane.sessions = NewTransaction(Transaction::Purpose::kSessions, i);
    lane.facts.Clear();
  }
  under_way_.clear();
  SetState(CleanError(reason), false);
  // Full jitter over the upper half: many edges must not come back as one.
  const auto half = back_off_.count() / 2;
  const std::chrono::milliseconds wait(half +
                                       static_cast<int64_t>(random_() % static_cast<uint64_t>(half + 1)));
  back_off_ = std::min(back_off_ * 2, kMostBackOff);
  retry_.Arm(loop_.timers(), loop_.now() + wait);
  handler_.OnWriterLost();
}

void RedisWriter::SetState(std::string state, bool up) {
  if (state != state_ && state != "connecting") {
    if (up) {
      base::LogInfo("redis", "{}: connected", RedisName(config_.redis));
    } else {
      base::LogWarning("redis", "{}: {}; visits wait in the journal", RedisName(config_.redis), state);
    }
  }
  state_ = std::move(state);
  up_ = up;
  metrics_.Set(Metric::kRedisUp, up ? 1 : 0);
  handler_.OnWriterStateChanged();
}

}  // namespace gatebook::logger
