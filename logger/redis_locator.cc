#include "logger/redis_locator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "logger/redis_command.h"

namespace gatebook::logger {
namespace {

// A map of a Cluster of hundreds of nodes.
constexpr size_t kMostReplyBytes = 8 << 20;

}  // namespace

RedisLocator::RedisLocator(net::Loop& loop, const config::Redis& config, Handler& handler)
    : config_(config),
      handler_(handler),
      connection_(loop, config, *this,
                  {.role = config.sentinels.empty() ? RedisRole::kServer : RedisRole::kSentinel,
                   .most_reply_bytes = kMostReplyBytes}),
      at_once_(loop, [this] {
        if (!std::exchange(looking_, false)) return;
        handler_.OnRedisLocated(RedisSlots(config_.server));
      }) {}

void RedisLocator::Begin(const std::vector<config::Endpoint>& known) {
  CHECK(!looking_);
  looking_ = true;
  candidates_.clear();
  next_ = 0;
  if (!config_.sentinels.empty()) {
    candidates_ = config_.sentinels;
  } else if (config_.cluster) {
    candidates_ = known;
    candidates_.push_back(config_.server);
    candidates_.insert(candidates_.end(), config_.nodes.begin(), config_.nodes.end());
  } else {
    return at_once_.Arm();
  }
  const auto last = std::find(candidates_.begin(), candidates_.end(), answered_last_);
  if (last != candidates_.end()) std::rotate(candidates_.begin(), last, candidates_.end());
  AskNext();
}

void RedisLocator::Cancel() {
  looking_ = false;
  connection_.Close();
}

void RedisLocator::AskNext() {
  asked_ = candidates_[next_++];
  connection_.Connect(asked_);
}

void RedisLocator::OnRedisConnected() {
  if (config_.cluster) {
    AppendCommand(connection_.output(), {"CLUSTER", "SLOTS"});
  } else {
    AppendCommand(connection_.output(), {"SENTINEL", "get-master-addr-by-name", config_.sentinel_master});
  }
  connection_.Send(1);
}

void RedisLocator::OnRedisReadable() {
  const RedisReply* reply = connection_.Receive();
  if (reply == nullptr) return;
  auto found = Read(*reply);
  const RedisTrouble trouble = reply->IsError() ? TroubleOfReply(reply->text) : RedisTrouble::kOther;
  connection_.Close();
  if (!found) return Pass({trouble, found.error().message});
  looking_ = false;
  answered_last_ = asked_;
  handler_.OnRedisLocated(std::move(*found));
}

base::Result<RedisSlots> RedisLocator::Read(const RedisReply& reply) const {
  if (reply.IsError()) return base::Error{std::string(reply.text)};
  if (config_.cluster) {
    auto slots = RedisSlots::Parse(reply, asked_);
    if (slots.ok() && slots->servers().empty()) return base::Error{"the Cluster has no slots yet"};
    return slots;
  }
  if (reply.elements.size() != 2) return base::Error{"no master is known as " + config_.sentinel_master};
  const auto server = ServerAt(reply.elements[0].text, reply.elements[1].text);
  if (!server) return base::Error{"an address of the master that is none"};
  return RedisSlots(*server);
}

void RedisLocator::OnRedisClosed(const RedisFailure& failure) { Pass(failure); }

void RedisLocator::Pass(const RedisFailure& failure) {
  if (next_ < candidates_.size()) return AskNext();
  looking_ = false;
  const std::string detail = fmt::format("{}: {}", ToText(asked_), failure.detail);
  handler_.OnRedisNotLocated({config_.cluster ? failure.trouble : RedisTrouble::kSentinel, detail});
}

}  // namespace gatebook::logger
