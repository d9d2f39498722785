#include "tests/support/redis_sentinels.h"

#include <gtest/gtest.h>

namespace gatebook::support {
namespace {

std::string IdOf(int sentinel) { return std::string(40, static_cast<char>('a' + sentinel)); }

}  // namespace

RedisSentinels::RedisSentinels(std::vector<std::string> arguments) {
  for (uint16_t& port : server_ports_) port = FreePort();
  for (uint16_t& port : sentinel_ports_) port = FreePort();
  const std::string master_port = std::to_string(server_ports_[0]);
  for (int i = 0; i < 2; ++i) {
    std::vector<std::string> own = arguments;
    own.insert(own.end(), {"--port", std::to_string(server_ports_[i]), "--bind", "127.0.0.1",
                           "--repl-diskless-sync-delay", "0"});
    if (i == 1) own.insert(own.end(), {"--replicaof", "127.0.0.1", master_port});
    servers_[i] = std::make_unique<RedisServer>(own);
  }
  EXPECT_TRUE(WaitUntil([this] {
    return replica().Ask({"INFO", "replication"}).find("master_link_status:up") != std::string::npos;
  }));
  for (int i = 0; i < 3; ++i) {
    const std::string number = std::to_string(i);
    std::string config =
        "port " + std::to_string(sentinel_ports_[i]) + "\nbind 127.0.0.1\ndir " + directory_.path() +
        "\nsentinel myid " + IdOf(i) + "\nsentinel monitor mymaster 127.0.0.1 " + master_port +
        " 2\nsentinel down-after-milliseconds mymaster 400\n"
        "sentinel failover-timeout mymaster 2000\nsentinel known-replica mymaster 127.0.0.1 " +
        std::to_string(server_ports_[1]) + "\n";
    for (int other = 0; other < 3; ++other) {
      if (other == i) continue;
      config += "sentinel known-sentinel mymaster 127.0.0.1 " + std::to_string(sentinel_ports_[other]) + " " +
                IdOf(other) + "\n";
    }
    const std::string path = directory_.Write("sentinel" + number + ".conf", config);
    sentinels_[i] = std::make_unique<Process>(std::vector<std::string>{"redis-server", path, "--sentinel"});
  }
}

std::string RedisSentinels::ConfigText() const {
  std::string text = "sentinel_master = \"mymaster\"\nsentinels = [";
  for (const uint16_t port : sentinel_ports_) text += "\"127.0.0.1:" + std::to_string(port) + "\", ";
  return text + "]";
}

}  // namespace gatebook::support
