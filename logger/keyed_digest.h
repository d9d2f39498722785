// KeyedDigest: stands for a person in registers of ours, and tells nothing without the key.
//
// HMAC-SHA256 under a key that is made from the session key, another one for each use: the same on edges that
// share the session key, and nobody without it can find an address by trying all.
//
// Thread: values, any. Cost: some 2 µs a digest.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "logger/visit.h"

namespace gatebook::logger {

using KeyedDigest = std::array<uint8_t, 32>;

class DigestKey {
 public:
  // `use`: what the digests are for, with a version.
  DigestKey(std::span<const uint8_t> session_key, std::string_view use);

  KeyedDigest Of(const SessionId& session) const;
  KeyedDigest Of(const base::IpAddress& ip) const;
  // Of the network of `bits` leading bits (of the mapped form) that holds the address.
  KeyedDigest Of(const base::IpAddress& ip, int bits) const;

 private:
  KeyedDigest Sign(std::string_view kind, std::span<const uint8_t> bytes) const;

  KeyedDigest bytes_;
};

}  // namespace gatebook::logger
