#include "logger/redis_slots.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "config/endpoint.h"

namespace gatebook::logger {
namespace {

// CRC-16/XMODEM, a byte at a time: polynomial 0x1021, from the highest bit.
constexpr std::array<uint16_t, 256> kCrc = [] {
  std::array<uint16_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1;
    table[byte] = static_cast<uint16_t>(crc);
  }
  return table;
}();

base::Error Unreadable() { return base::Error{"an answer to CLUSTER SLOTS that is none"}; }

}  // namespace

uint16_t SlotOf(std::string_view key) {
  const size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  uint16_t crc = 0;
  for (const char c : key) {
    crc = static_cast<uint16_t>(crc << 8 ^ kCrc[(crc >> 8 ^ static_cast<uint8_t>(c)) & 0xff]);
  }
  return crc % kRedisSlots;
}

std::optional<config::Endpoint> ServerAt(std::string_view host, std::string_view port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  auto server =
      config::ParseEndpoint(v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port),
                            config::kFormIp | config::kFormHostname);
  if (!server.ok()) return std::nullopt;
  server->text.clear();  // so that the same server is equal, however it was written
  return std::move(server).value();
}

std::optional<RedisRedirect> ParseRedirect(std::string_view error, const config::Endpoint& from) {
  RedisRedirect redirect;
  if (error.starts_with("ASK ")) {
    redirect.ask = true;
    error.remove_prefix(4);
  } else if (error.starts_with("MOVED ")) {
    error.remove_prefix(6);
  } else {
    return std::nullopt;
  }
  const size_t space = error.find(' ');
  const size_t colon = error.rfind(':');
  if (space == std::string_view::npos || colon == std::string_view::npos || colon < space)
    return std::nullopt;
  const auto read = std::from_chars(error.data(), error.data() + space, redirect.slot);
  if (read.ptr != error.data() + space || redirect.slot >= kRedisSlots) return std::nullopt;
  const std::string_view host = error.substr(space + 1, colon - space - 1);
  const std::string own = from.kind == config::Endpoint::Kind::kIp ? from.ip.ToText() : from.hostname;
  const auto server = ServerAt(host.empty() ? own : host, error.substr(colon + 1));
  if (!server) return std::nullopt;
  redirect.server = *server;
  return redirect;
}

RedisSlots::RedisSlots(config::Endpoint server) { servers_.push_back(std::move(server)); }

base::Result<RedisSlots> RedisSlots::Parse(const RedisReply& reply, const config::Endpoint& from) {
  if (reply.type != RedisReply::Type::kArray) return Unreadable();
  const std::string own = from.kind == config::Endpoint::Kind::kIp ? from.ip.ToText() : from.hostname;
  RedisSlots slots;
  slots.of_slot_.assign(kRedisSlots, kNobody);
  for (const RedisReply& range : reply.elements) {
    if (range.elements.size() < 3 || range.elements[2].elements.size() < 2) return Unreadable();
    const int64_t first = range.elements[0].integer;
    const int64_t last = range.elements[1].integer;
    if (first < 0 || last < first || last >= static_cast<int64_t>(kRedisSlots)) return Unreadable();
    // [host, port, id, …]; a node that does not know its own address leaves the host out, and "?" is one
    // that has no name to tell.
    const std::string_view host = range.elements[2].elements[0].text;
    const auto server = ServerAt(host.empty() ? std::string_view(own) : host,
                                 std::to_string(range.elements[2].elements[1].integer));
    if (!server) continue;
    const auto index = static_cast<uint16_t>(slots.Add(*server));
    std::fill(slots.of_slot_.begin() + first, slots.of_slot_.begin() + last + 1, index);
  }
  slots.unserved_ = static_cast<size_t>(std::count(slots.of_slot_.begin(), slots.of_slot_.end(), kNobody));
  return slots;
}

std::optional<size_t> RedisSlots::Find(uint16_t slot) const {
  if (servers_.empty()) return std::nullopt;
  if (of_slot_.empty()) return 0;
  if (of_slot_[slot] == kNobody) return std::nullopt;
  return of_slot_[slot];
}

size_t RedisSlots::Add(const config::Endpoint& server) {
  const auto found = std::find(servers_.begin(), servers_.end(), server);
  const auto index = static_cast<size_t>(found - servers_.begin());
  if (found == servers_.end()) servers_.push_back(server);
  return index;
}

size_t RedisSlots::Move(uint16_t slot, const config::Endpoint& server) {
  const size_t index = Add(server);
  if (of_slot_.empty()) return index;
  if (of_slot_[slot] == kNobody) --unserved_;
  of_slot_[slot] = static_cast<uint16_t>(index);
  return index;
}

}  // namespace gatebook::logger
