#include "logger/redis_node.h"

#include <utility>

#include "base/check.h"
#include "logger/redis_command.h"

namespace gatebook::logger {

RedisNode::RedisNode(net::Loop& loop, const config::Redis& config, config::Endpoint server, RedisWatch watch,
                     Handler& handler)
    : server_(std::move(server)),
      watch_(std::move(watch)),
      handler_(handler),
      connection_(loop, config, *this) {}

void RedisNode::Connect() {
  CHECK(!open_);
  open_ = true;
  connection_.Connect(server_);
}

void RedisNode::Close() {
  open_ = false;
  connection_.Close();
  under_way_.clear();
  replies_ = 0;
}

void RedisNode::Queue(RedisTransaction transaction) {
  CHECK(open_);
  if (IsReady()) Append(transaction);
  under_way_.push_back(std::move(transaction));
}

void RedisNode::Append(const RedisTransaction& transaction) {
  std::string& output = connection_.output();
  // Redis remembers it through a MULTI, up to the EXEC.
  if (transaction.asking) AppendCommand(output, {"ASKING"});
  if (transaction.IsWrapped()) AppendCommand(output, {"MULTI"});
  output += transaction.commands;
  if (transaction.IsWrapped()) AppendCommand(output, {"EXEC"});
  replies_ += transaction.Replies() + (transaction.asking ? 1 : 0);
}

void RedisNode::Send() {
  if (replies_ != 0 && IsReady()) connection_.Send(std::exchange(replies_, 0));
}

RedisTransaction RedisNode::TakeFront() {
  RedisTransaction front = std::move(under_way_.front());
  under_way_.pop_front();
  return front;
}

void RedisNode::OnRedisConnected() {
  for (const RedisTransaction& transaction : under_way_) Append(transaction);
  handler_.OnNodeConnected(*this);
  Send();
}

void RedisNode::OnRedisReadable() {
  while (const RedisReply* reply = connection_.Receive()) {
    CHECK(!under_way_.empty());
    if (std::exchange(front().asking, false) && !reply->IsError()) continue;  // ASKING's own answer
    ++front().replies_seen;
    handler_.OnNodeReply(*this, *reply);
  }
}

void RedisNode::OnRedisClosed(const RedisFailure& failure) { handler_.OnNodeClosed(*this, failure); }

}  // namespace gatebook::logger
