// RedisSentinels: a master with a replica, and three real sentinels that watch them and fail over in a second
// or two.
//
// They know each other from the start, so that nothing waits for them to find out.
// Owns: five processes and their directories. Ends: kills them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"

namespace gatebook::support {

class RedisSentinels {
 public:
  // `arguments`: for both redis-servers. Returns when the replica is in step.
  explicit RedisSentinels(std::vector<std::string> arguments = {});

  RedisServer& master() { return *servers_[0]; }
  RedisServer& replica() { return *servers_[1]; }
  // The keys of [redis] that lead to the master, but for url.
  std::string ConfigText() const;

 private:
  TempDirectory directory_;
  uint16_t server_ports_[2];
  uint16_t sentinel_ports_[3];
  std::unique_ptr<RedisServer> servers_[2];
  std::unique_ptr<Process> sentinels_[3];
};

}  // namespace gatebook::support
