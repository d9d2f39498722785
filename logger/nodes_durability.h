// NodesDurability: RedisDurability of all nodes together: nothing is durable before every one of them says
// so.
//
// A batch may touch any of them, and looks at all are numbered alike; so one number tells of all.
// A slot that is moved from node to node is as safe meanwhile as Redis makes it: its new node may have a key
// for a second or two before its disk has it.
//
// Thread: the nodes'. Borrows: the nodes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "logger/redis_node.h"

namespace gatebook::logger {

class NodesDurability {
 public:
  explicit NodesDurability(const std::vector<std::unique_ptr<RedisNode>>& nodes) : nodes_(nodes) {}

  // Looks at all have this number now.
  void CountLook() { ++looks_; }

  // All as of RedisDurability.
  uint64_t looks() const { return looks_; }
  uint64_t durable() const;
  bool IsWaitingVain() const;
  bool KeepsNothing() const;
  bool WaitsForSave() const;
  std::chrono::milliseconds next_look() const;
  std::string state() const;

 private:
  const std::vector<std::unique_ptr<RedisNode>>& nodes_;
  uint64_t looks_ = 0;
};

}  // namespace gatebook::logger
