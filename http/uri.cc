#include "http/uri.h"

#include "base/ascii.h"
#include "base/ip_address.h"

namespace gatebook::http {
namespace {

constexpr size_t kNameMost = 255;

bool IsPort(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (!base::IsAsciiDigit(c)) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= 65535;
}

bool IsName(std::string_view text) {
  if (text.empty() || text.size() > kNameMost) return false;
  bool label_empty = true;
  bool label_numeric = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      if (label_empty) return false;
      if (i + 1 == text.size()) break;  // the root's dot
      label_empty = label_numeric = true;
      continue;
    }
    if (!base::IsAsciiAlpha(c) && !base::IsAsciiDigit(c) && c != '-' && c != '_') return false;
    label_empty = false;
    label_numeric = label_numeric && base::IsAsciiDigit(c);
  }
  // "127.1" or "2130706433" is an address to some and a name to others.
  return !label_numeric || base::IpAddress::Parse(text).has_value();
}

bool IsIpv6(std::string_view text) {
  return text.find(':') != std::string_view::npos && base::IpAddress::Parse(text).has_value();
}

// The length of "http://" or "https://" at the front, else 0.
size_t SchemeSize(std::string_view target) {
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (base::EqualsIgnoreCase(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

// A '%' that begins no escape is refused in the path, which routes and masks read, and passed on in the
// query, where browsers send it as typed (WHATWG URL, query state).
bool IsTargetText(std::string_view text) {
  bool in_query = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte <= 0x20 || byte >= 0x7f || byte == '#') return false;
    in_query |= byte == '?';
    if (byte == '%' && !in_query) {
      if (text.size() - i < 3 || !base::IsAsciiHex(text[i + 1]) || !base::IsAsciiHex(text[i + 2]))
        return false;
      i += 2;
    }
  }
  return true;
}

}  // namespace

std::optional<Authority> ParseAuthority(std::string_view text) {
  Authority authority;
  size_t host_size = 0;
  if (text.starts_with('[')) {
    const size_t bracket = text.find(']');
    if (bracket == std::string_view::npos || !IsIpv6(text.substr(1, bracket - 1))) return std::nullopt;
    host_size = bracket + 1;
  } else {
    host_size = std::min(text.find(':'), text.size());
    if (!IsName(text.substr(0, host_size))) return std::nullopt;
  }
  authority.host = text.substr(0, host_size);
  if (host_size == text.size()) return authority;
  if (text[host_size] != ':') return std::nullopt;
  authority.port = text.substr(host_size + 1);
  if (!IsPort(authority.port)) return std::nullopt;
  return authority;
}

std::optional<Refusal> ParseTarget(std::string_view target, Method method, Target& out) {
  out = Target{};
  if (target == "*" && method == Method::kOptions) {
    out.path = out.path_and_query = target;
    return std::nullopt;
  }
  if (!IsTargetText(target)) return Refusal::kBadTarget;
  std::string_view rest = target;
  if (!target.starts_with('/')) {
    const size_t scheme = SchemeSize(target);
    if (scheme == 0) return Refusal::kBadTarget;
    rest.remove_prefix(scheme);
    const size_t authority_size = std::min(rest.find_first_of("/?"), rest.size());
    out.authority = rest.substr(0, authority_size);
    const auto parsed = ParseAuthority(out.authority);
    if (!parsed) return Refusal::kBadHost;
    out.parsed = *parsed;
    rest.remove_prefix(authority_size);
  }
  const size_t question = rest.find('?');
  out.path_and_query = rest;
  out.path = rest.substr(0, question);
  out.has_query = question != std::string_view::npos;
  if (out.has_query) out.query = rest.substr(question + 1);
  return std::nullopt;
}

}  // namespace gatebook::http
