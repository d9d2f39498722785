// RedisConnection: one connection to a Redis server or a sentinel on a loop, never waiting, plain or TLS.
//
// Connects (to a host name's addresses in turn), greets (logger/redis_login.h), then sends what
// stands in output() and gives replies in the order of the commands, when they are taken. It knows
// nothing of what they mean.
//
// Passwords, certificates and keys are read at every connect, so that changed ones need no restart.
//
// Thread: the loop's. Owns: the stream, both buffers, its timers. Borrows: loop, config, handler.
// Ends: destroying closes without a callback; not inside one of its own callbacks.
// Limits: connect_timeout from Connect() to the end of the greeting; unless Options say otherwise,
//   reply_timeout between two replies while one is owed, and 1 MiB a reply.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "logger/redis_login.h"
#include "logger/redis_reply.h"
#include "net/loop.h"
#include "net/next_turn.h"
#include "net/resolver.h"
#include "net/socket_address.h"
#include "net/stream.h"
#include "tls/tls_client_context.h"

namespace gatebook::logger {

class RedisConnection final : private net::StreamHandler {
 public:
  class Handler {
   public:
    // Greeted; output() may be used.
    virtual void OnRedisConnected() = 0;
    // Receive() may give something.
    virtual void OnRedisReadable() = 0;
    // The connection is gone or never came about. Replies owed will not come. Connect() may be called
    // again, also from here.
    virtual void OnRedisClosed(const RedisFailure& failure) = 0;

   protected:
    ~Handler() = default;
  };

  struct Options {
    RedisRole role = RedisRole::kServer;
    size_t most_reply_bytes = 1 << 20;
    // False: the owner times replies; he may take them late.
    bool times_replies = true;
  };

  RedisConnection(net::Loop& loop, const config::Redis& config, Handler& handler, Options options);
  RedisConnection(net::Loop& loop, const config::Redis& config, Handler& handler)
      : RedisConnection(loop, config, handler, Options()) {}
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // Requires: not connected nor connecting. No function here calls back before it returned.
  void Connect(const config::Endpoint& server);
  // Closes without a callback.
  void Close();
  bool IsReady() const { return state_ == State::kReady; }

  // Commands are appended here (logger/redis_command.h); Send() says how many
  // replies they will bring and writes what the socket takes.
  std::string& output() { return output_; }
  void Send(size_t replies);
  size_t replies_owed() const { return owed_; }

  // The next reply, valid until the next call; null: none now, OnRedisReadable() or OnRedisClosed() follows.
  const RedisReply* Receive();

 private:
  enum class State { kIdle, kResolving, kConnecting, kGreeting, kReady, kBroken };

  void OnStreamReady() override;
  void OnStreamFailed() override;
  void Resolve();
  void Open();
  base::Status OpenStream(const net::SocketAddress& address);
  void Greet();
  void ReadGreeting();
  void Write();
  bool ReadMore();
  void DropStream();
  // Tells the owner of it in a later turn.
  void Break(RedisFailure failure);

  net::Loop& loop_;
  const config::Redis& config_;
  Handler& handler_;
  const Options options_;
  config::Endpoint server_;
  State state_ = State::kIdle;
  std::unique_ptr<net::Resolver> resolver_;  // made when a host name is to be looked up
  std::unique_ptr<net::Resolver::Query> query_;
  size_t attempts_ = 0;
  std::vector<net::SocketAddress> addresses_;
  size_t next_address_ = 0;
  std::shared_ptr<tls::TlsClientContext> tls_;
  std::unique_ptr<net::Stream> stream_;
  net::Timer deadline_;
  RedisReader reader_;
  std::string output_;
  size_t written_ = 0;  // of output_
  size_t owed_ = 0;
  size_t greetings_ = 0;  // replies of the greeting still to come
  bool heard_ = false;    // the server has said something
  RedisFailure failure_;
  net::NextTurn fail_;
};

}  // namespace gatebook::logger
