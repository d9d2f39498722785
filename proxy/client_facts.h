// ClientFacts: what is the same for a whole client connection, worked out once.
#pragma once

#include <string>

#include "base/ip_address.h"
#include "logger/visit.h"

namespace gatebook::proxy {

struct ClientFacts {
  base::IpAddress ip;       // unspecified for a Unix peer
  uint8_t tls_version = 0;  // 0 plain, 12, 13
  // The forwarding fields that do not change between requests, ready to be written:
  // X-Forwarded-For, X-Forwarded-Proto, and the beginning of Forwarded.
  std::string forwarding_fields;
};

// For `ip` seen over TLS or not. RFC 7239 §6: an IPv6 address stands in brackets and quotes.
std::string MakeForwardingFields(const base::IpAddress& ip, bool tls);

}  // namespace gatebook::proxy
