#include "tests/support/redis_server.h"

#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/wait.h"

namespace gatebook::support {

RedisServer::RedisServer(std::vector<std::string> arguments, std::vector<std::string> environment)
    : socket_(directory_.Path("redis.sock")),
      arguments_(std::move(arguments)),
      environment_(std::move(environment)) {
  Start();
}

config::Redis RedisServer::Config() const {
  config::Redis config;
  config.server.kind = config::Endpoint::Kind::kUnix;
  config.server.path = socket_;
  config.server.text = url();
  return config;
}

void RedisServer::Start() {
  std::vector<std::string> command = {"redis-server",    "--port", "0", "--unixsocket", socket_, "--dir",
                                      directory_.path(), "--save", "",  "--daemonize",  "no"};
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  process_ = std::make_unique<Process>(command, environment_);
  const bool up = WaitUntil([this] {
    // A server that wants a password, or is full, is up as well.
    const auto client = logger::RedisClient::Connect(Config());
    return client.ok() || client.error().message.find(" auth: ") != std::string::npos;
  });
  EXPECT_TRUE(up) << process_->Describe();
}

void RedisServer::Kill() {
  process_->Signal(SIGKILL);
  process_->WaitExit();
}

void RedisServer::Stop() {
  process_->Signal(SIGTERM);
  process_->WaitExit();
}

void RedisServer::Freeze() { process_->Signal(SIGSTOP); }
void RedisServer::Thaw() { process_->Signal(SIGCONT); }

std::string RedisServer::Ask(std::initializer_list<std::string_view> words) {
  auto client = logger::RedisClient::Connect(Config());
  if (!client) return "(unreachable) " + client.error().message;
  const auto reply = (*client)->Command(words);
  return reply ? ToText(**reply) : "(broken) " + reply.error().message;
}

std::string ToText(const logger::RedisReply& reply) {
  using Type = logger::RedisReply::Type;
  switch (reply.type) {
    case Type::kNil:
      return "(nil)";
    case Type::kInteger:
      return std::to_string(reply.integer);
    case Type::kError:
      return std::string("(error) ").append(reply.text);
    case Type::kStatus:
    case Type::kString:
      return std::string(reply.text);
    case Type::kArray:
      break;
  }
  std::string text;
  for (const logger::RedisReply& element : reply.elements) {
    if (!text.empty()) text.push_back('\n');
    text += ToText(element);
  }
  return text;
}

}  // namespace gatebook::support
