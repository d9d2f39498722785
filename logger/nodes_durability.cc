#include "logger/nodes_durability.h"

#include <algorithm>
#include <limits>

#include "logger/redis_login.h"

namespace gatebook::logger {

uint64_t NodesDurability::durable() const {
  uint64_t durable = std::numeric_limits<uint64_t>::max();
  for (const auto& node : nodes_) {
    const RedisDurability& one = node->watch().durability();
    if (!one.IsWaitingVain()) durable = std::min(durable, one.durable());
  }
  return nodes_.empty() ? 0 : durable;
}

bool NodesDurability::IsWaitingVain() const {
  return !nodes_.empty() && std::all_of(nodes_.begin(), nodes_.end(), [](const auto& node) {
    return node->watch().durability().IsWaitingVain();
  });
}

bool NodesDurability::KeepsNothing() const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [](const auto& node) { return node->watch().durability().KeepsNothing(); });
}

bool NodesDurability::WaitsForSave() const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [](const auto& node) { return node->watch().durability().WaitsForSave(); });
}

std::chrono::milliseconds NodesDurability::next_look() const {
  auto next = std::chrono::milliseconds::max();
  for (const auto& node : nodes_) next = std::min(next, node->watch().durability().next_look());
  return nodes_.empty() ? std::chrono::milliseconds(0) : next;
}

std::string NodesDurability::state() const {
  if (nodes_.empty()) return "not known yet";
  for (const auto& node : nodes_) {
    const std::string state = node->watch().durability().state();
    if (nodes_.size() > 1 && !state.starts_with("ok")) return ToText(node->server()) + ": " + state;
  }
  return nodes_.front()->watch().durability().state();
}

}  // namespace gatebook::logger
