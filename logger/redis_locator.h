// RedisLocator: finds out which server serves, before anyone connects to it.
//
// A single server is the one in the configuration. Sentinels are asked in turn for the address of
// the master; nodes of a Cluster in turn for the map of its slots. Who answered last is asked first.
//
// Thread: the loop's. Owns: one connection, while it asks. Borrows: loop, config, handler.
// Ends: destroying cancels; not inside its own callback.
// Limits: connect_timeout and reply_timeout for each that is asked.
#pragma once

#include <vector>

#include "config/config.h"
#include "logger/redis_connection.h"
#include "logger/redis_slots.h"
#include "net/next_turn.h"

namespace gatebook::logger {

class RedisLocator final : private RedisConnection::Handler {
 public:
  class Handler {
   public:
    // One of the two follows a Begin(), never before that has returned; Begin() may be called again from
    // them.
    virtual void OnRedisLocated(RedisSlots slots) = 0;
    // Nobody who was asked knows it.
    virtual void OnRedisNotLocated(const RedisFailure& failure) = 0;

   protected:
    ~Handler() = default;
  };

  RedisLocator(net::Loop& loop, const config::Redis& config, Handler& handler);

  // Requires: not looking. `known`: nodes of the Cluster that may be asked besides those configured.
  void Begin(const std::vector<config::Endpoint>& known = {});
  void Cancel();
  bool IsLooking() const { return looking_; }

 private:
  void OnRedisConnected() override;
  void OnRedisReadable() override;
  void OnRedisClosed(const RedisFailure& failure) override;
  // The answer, or why it is none.
  base::Result<RedisSlots> Read(const RedisReply& reply) const;
  void AskNext();
  void Pass(const RedisFailure& failure);

  const config::Redis& config_;
  Handler& handler_;
  RedisConnection connection_;
  net::NextTurn at_once_;  // a single server: nobody is asked
  std::vector<config::Endpoint> candidates_;
  size_t next_ = 0;
  config::Endpoint asked_;
  config::Endpoint answered_last_;
  bool looking_ = false;
};

}  // namespace gatebook::logger
