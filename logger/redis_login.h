// RedisLogin: what a connection says first: who we are, which database, and whether the server is ready.
//
// Thread: any.
#pragma once

#include <string>

#include "base/result.h"
#include "config/config.h"
#include "logger/redis_reply.h"
#include "logger/redis_trouble.h"

namespace gatebook::logger {

// Whom a connection leads to: a server that keeps our data, or a sentinel that knows one.
enum class RedisRole { kServer, kSentinel };

class RedisLogin {
 public:
  // Reads the first line of the password file, if one is configured: at every connect, so that a
  // changed password needs no restart.
  static base::Result<RedisLogin> Make(const config::Redis& config, RedisRole role);

  // Appends AUTH and SELECT as far as needed, a PING, which a server that is still loading, or wants a
  // password, refuses, and ROLE where sentinels named the server. How many replies will come.
  size_t Append(std::string& to) const;
  // Whether that reply, one of those, lets us in.
  static bool IsWell(const RedisReply& reply, RedisFailure* failure);

 private:
  std::string user_;
  std::string password_;
  uint32_t database_ = 0;
  bool must_be_master_ = false;
};

// "redis://127.0.0.1:6379", or who else is configured, for messages: never with a password.
std::string RedisName(const config::Redis& config);
// "127.0.0.1:6379", "[::1]:6379", "redis.internal:6379", "unix:/run/redis.sock".
std::string ToText(const config::Endpoint& server);

}  // namespace gatebook::logger
