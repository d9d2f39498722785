// What a request names: authorities and request targets (RFC 3986, RFC 9112 §3.2), checked.
//
// Thread: any; pure functions. Owns nothing: results are views into what was given.
#pragma once

#include <optional>
#include <string_view>

#include "http/head.h"
#include "http/refusal.h"

namespace gatebook::http {

struct Authority {
  std::string_view host;  // a name, an IPv4 address, or an IPv6 address in its brackets
  std::string_view port;  // digits, 0 to 65535; empty if none was given
};

// host[:port] without user information. Stricter than RFC 3986 where that only helps
// attackers: a name is letters, digits, '-', '_' and single dots, at most 255 bytes, and
// one that ends in a number has to be an IPv4 address; no percent-encoding, no zone.
// nullopt: invalid, or empty.
std::optional<Authority> ParseAuthority(std::string_view text);

struct Target {
  std::string_view authority;  // of the absolute form; empty for the others
  Authority parsed;            // the same in parts
  std::string_view path;       // "/…", "*", or empty: an absolute form without a path
  std::string_view query;      // after '?'
  bool has_query = false;
  std::string_view path_and_query;  // path, '?' and query as they came
};

// Origin form, absolute form (http and https) and, for OPTIONS only, "*".
// Visible ASCII without '#', every '%' followed by two hex digits.
// An answer of kBadTarget or kBadHost means that `target` was refused and `out` is void.
std::optional<Refusal> ParseTarget(std::string_view target, Method method, Target& out);

}  // namespace gatebook::http
