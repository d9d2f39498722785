// The PROXY protocol, versions 1 and 2: what a proxy in front says of the connection it
// relays, before that connection's first byte (HAProxy's proxy-protocol.txt, 2020/03/05).
//
// Read only from peers that are configured to send it; whoever else sends it is speaking
// neither TLS nor HTTP. A header that is wrong ends the connection: there is no going on
// without it, since what follows would then be read as from somebody else.
//
// Thread: any; pure functions. Borrows: the bytes, during a call.
// Limits: version 1: 107 bytes; version 2: kProxyHeaderMost, TLVs included (of which only
// the checksum is looked at).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"

namespace gatebook::http {

inline constexpr size_t kProxyHeaderMost = 4096;  // bytes

// The relayed connection: from the client, to the place it meant to reach.
struct ProxiedAddresses {
  base::IpAddress source;
  base::IpAddress destination;
  uint16_t source_port = 0;
  uint16_t destination_port = 0;

  bool operator==(const ProxiedAddresses&) const = default;
};

enum class ProxyHeaderFault : uint8_t {
  kNone,
  kNoHeader,     // the bytes are neither version's beginning
  kBadLine,      // version 1: not exactly the text that §2.1 describes
  kBadCommand,   // version 2: its second number, or a command other than LOCAL and PROXY
  kBadFamily,    // version 2: an unassigned family or protocol
  kBadLength,    // version 2: too short for its addresses, or beyond our limit
  kBadAddress,   // the source is 0.0.0.0 or "::"
  kBadTlv,       // version 2: a TLV ends beyond the header, or a wrong or second checksum field
  kBadChecksum,  // version 2: the CRC32c does not fit
};

// "bad_line": for a counter or a log line.
std::string_view NameOf(ProxyHeaderFault fault);

struct ProxyHeader {
  enum class Status : uint8_t { kNeedMore, kDone, kRefused };

  Status status = Status::kNeedMore;
  ProxyHeaderFault fault = ProxyHeaderFault::kNone;  // kRefused
  size_t size = 0;  // kDone: the header's own bytes; what stands behind them is the connection's
  // kDone: nothing where the peer speaks for itself (LOCAL) or cannot say (UNKNOWN, UNSPEC,
  // Unix sockets, datagrams): the connection's own ends hold then.
  std::optional<ProxiedAddresses> addresses;
};

// `data`: all that came so far. Told more of the same bytes it never takes back kDone or
// kRefused, so it may be called at each arrival; a call costs at most the header's length.
ProxyHeader ParseProxyHeader(std::string_view data);

// A header of version 2, to be sent as the first bytes of a connection. Without addresses:
// LOCAL, for connections of our own (health checks) and clients that have no address.
// IPv4 beside IPv6 is written as two IPv6 addresses, one of them mapped.
// At most 52 bytes.
std::string MakeProxyHeader(const std::optional<ProxiedAddresses>& addresses);

}  // namespace gatebook::http
