// Endpoint text: "0.0.0.0:443", "[::]:443", "app.internal:8080", "unix:/run/x.sock",
// and for upstreams "https://10.0.0.5:8443".
//
// The struct is in config/config.h. A port is always written. Names are checked
// for form only and never resolved here: an upstream whose name does not resolve
// yet is no error of the configuration.
//
// Thread: any. Limits: a name 253 octets, a socket path 107 bytes (sockaddr_un).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace gatebook::config {

// What forms a place accepts; a sum of these.
enum EndpointForm : uint32_t {
  kFormIp = 1,
  kFormHostname = 2,
  kFormUnix = 4,
  kFormPortZero = 8,  // port 0: the kernel chooses; for listeners
  kFormHttps = 16,    // "https://" before address or name: TLS
};

// The error is one sentence that does not repeat the text (it may hold a secret).
base::Result<Endpoint> ParseEndpoint(std::string_view text, uint32_t forms);

// Letters, digits, hyphen, underscore in labels of 1 to 63; 253 octets; the last
// label is not a number (that would be a broken address, RFC 3696 §2).
bool IsHostname(std::string_view text);

}  // namespace gatebook::config
