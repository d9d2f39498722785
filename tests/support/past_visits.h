// PastVisits: visits of days gone by, written into Redis as the recorder would have.
//
// Thread: one. Owns: its connection. Ends: what was written stays.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "logger/redis_client.h"
#include "logger/visit.h"
#include "tests/support/redis_server.h"

namespace gatebook::support {

class PastVisits {
 public:
  // Claims the edge's name, for one worker.
  PastVisits(const RedisServer& redis, std::string edge);

  // Requires: at not before that of the one before.
  void Write(logger::Visit visit, base::WallTime at, const logger::Place& place = {});
  // A session of one visit: number `n` of the world, from the address.
  static logger::Visit Of(uint32_t n, const std::string& ip);
  // Waits until Redis has all. False if it refused one.
  bool Flush();

 private:
  const std::string edge_;
  std::unique_ptr<logger::RedisClient> client_;
  uint32_t n_ = 0;
  size_t under_way_ = 0;
};

}  // namespace gatebook::support
