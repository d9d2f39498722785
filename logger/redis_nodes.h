// RedisNodes: all the servers that hold our keys: the one there is, the master that sentinels name, or the
// masters of a Cluster.
//
// A transaction goes to the master of its slot. A Cluster may say that it is elsewhere: -MOVED for good, -ASK
// for this time; it is then sent on as a whole, for all its commands are of one key and none was carried
// out. Everything else that goes wrong at any node is one failure of all: what is under way is void, and it
// begins anew with finding out who serves. The caller sends it all again, and Redis refuses what it has.
//
// Nodes that hold no slot any more are let go when the map is next read.
//
// Thread: the loop's. Owns: the connections. Borrows: loop, config, metrics, handler.
// Ends: destroying drops what is under way. Limits: a transaction is sent on 16 times at most; the map of a
//   Cluster is read once a second at most.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "config/config.h"
#include "logger/redis_batch.h"
#include "logger/redis_locator.h"
#include "logger/redis_node.h"
#include "logger/redis_slots.h"
#include "net/loop.h"

namespace gatebook::logger {

class RedisNodes final : private RedisLocator::Handler, private RedisNode::Handler {
 public:
  class Handler {
   public:
    // Every master is connected.
    virtual void OnNodesConnected() = 0;
    // A reply to `transaction`, none of the Cluster's own. `last`: the transaction is done, and may be
    // taken away.
    virtual void OnNodesReply(RedisNode& node, RedisTransaction& transaction, const RedisReply& reply,
                              bool last) = 0;
    // All are closed.
    virtual void OnNodesLost(const RedisFailure& failure) = 0;

   protected:
    ~Handler() = default;
  };
  using MakeWatch = std::function<RedisWatch()>;

  RedisNodes(net::Loop& loop, const config::Redis& config, base::MetricsBlock& metrics, MakeWatch make_watch,
             Handler& handler);

  // Requires: closed. Finds and connects; never calls back before it returned.
  void Open();
  // Without a callback.
  void Close();
  bool IsReady() const { return ready_; }

  // Requires: IsReady().
  void Queue(RedisTransaction transaction);
  void Send();
  // Whether the key's slot is that node's.
  bool IsAt(const RedisNode& node, std::string_view key) const;
  const std::vector<std::unique_ptr<RedisNode>>& nodes() const { return nodes_; }

 private:
  void OnRedisLocated(RedisSlots slots) override;
  void OnRedisNotLocated(const RedisFailure& failure) override;
  void OnNodeConnected(RedisNode& node) override;
  void OnNodeReply(RedisNode& node, const RedisReply& reply) override;
  void OnNodeClosed(RedisNode& node, const RedisFailure& failure) override;

  RedisNode& NodeAt(const config::Endpoint& server);
  void Redirect(RedisTransaction transaction);
  void ReadMapAgain();
  void Lose(const RedisFailure& failure);

  net::Loop& loop_;
  const config::Redis& config_;
  base::MetricsBlock& metrics_;
  const MakeWatch make_watch_;
  Handler& handler_;
  RedisLocator locator_;
  RedisSlots slots_;
  std::vector<std::unique_ptr<RedisNode>> nodes_;
  bool ready_ = false;
  net::Timer read_map_;
  base::SteadyTime map_read_{};
};

}  // namespace gatebook::logger
