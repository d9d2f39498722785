// RedisConnection: one connection to Redis on a loop, never waiting.
//
// Connects (of a host name's addresses to the next at each attempt), greets (AUTH,
// SELECT), then sends what stands in output() and hands
// over replies in the order of the commands. It knows nothing of what they mean.
//
// Thread: the loop's. Owns: the socket, both buffers, its timers.
// Ends: destroying closes without a callback; not inside one of its own callbacks.
// Limits: connect_timeout from Connect() to the end of the greeting,
//   reply_timeout between two replies while one is owed, 1 MiB a reply.
#pragma once

#include <memory>
#include <string>

#include "base/unique_fd.h"
#include "config/config.h"
#include "logger/redis_reply.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/socket_address.h"
#include "net/socket_event.h"

namespace gatebook::logger {

class RedisConnection final : private net::SocketEvent::Handler {
 public:
  class Handler {
   public:
    // Greeted; output() may be used.
    virtual void OnRedisConnected() = 0;
    virtual void OnRedisReply(const RedisReply& reply) = 0;
    // The connection is gone or never came about. Replies owed will not come.
    // `reason` is for an operator; Connect() may be called again, also from here.
    virtual void OnRedisClosed(const std::string& reason) = 0;

   protected:
    ~Handler() = default;
  };

  RedisConnection(net::Loop& loop, const config::Redis& config, Handler& handler);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // Requires: not connected nor connecting. Never calls back before it returned.
  void Connect();
  // Closes without a callback.
  void Close();
  bool IsReady() const { return state_ == State::kReady; }

  // Commands are appended here (logger/redis_command.h); Send() says how many
  // replies they will bring and writes what the socket takes.
  std::string& output() { return output_; }
  void Send(size_t replies);
  size_t replies_owed() const { return owed_; }

 private:
  enum class State { kIdle, kResolving, kConnecting, kGreeting, kReady };

  void OnReady(bool readable, bool writable) override;
  void Resolve();
  void Open(const net::SocketAddress& address);
  void Greet();
  bool Write();
  void Read();
  void OnGreetingReply(const RedisReply& reply);
  void Fail(std::string reason);
  void FailLater(std::string reason);

  net::Loop& loop_;
  const config::Redis& config_;
  Handler& handler_;
  State state_ = State::kIdle;
  uint64_t generation_ = 0;                  // of connections: what was begun for an old one is void
  std::unique_ptr<net::Resolver> resolver_;  // made when a host name is to be looked up
  std::unique_ptr<net::Resolver::Query> query_;
  size_t attempts_ = 0;
  base::UniqueFd fd_;
  net::SocketEvent event_;
  net::Timer deadline_;
  RedisReader reader_;
  std::string output_;
  size_t written_ = 0;  // of output_
  bool writable_ = false;
  size_t owed_ = 0;
  size_t greetings_ = 0;  // replies of the greeting still to come
};

}  // namespace gatebook::logger
