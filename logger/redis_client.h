// RedisClient: a connection to Redis that is waited for: for the commands, and for tests.
//
// Thread: one, which it blocks. Owns: the socket. Ends: destroying closes.
// Limits: connect_timeout and reply_timeout of the config; 64 MiB a reply.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "config/config.h"
#include "logger/redis_reply.h"

namespace gatebook::logger {

class RedisClient {
 public:
  // Connects and greets. Errors name the server and carry ExitCode::kUnavailable.
  static base::Result<std::unique_ptr<RedisClient>> Connect(const config::Redis& config);

  // One command and its reply, valid until the next Receive() or Command(). An error
  // reply is a reply here; an Error is a broken connection, after which nothing works.
  base::Result<const RedisReply*> Command(std::initializer_list<std::string_view> words);

  // Pipelining: as many Receive() as Append().
  void Append(std::initializer_list<std::string_view> words);
  base::Result<const RedisReply*> Receive();

 private:
  RedisClient(const config::Redis& config, base::UniqueFd fd);
  base::Status Greet(const config::Redis& config);
  base::Status Flush();
  base::Status Await(short events, std::chrono::steady_clock::time_point deadline);
  base::Error Broken(std::string_view what) const;

  const std::string name_;
  const std::chrono::milliseconds reply_timeout_;
  base::UniqueFd fd_;
  std::string output_;
  RedisReader reader_;
};

}  // namespace gatebook::logger
