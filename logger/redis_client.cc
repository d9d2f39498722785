#include "logger/redis_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "logger/redis_command.h"

namespace gatebook::logger {
namespace {

constexpr size_t kMostReplyBytes = 64 << 20;
constexpr int kMostRedirects = 16;

}  // namespace

RedisClient::Node::Node(RedisClient& client, const config::Endpoint& at)
    : server(at),
      connection(client.loop_, client.config_, *this,
                 {.most_reply_bytes = kMostReplyBytes, .times_replies = false}) {
  connection.Connect(server);
}

RedisClient::RedisClient(const config::Redis& config)
    : config_(config), locator_(loop_, config_, *this), patience_([this] { out_of_patience_ = true; }) {}

RedisClient::~RedisClient() = default;

base::Result<std::unique_ptr<RedisClient>> RedisClient::Connect(const config::Redis& config) {
  std::unique_ptr<RedisClient> client(new RedisClient(config));
  if (auto opened = client->Open(); !opened) return opened.error();
  return client;
}

base::Status RedisClient::Open() {
  locator_.Begin();
  while (!located_ && !not_located_) loop_.RunOnce(true);
  if (not_located_) return Broken(not_located_->ToText());
  for (const config::Endpoint& server : slots_.servers()) {
    const Node& node = NodeOf(nodes_, server);
    while (!node.connected && !node.failure) loop_.RunOnce(true);
    if (node.failure) return Broken(node.failure->ToText());
  }
  return {};
}

void RedisClient::OnRedisLocated(RedisSlots slots) {
  slots_ = std::move(slots);
  located_ = true;
}

RedisClient::Node& RedisClient::NodeOf(std::vector<std::unique_ptr<Node>>& nodes,
                                       const config::Endpoint& server) {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const auto& node) { return node->server == server; });
  if (found != nodes.end()) return **found;
  loop_.RunOnce(false);  // its clock may have stood still while the caller was away
  return *nodes.emplace_back(std::make_unique<Node>(*this, server));
}

void RedisClient::Append(std::initializer_list<std::string_view> words) {
  Pending& pending = pending_.emplace_back(Pending{nullptr, {}});
  if (!config_.cluster) {
    pending.node = nodes_[0].get();
  } else {
    const auto master = slots_.Find(SlotOf(words.size() > 1 ? words.begin()[1] : std::string_view()));
    if (!master) return;
    pending.node = &NodeOf(nodes_, slots_.servers()[*master]);
    AppendCommand(pending.command, words);  // it may have to be sent again
  }
  AppendCommand(pending.node->output, words);
  ++pending.node->unsent;
}

base::Result<const RedisReply*> RedisClient::Command(std::initializer_list<std::string_view> words) {
  Append(words);
  return Receive();
}

base::Result<const RedisReply*> RedisClient::CommandAt(size_t master,
                                                       std::initializer_list<std::string_view> words) {
  CHECK(pending_.empty() && master < masters());
  Node& node = NodeOf(nodes_, slots_.servers()[master]);
  AppendCommand(node.output, words);
  ++node.unsent;
  return Await(node);
}

base::Result<const RedisReply*> RedisClient::Receive() {
  CHECK(!pending_.empty());
  const Pending pending = std::move(pending_.front());
  pending_.pop_front();
  if (pending.node == nullptr) return Broken("no node of the Cluster holds the slot of a key");
  for (const auto& node : nodes_) Send(*node);
  auto reply = Await(*pending.node);
  if (!config_.cluster || !reply.ok() || !(*reply)->IsError()) return reply;
  return Follow(**reply, pending, pending.node->server);
}

base::Result<const RedisReply*> RedisClient::Follow(const RedisReply& error, const Pending& command,
                                                    const config::Endpoint& from) {
  const RedisReply* reply = &error;
  config::Endpoint said = from;
  for (int i = 0; i < kMostRedirects && reply->IsError(); ++i) {
    const auto redirect = ParseRedirect(reply->text, said);
    if (!redirect) break;
    if (!redirect->ask) slots_.Move(redirect->slot, redirect->server);
    Node& node = NodeOf(detours_, redirect->server);
    if (redirect->ask) {
      AppendCommand(node.output, {"ASKING"});
      ++node.unsent;
      if (auto asking = Await(node); !asking) return asking;
    }
    node.output += command.command;
    ++node.unsent;
    auto answer = Await(node);
    if (!answer) return answer;
    reply = *answer;
    said = node.server;
  }
  return reply;
}

void RedisClient::Send(Node& node) {
  if (node.unsent == 0 || !node.connected || node.failure) return;
  node.connection.output() += node.output;
  node.output.clear();
  node.connection.Send(node.unsent);
  node.unsent = 0;
}

base::Result<const RedisReply*> RedisClient::Await(Node& node) {
  Send(node);
  if (const RedisReply* reply = node.connection.Receive()) return reply;
  out_of_patience_ = false;
  // Not from the turn's time: the caller may have been away for long.
  patience_.Arm(loop_.timers(), base::Clock::System().SteadyNow() + config_.reply_timeout);
  const RedisReply* reply = nullptr;
  while (!node.failure && !out_of_patience_ && reply == nullptr) {
    loop_.RunOnce(true);
    Send(node);
    reply = node.connection.Receive();
  }
  patience_.Cancel();
  if (reply != nullptr) return reply;
  if (node.failure) return Broken(node.failure->ToText());
  return Broken("no answer in time");
}

base::Error RedisClient::Broken(std::string_view what) const {
  return base::Error{fmt::format("Redis at {}: {}", RedisName(config_), what), base::ExitCode::kUnavailable};
}

}  // namespace gatebook::logger
