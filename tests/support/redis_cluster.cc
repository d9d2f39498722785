#include "tests/support/redis_cluster.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/support/process.h"
#include "tests/support/wait.h"

namespace gatebook::support {
namespace {

constexpr const char* kSlots[] = {"0-5460", "5461-10922", "10923-16383"};

std::string IdOf(size_t node) { return std::string(40, static_cast<char>('a' + node)); }

}  // namespace

RedisCluster::RedisCluster(std::vector<std::string> arguments) {
  uint16_t bus_ports[kNodes];
  for (uint16_t& port : ports_) port = FreePort();
  for (uint16_t& port : bus_ports) port = FreePort();
  for (size_t self = 0; self < kNodes; ++self) {
    // As Redis itself writes it (redis.io, "CLUSTER NODES").
    std::string known;
    for (size_t i = 0; i < kNodes; ++i) {
      const bool master = i < kMasters;
      known += IdOf(i) + " " + address(i) + "@" + std::to_string(bus_ports[i]) + " " +
               (i == self ? "myself," : "") + (master ? "master - " : "slave " + IdOf(i - kMasters) + " ") +
               "0 0 " + std::to_string(i % kMasters + 1) + " connected" +
               (master ? std::string(" ") + kSlots[i] : "") + "\n";
    }
    known += "vars currentEpoch 3 lastVoteEpoch 0\n";
    std::vector<std::string> own = {"--port",
                                    std::to_string(ports_[self]),
                                    "--bind",
                                    "127.0.0.1",
                                    "--cluster-enabled",
                                    "yes",
                                    "--cluster-port",
                                    std::to_string(bus_ports[self]),
                                    "--cluster-config-file",
                                    directory_.Write("nodes" + std::to_string(self), known),
                                    "--cluster-node-timeout",
                                    "800",
                                    "--cluster-replica-validity-factor",
                                    "0",
                                    "--repl-diskless-sync-delay",
                                    "0"};
    own.insert(own.end(), arguments.begin(), arguments.end());
    nodes_[self] = std::make_unique<RedisServer>(own);
  }
  EXPECT_TRUE(WaitUntilWell());
}

bool RedisCluster::WaitUntilWell() {
  return WaitUntil([this] {
    for (const auto& node : nodes_) {
      const std::string state = node->Ask({"CLUSTER", "INFO"});
      if (state.starts_with("(unreachable)")) continue;
      if (state.find("cluster_state:ok") == std::string::npos) return false;
      const std::string role = node->Ask({"INFO", "replication"});
      if (role.find("role:slave") != std::string::npos &&
          role.find("master_link_status:up") == std::string::npos)
        return false;
    }
    return true;
  });
}

config::Redis RedisCluster::Config() const {
  config::Redis config;
  config.cluster = true;
  config.server.ip = *base::IpAddress::Parse("127.0.0.1");
  config.server.port = ports_[0];
  for (size_t i = 1; i < kNodes; ++i) {
    config.nodes.push_back(config.server);
    config.nodes.back().port = ports_[i];
  }
  return config;
}

std::string RedisCluster::ConfigText() const {
  std::string text = "cluster = true\nnodes = [";
  for (size_t i = 1; i < kNodes; ++i) text += "\"" + address(i) + "\", ";
  return text + "]";
}

size_t RedisCluster::MasterOf(uint16_t slot) {
  for (size_t i = 0; i < kMasters; ++i) {
    if (nodes_[i]->Ask({"CLUSTER", "COUNTKEYSINSLOT", std::to_string(slot)}) != "0") return i;
  }
  return slot <= 5460 ? 0 : slot <= 10922 ? 1 : 2;
}

void RedisCluster::BeginMove(uint16_t slot, size_t from, size_t to) {
  const std::string number = std::to_string(slot);
  EXPECT_EQ(nodes_[to]->Ask({"CLUSTER", "SETSLOT", number, "IMPORTING", IdOf(from)}), "OK");
  EXPECT_EQ(nodes_[from]->Ask({"CLUSTER", "SETSLOT", number, "MIGRATING", IdOf(to)}), "OK");
}

size_t RedisCluster::MoveKeys(uint16_t slot, size_t from, size_t to) {
  size_t moved = 0;
  std::istringstream keys(nodes_[from]->Ask({"CLUSTER", "GETKEYSINSLOT", std::to_string(slot), "1000"}));
  for (std::string key; std::getline(keys, key);) {
    EXPECT_EQ(nodes_[from]->Ask({"MIGRATE", "127.0.0.1", std::to_string(ports_[to]), key, "0", "5000"}),
              "OK");
    ++moved;
  }
  return moved;
}

void RedisCluster::EndMove(uint16_t slot, size_t from, size_t to) {
  EXPECT_EQ(MoveKeys(slot, from, to), 0u);
  for (const size_t node : {to, from}) {
    EXPECT_EQ(nodes_[node]->Ask({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", IdOf(to)}), "OK");
  }
}

}  // namespace gatebook::support
