// The client behind trusted proxies: who the request is really from.
//
// Each proxy appends whom it was spoken to by, so only the right end of the list is worth
// anything: the peer says who spoke to it, and if that one is trusted too, its own word
// counts, and so on. The walk goes from right to left and ends at the first address that is
// not trusted; what stands left of it is a stranger's word. The leftmost address is never
// taken for being leftmost.
//
// Thread: any; pure. Borrows: fields and set, during a call.
// Limits: kForwardedHopsMost elements of at most kForwardedElementMost bytes are read, so
// that the cost does not depend on what a stranger put to the left.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/ip_address.h"
#include "base/ip_network_set.h"
#include "http/head.h"

namespace gatebook::http {

inline constexpr size_t kForwardedHopsMost = 32;
inline constexpr size_t kForwardedElementMost = 256;  // bytes, white space around it included

// Which field the trusted proxies write. Only that one is read: whoever wrote the other may be
// the stranger, so the two are never mixed.
enum class ForwardedSource : uint8_t {
  kXForwardedFor,  // and X-Forwarded-Proto
  kForwarded,      // RFC 7239
};

struct ForwardedClient {
  base::IpAddress address;  // the peer's own, where it is not trusted or says nothing usable
  // Elements that were taken: 0 when the address is the peer's. chain[0] is the address nearest
  // to the peer, chain[hops - 1] the client.
  size_t hops = 0;
  std::array<base::IpAddress, kForwardedHopsMost> chain;
  // Whether the client spoke https, where a trusted proxy said so.
  std::optional<bool> https;
};

// Walks from `peer`, the other end of the connection (or the source of a PROXY header).
//
// An element that is no address ("unknown", an obfuscated "_name", anything malformed)
// ends the walk at the last good one. Empty elements are passed over (RFC 9110 §5.6.1.2).
//
// `https` is taken: from Forwarded, of the element that named the client; from
// X-Forwarded-Proto, if there is one such field with one value and the peer is trusted. A
// proxy that is trusted must replace that field and not pass on what it was sent.
// X-Forwarded-Host and X-Request-ID are taken from nobody.
ForwardedClient WalkForwarded(const base::IpAddress& peer, std::span<const Field> fields,
                              const base::IpNetworkSet& trusted, ForwardedSource source);

}  // namespace gatebook::http
