// ClientFacts: who asks and how it came, worked out once for a whole client
// connection, or, behind trusted proxies, for each of its requests.
#pragma once

#include <optional>
#include <string>

#include "base/ip_address.h"
#include "config/config.h"
#include "http/forwarded.h"
#include "http/head.h"
#include "http/proxy_protocol.h"
#include "logger/visit.h"

namespace gatebook::proxy {

struct ClientFacts {
  base::IpAddress ip;       // unspecified for a Unix peer
  uint8_t tls_version = 0;  // of this hop: 0 plain, 12, 13
  bool secure = false;      // the client itself spoke https: Secure cookies come and go
  // The forwarding fields that do not change between requests, ready to be written:
  // X-Forwarded-For, X-Forwarded-Proto, and the beginning of Forwarded.
  std::string forwarding_fields;
  // Both ends of this hop, or of that which a PROXY header spoke of; only where an upstream is to be told.
  std::optional<http::ProxiedAddresses> ends;
};

// For the peer at `ip`. RFC 7239 §6: an IPv6 address stands in brackets and quotes.
std::string MakeForwardingFields(const base::IpAddress& ip, bool https);

// The PROXY header that tells an upstream of this client: the same for all requests of one that came straight
// to us. LOCAL for a client without an address.
std::string ProxyHeaderFor(const ClientFacts& client);

// The facts of a request whose peer is a trusted proxy that says for whom it speaks; nothing
// where the peer's own facts hold.
std::optional<ClientFacts> FactsBehindProxies(const ClientFacts& peer, const http::RequestHead& head,
                                              const config::Edge& edge);

}  // namespace gatebook::proxy
