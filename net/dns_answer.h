// DnsAnswer: what a DNS response says, read from its bytes (RFC 1035 §4).
//
// Every byte is hostile: lengths, counts, compression pointers and the names
// themselves. The parser c-ares has for PTR drops the TTL, hence this one.
//
// Thread: any; pure.
// Limits: at most 8 values and 16 aliases; a name 253 octets, a label 63.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"

namespace gatebook::net {

enum class DnsStatus {
  kOk,       // there are values
  kNone,     // no such name, or none of this type
  kTimeout,  // no answer in time
  kFailed,   // the servers refuse or can't be reached
  kInvalid,  // an answer, but no value in it is a host name, or it is damaged
};

enum class DnsType : uint16_t { kA = 1, kCname = 5, kSoa = 6, kPtr = 12, kAaaa = 28 };

struct DnsAnswer {
  DnsStatus status = DnsStatus::kFailed;
  std::vector<std::string> names;          // PTR: lower case, valid by IsHostName
  std::vector<base::IpAddress> addresses;  // A, AAAA
  // The least of the records used; for kNone from the zone's SOA (RFC 2308 §5). Negative: not said.
  std::chrono::seconds ttl{-1};
};

// Letters, digits, hyphen, underscore in labels of 1 to 63 octets, at most 253 in all; the last label
// is not a number, so that no name reads like an address.
bool IsHostName(std::string_view name);

// `question`: the name asked for, no last dot. Follows aliases within the answer section.
DnsAnswer ParseDnsAnswer(std::span<const uint8_t> response, std::string_view question, DnsType type);

}  // namespace gatebook::net
