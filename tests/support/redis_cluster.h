// RedisCluster: a real Redis Cluster of three masters and three replicas on loopback.
//
// The nodes know each other and their slots from the start, by a file written for each, so that it is up in a
// second. A dead master is replaced by its replica after a second or two.
// Owns: six processes and their directories. Ends: kills them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"

namespace gatebook::support {

class RedisCluster {
 public:
  static constexpr size_t kMasters = 3;
  static constexpr size_t kNodes = 2 * kMasters;

  // `arguments`: for all nodes. Returns when it takes writes.
  explicit RedisCluster(std::vector<std::string> arguments = {});

  // 0 to 2: masters at the start; 3 to 5: the replicas of these.
  RedisServer& node(size_t i) { return *nodes_[i]; }
  std::string url() const { return "redis://" + address(0); }
  std::string address(size_t i) const { return "127.0.0.1:" + std::to_string(ports_[i]); }
  config::Redis Config() const;
  // The keys of [redis] besides url.
  std::string ConfigText() const;
  // Every node that lives says that all is well.
  bool WaitUntilWell();

  // Of the masters at the start, which holds the slot as it says itself.
  size_t MasterOf(uint16_t slot);
  // Moving a slot, step by step: both are told; its keys are moved, how many; all are told.
  void BeginMove(uint16_t slot, size_t from, size_t to);
  size_t MoveKeys(uint16_t slot, size_t from, size_t to);
  void EndMove(uint16_t slot, size_t from, size_t to);

 private:
  TempDirectory directory_;
  uint16_t ports_[kNodes];
  std::unique_ptr<RedisServer> nodes_[kNodes];
};

}  // namespace gatebook::support
