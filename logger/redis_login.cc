#include "logger/redis_login.h"

#include <fmt/format.h>

#include <fstream>

#include "logger/redis_command.h"

namespace gatebook::logger {
namespace {

constexpr size_t kMostPassword = 512;

base::Result<std::string> ReadPassword(const std::string& path) {
  std::string password;
  if (path.empty()) return password;
  std::ifstream file(path);
  if (!file || !std::getline(file, password)) return base::Error{"cannot read " + path};
  if (!password.empty() && password.back() == '\r') password.pop_back();
  if (password.empty() || password.size() > kMostPassword) return base::Error{path + " holds no password"};
  return password;
}

}  // namespace

base::Result<RedisLogin> RedisLogin::Make(const config::Redis& config, RedisRole role) {
  const bool server = role == RedisRole::kServer;
  auto password = ReadPassword(server ? config.password_file : config.sentinel_password_file);
  if (!password) return password.error();
  RedisLogin login;
  login.password_ = std::move(*password);
  login.user_ = server ? config.user : config.sentinel_user;
  if (server) login.database_ = config.database;
  login.must_be_master_ = server && !config.sentinels.empty();
  return login;
}

size_t RedisLogin::Append(std::string& to) const {
  size_t replies = 1;
  if (!password_.empty()) {
    if (user_.empty()) {
      AppendCommand(to, {"AUTH", password_});
    } else {
      AppendCommand(to, {"AUTH", user_, password_});
    }
    ++replies;
  }
  if (database_ != 0) {
    AppendCommand(to, {"SELECT", std::to_string(database_)});
    ++replies;
  }
  AppendCommand(to, {"PING"});
  if (must_be_master_) {
    AppendCommand(to, {"ROLE"});
    ++replies;
  }
  return replies;
}

bool RedisLogin::IsWell(const RedisReply& reply, RedisFailure* failure) {
  // Redis refuses PING, too, while it can't write to its disk; what it has can still be read.
  if (reply.IsError() && TroubleOfReply(reply.text) != RedisTrouble::kMisconf) {
    *failure = RedisFailure::OfReply(reply.text);
    return false;
  }
  // Only ROLE is answered with an array.
  const bool replica = reply.type == RedisReply::Type::kArray &&
                       (reply.elements.empty() || reply.elements[0].text != "master");
  if (replica)
    *failure = RedisFailure(RedisTrouble::kReadonly, "the sentinels named a server that is no master");
  return !replica;
}

std::string ToText(const config::Endpoint& server) {
  switch (server.kind) {
    case config::Endpoint::Kind::kUnix:
      return "unix:" + server.path;
    case config::Endpoint::Kind::kIp:
      return server.ip.IsV4() ? fmt::format("{}:{}", server.ip.ToText(), server.port)
                              : fmt::format("[{}]:{}", server.ip.ToText(), server.port);
    case config::Endpoint::Kind::kHostname:
      break;
  }
  return fmt::format("{}:{}", server.hostname, server.port);
}

std::string RedisName(const config::Redis& config) {
  if (config.server.kind == config::Endpoint::Kind::kUnix) return "unix://" + config.server.path;
  const char* scheme = config.tls ? "rediss" : "redis";
  if (!config.sentinels.empty()) return fmt::format("{}://{}", scheme, config.sentinel_master);
  return fmt::format("{}://{}", scheme, ToText(config.server));
}

}  // namespace gatebook::logger
