// RedisNode: one server that holds some of our keys: its connection, the transactions under way to it, and
// what is known of its disk.
//
// Thread: the loop's. Borrows: loop, config, metrics, handler. Ends: destroying closes without a callback;
// not inside one of its own callbacks. Limits: as of RedisConnection.
#pragma once

#include <deque>
#include <string>

#include "base/metrics.h"
#include "config/config.h"
#include "logger/redis_batch.h"
#include "logger/redis_connection.h"
#include "logger/redis_watch.h"
#include "net/loop.h"

namespace gatebook::logger {

class RedisNode final : private RedisConnection::Handler {
 public:
  class Handler {
   public:
    virtual void OnNodeConnected(RedisNode& node) = 0;
    // A reply to front(), valid until this returns.
    virtual void OnNodeReply(RedisNode& node, const RedisReply& reply) = 0;
    // The connection is gone, or never came about. To be followed by Close().
    virtual void OnNodeClosed(RedisNode& node, const RedisFailure& failure) = 0;

   protected:
    ~Handler() = default;
  };

  RedisNode(net::Loop& loop, const config::Redis& config, config::Endpoint server, RedisWatch watch,
            Handler& handler);

  const config::Endpoint& server() const { return server_; }
  RedisWatch& watch() { return watch_; }
  const RedisWatch& watch() const { return watch_; }

  // Requires: closed.
  void Connect();
  // What is under way is void.
  void Close();
  bool IsOpen() const { return open_; }
  bool IsReady() const { return connection_.IsReady(); }

  // Sends it with the next Send(), or, if it is not connected yet, when it is. Requires: IsOpen().
  void Queue(RedisTransaction transaction);
  void Send();
  bool IsIdle() const { return under_way_.empty(); }
  // The one whose replies come now. Requires: not IsIdle().
  RedisTransaction& front() { return under_way_.front(); }
  RedisTransaction TakeFront();

 private:
  void OnRedisConnected() override;
  void OnRedisReadable() override;
  void OnRedisClosed(const RedisFailure& failure) override;
  void Append(const RedisTransaction& transaction);

  const config::Endpoint server_;
  RedisWatch watch_;
  Handler& handler_;
  RedisConnection connection_;
  std::deque<RedisTransaction> under_way_;
  size_t replies_ = 0;  // of what is appended and not sent
  bool open_ = false;
};

}  // namespace gatebook::logger
