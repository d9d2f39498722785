#include "logger/redis_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "logger/redis_command.h"
#include "logger/redis_login.h"

namespace gatebook::logger {
namespace {

using base::Metric;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kLeastBackOff = 100ms;
constexpr std::chrono::milliseconds kMostBackOff = 5s;
constexpr auto kClaimEvery = 1h;
constexpr auto kClaimTakenEvery = 30s;

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
      nodes_(
          loop, config.redis, metrics,
          [this] { return RedisWatch(config_.redis, metrics_, identity_.edge, identity_.instance); }, *this),
      durability_(nodes_.nodes()),
      back_off_(kLeastBackOff),
      random_(std::random_device()()) {
  lanes_.reserve(lanes);
  for (size_t i = 0; i < lanes; ++i) {
    lanes_.push_back({RedisComposer(config, clock, identity_.edge, i, batch_size_, place_of_), 0, {}, {}});
  }
  retry_.SetCallback([this] { nodes_.Open(); });
  look_.SetCallback([this] { Look(); });
}

void RedisWriter::Start() {
  SetState("connecting", false);
  nodes_.Open();
}

void RedisWriter::Housekeep() {
  if (!nodes_.IsReady()) return;
  if (loop_.now() >= claim_due_) SendClaim();
  Look();
}

void RedisWriter::WatchDurability() {
  if (up_ && !look_.IsArmed()) look_.Arm(loop_.timers(), looked_ + durability_.next_look());
}

void RedisWriter::Look() {
  if (!nodes_.IsReady()) return;
  const uint64_t looks = durability_.looks();
  bool any = false;
  for (const auto& node : nodes_.nodes()) {
    if (!node->IsReady()) continue;
    RedisTransaction look;
    look.Begin(Purpose::kWatch, 0);
    // Where our claim is not to be found, in a Cluster, the node says so, and that is well.
    look.bare =
        node->watch().AppendLook(look.commands, up_ && nodes_.IsAt(*node, kEdgesKey), looks, loop_.now());
    if (look.bare == 0) continue;
    node->Queue(std::move(look));
    any = true;
  }
  if (!any) return;
  durability_.CountLook();
  looked_ = loop_.now();
  nodes_.Send();
}

void RedisWriter::AskToSave() {
  if (!nodes_.IsReady()) return;
  for (const auto& node : nodes_.nodes()) {
    if (!node->IsReady() || !node->watch().durability().WaitsForSave()) continue;
    RedisTransaction save;
    save.Begin(Purpose::kWatch, 0);
    save.bare = node->watch().AppendSave(save.commands, loop_.now());
    if (save.bare != 0) node->Queue(std::move(save));
  }
  nodes_.Send();
}

bool RedisWriter::Add(size_t lane, const VisitId& id, const Visit& visit, const Name& name) {
  CHECK(CanBegin(lane));
  return lanes_[lane].composer.Add(id, visit, name);
}

bool RedisWriter::Add(size_t lane, const VisitId& id, const Closing& closing) {
  CHECK(CanBegin(lane));
  return lanes_[lane].composer.Add(id, closing);
}

bool RedisWriter::PassOver(size_t lane) {
  CHECK(CanBegin(lane));
  return lanes_[lane].composer.PassOver();
}

void RedisWriter::ForgetFacts() {
  for (Lane& lane : lanes_) lane.composer.ForgetFacts();
}

RedisWriter::Committed RedisWriter::Commit(size_t index, BatchTally* tally) {
  Lane& lane = lanes_[index];
  if (lane.composer.IsEmpty()) return Committed::kNothing;
  RedisBatch batch = lane.composer.Take();
  if (lane.under_way != 0) {
    lane.ready = std::move(batch);
    return Committed::kUnderWay;
  }
  if (batch.transactions.empty()) {
    *tally = batch.tally;
    return Committed::kDone;
  }
  SendBatch(lane, std::move(batch));
  return Committed::kUnderWay;
}

void RedisWriter::SendBatch(Lane& lane, RedisBatch batch) {
  lane.under_way = batch.transactions.size();
  lane.tally = batch.tally;
  for (RedisTransaction& transaction : batch.transactions) nodes_.Queue(std::move(transaction));
  nodes_.Send();
}

void RedisWriter::OnNodesConnected() {
  Look();
  SendClaim();
}

void RedisWriter::SendClaim() {
  claim_due_ = loop_.now() + (up_ ? kClaimEvery : kClaimTakenEvery);
  RedisTransaction claim;
  claim.Begin(Purpose::kClaim, 0);
  const EdgeClaim mine{identity_.instance, identity_.workers, clock_.WallNow()};
  AppendCommand(claim.commands, {"HSETNX", kEdgesKey, identity_.edge, ToText(mine)});
  AppendCommand(claim.commands, {"HGET", kEdgesKey, identity_.edge});
  AppendCommand(claim.commands, {"PEXPIRE", kEdgesKey, std::to_string(kEdgesLifetime.count())});
  claim.kinds.assign(3, RedisTransaction::Kind::kExpiry);
  claim.slot = SlotOf(kEdgesKey);
  nodes_.Queue(std::move(claim));
  nodes_.Send();
}

void RedisWriter::OnNodesReply(RedisNode& node, RedisTransaction& transaction, const RedisReply& reply,
                               bool last) {
  if (transaction.purpose == Purpose::kWatch) {
    if (last) node.TakeFront();
    return OnWatchReply(node, reply);
  }
  if (reply.IsError()) return Lose(RedisFailure::OfReply(reply.text));
  if (last) OnDone(node.TakeFront(), reply);
}

void RedisWriter::OnDone(RedisTransaction done, const RedisReply& reply) {
  if (reply.elements.size() != done.kinds.size()) {
    return Lose({RedisTrouble::kProtocol, "an answer to a transaction of another size"});
  }
  switch (done.purpose) {
    case Purpose::kClaim:
      OnClaimReply(reply);
      break;
    case Purpose::kClaimed:
      claim_due_ = loop_.now() + kClaimEvery;
      if (!up_) {
        SetState("ok", true);
        handler_.OnWriterReady();
      }
      break;
    case Purpose::kStream:
      if (!OnStreamReply(done, reply)) {
        if (done.known_deadline <= clock_.WallNow())
          return Lose({RedisTrouble::kDataLost, "a stream's time was over while it was written"});
        return LoseData("a stream is gone: Redis was flushed, or its data replaced");
      }
      break;
    case Purpose::kIndex:
      for (const RedisReply& one : reply.elements) CountRefusal(one);
      break;
    case Purpose::kWatch:
      break;
  }
  Finish(std::move(done));
}

void RedisWriter::OnWatchReply(RedisNode& node, const RedisReply& reply) {
  switch (node.watch().OnReply(reply, loop_.now())) {
    case RedisWatch::Answer::kMore:
      return;
    case RedisWatch::Answer::kLookDone:
      metrics_.Set(Metric::kRedisWithoutDisk, durability_.KeepsNothing() ? 1 : 0);
      return handler_.OnWriterLooked();
    case RedisWatch::Answer::kDataLost:
      return LoseData(node.watch().why_lost());
  }
}

void RedisWriter::LoseData(const std::string& why) {
  metrics_.Add(Metric::kRedisDataLost);
  Lose({RedisTrouble::kDataLost, why});
}

void RedisWriter::OnClaimReply(const RedisReply& reply) {
  EdgeClaim claim;
  const EdgeClaim mine{identity_.instance, identity_.workers, clock_.WallNow()};
  const bool readable = ParseEdgeClaim(reply.elements[1].text, &claim);
  const bool stale = readable && claim.seen + kEdgesLifetime < mine.seen;
  if (readable && !stale && claim.instance != mine.instance) {
    claim_due_ = loop_.now() + kClaimTakenEvery;
    const RedisFailure taken(
        RedisTrouble::kEdgeNameTaken,
        fmt::format("another instance writes as edge \"{0}\"; its claim goes with redis-cli HDEL {1} {0}",
                    identity_.edge, kEdgesKey));
    if (up_) return Lose(taken);
    metrics_.Add(InfoOf(taken.trouble).metric);
    return SetState(taken.ToText(), false);
  }
  RedisTransaction claimed;
  claimed.Begin(Purpose::kClaimed, 0);
  const EdgeClaim now{mine.instance,
                      readable && !stale ? std::max(claim.workers, mine.workers) : mine.workers, mine.seen};
  AppendCommand(claimed.commands, {"HSET", kEdgesKey, identity_.edge, ToText(now)});
  AppendCommand(claimed.commands, {"PEXPIRE", kEdgesKey, std::to_string(kEdgesLifetime.count())});
  claimed.kinds.assign(2, RedisTransaction::Kind::kExpiry);
  claimed.slot = SlotOf(kEdgesKey);
  nodes_.Queue(std::move(claimed));
  nodes_.Send();
}

bool RedisWriter::OnStreamReply(const RedisTransaction& transaction, const RedisReply& reply) {
  BatchTally& tally = lanes_[transaction.lane].tally;
  for (size_t i = 0; i < transaction.kinds.size(); ++i) {
    const RedisReply& one = reply.elements[i];
    const bool replayed = one.IsError() && IsReplay(one);
    if (!replayed) CountRefusal(one);
    switch (transaction.kinds[i]) {
      case RedisTransaction::Kind::kVisit:
        if (one.type == RedisReply::Type::kNil) return false;
        if (!one.IsError() || replayed) ++tally.visits_stored;
        if (replayed) ++tally.visits_replayed;
        if (one.IsError() && !replayed) ++tally.visits_refused;
        break;
      case RedisTransaction::Kind::kClosing:
        if (one.type == RedisReply::Type::kString || replayed) {
          ++tally.closings_stored;
        } else {
          ++tally.closings_dropped;
        }
        break;
      case RedisTransaction::Kind::kIndex:
      case RedisTransaction::Kind::kExpiry:
        break;
    }
  }
  if (tally.visits_refused != 0) lanes_[transaction.lane].composer.ForgetStreams();
  return true;
}

void RedisWriter::CountRefusal(const RedisReply& reply) {
  if (!reply.IsError()) return;
  metrics_.Add(Metric::kRedisErrors);
  base::LogError("redis", "a record was refused: {}", RedisFailure::OfReply(reply.text).detail);
}

void RedisWriter::Finish(RedisTransaction transaction) {
  const bool is_batch = transaction.purpose == Purpose::kStream || transaction.purpose == Purpose::kIndex;
  const size_t index = transaction.lane;
  Lane& lane = lanes_[index];
  lane.composer.GiveBack(std::move(transaction));
  if (!is_batch || --lane.under_way != 0) return;
  back_off_ = kLeastBackOff;
  const BatchTally tally = std::exchange(lane.tally, BatchTally());
  std::optional<RedisBatch> next = std::exchange(lane.ready, std::nullopt);
  const bool is_sent = next && !next->transactions.empty();
  const BatchTally next_tally = next ? next->tally : BatchTally();
  if (is_sent) SendBatch(lane, *std::move(next));  // before anything else: Redis waits for it
  if (next && !is_sent) {
    handler_.OnBatchStored(index, tally);
    return handler_.OnBatchStored(index, next_tally);
  }
  handler_.OnBatchStored(index, tally);
}

void RedisWriter::Lose(const RedisFailure& failure) {
  metrics_.Add(Metric::kRedisErrors);
  nodes_.Close();
  OnNodesLost(failure);
}

void RedisWriter::OnNodesLost(const RedisFailure& failure) {
  metrics_.Add(InfoOf(failure.trouble).metric);
  metrics_.Add(Metric::kRedisConnectsFailed, up_ ? 0 : 1);
  for (Lane& lane : lanes_) {
    lane.under_way = 0;
    lane.tally = BatchTally();
    lane.ready.reset();
    lane.composer.Reset();
  }
  look_.Cancel();
  SetState(failure.ToText(), false);
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
