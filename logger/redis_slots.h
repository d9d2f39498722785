// RedisSlots: which server holds which keys: the map of a Redis Cluster, or of a single server, which holds
// all.
//
// A key belongs to one of 16,384 slots, by the CRC16 of what stands in its braces (Redis Cluster
// specification, "Keys hash tags"), and a slot to one master.
//
// Thread: a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "logger/redis_reply.h"

namespace gatebook::logger {

constexpr size_t kRedisSlots = 16384;

// The slot of a key.
uint16_t SlotOf(std::string_view key);

// "10.0.0.1" or a host name, and a port, as servers name each other. Nothing if it is neither.
std::optional<config::Endpoint> ServerAt(std::string_view host, std::string_view port);

// -MOVED or -ASK: where a slot is now, or where a key that is being moved may be.
struct RedisRedirect {
  bool ask = false;
  uint16_t slot = 0;
  config::Endpoint server;
};
// Nothing if the error is no redirect. `from`: who said so; stands for a host that is left out.
std::optional<RedisRedirect> ParseRedirect(std::string_view error, const config::Endpoint& from);

class RedisSlots {
 public:
  RedisSlots() = default;
  // One server for everything.
  explicit RedisSlots(config::Endpoint server);
  // Of the answer to CLUSTER SLOTS, given by `from`.
  static base::Result<RedisSlots> Parse(const RedisReply& reply, const config::Endpoint& from);

  // Index into servers(); nothing if nobody holds the slot.
  std::optional<size_t> Find(uint16_t slot) const;
  // A slot has moved there. The server's index.
  size_t Move(uint16_t slot, const config::Endpoint& server);
  // The server's index; it is added if need be.
  size_t Add(const config::Endpoint& server);
  // The masters; an index stays what it is.
  const std::vector<config::Endpoint>& servers() const { return servers_; }
  // How many slots nobody holds.
  size_t unserved() const { return unserved_; }

 private:
  static constexpr uint16_t kNobody = 0xffff;
  std::vector<config::Endpoint> servers_;
  std::vector<uint16_t> of_slot_;  // kRedisSlots; empty: all are servers_[0]'s
  size_t unserved_ = 0;
};

}  // namespace gatebook::logger
