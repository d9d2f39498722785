#include "config/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ascii.h"

namespace gatebook::config {
namespace {

using base::Error;
using base::Result;

constexpr size_t kLongestSocketPath = 107;  // sockaddr_un::sun_path with its NUL
constexpr size_t kLongestHostname = 253;
constexpr size_t kLongestLabel = 63;
constexpr std::string_view kHttps = "https://";

std::string Forms(uint32_t forms) {
  std::string text;
  const auto add = [&](uint32_t form, std::string_view example) {
    if ((forms & form) == 0) return;
    if (!text.empty()) text += " or ";
    text += example;
  };
  add(kFormIp, "\"address:port\"");
  add(kFormHostname, "\"name:port\"");
  add(kFormUnix, "\"unix:/path\"");
  add(kFormHttps, "\"https://name:port\"");
  return text;
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), base::IsAsciiDigit)) {
    return std::nullopt;
  }
  uint32_t port = 0;
  std::from_chars(text.data(), text.data() + text.size(), port);
  if (port > 65535) return std::nullopt;
  return static_cast<uint16_t>(port);
}

Result<Endpoint> ParseUnix(std::string_view text, uint32_t forms) {
  if ((forms & kFormUnix) == 0) return Error{"a Unix socket can't be used here: write " + Forms(forms)};
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::kUnix;
  endpoint.path = text.substr(std::string_view("unix:").size());
  endpoint.text = text;
  if (endpoint.path.size() < 2 || endpoint.path.front() != '/') {
    return Error{"the path of a Unix socket is absolute: write \"unix:/run/…\""};
  }
  if (endpoint.path.size() > kLongestSocketPath) {
    return Error{fmt::format("the path of a Unix socket is at most {} bytes long", kLongestSocketPath)};
  }
  return endpoint;
}

}  // namespace

bool IsHostname(std::string_view text) {
  if (text.empty() || text.size() > kLongestHostname) return false;
  bool last_is_number = true;
  while (true) {
    const size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || label.size() > kLongestLabel || label.front() == '-' || label.back() == '-')
      return false;
    for (char c : label) {
      if (!base::IsAsciiAlpha(c) && !base::IsAsciiDigit(c) && c != '-' && c != '_') return false;
    }
    last_is_number = std::all_of(label.begin(), label.end(), base::IsAsciiDigit);
    if (dot == std::string_view::npos) return !last_is_number;
    text.remove_prefix(dot + 1);
  }
}

Result<Endpoint> ParseEndpoint(std::string_view text, uint32_t forms) {
  if (text.starts_with("unix:")) return ParseUnix(text, forms);
  if ((forms & kFormHttps) != 0 && text.starts_with(kHttps)) {
    auto endpoint = ParseEndpoint(text.substr(kHttps.size()), forms & (kFormIp | kFormHostname));
    if (!endpoint.ok()) return endpoint;
    endpoint->tls = true;
    endpoint->text = text;
    return endpoint;
  }
  if (text.find("://") != std::string_view::npos) {
    return Error{"such a scheme is not written here: write " + Forms(forms)};
  }

  const bool bracketed = text.starts_with("[");
  const size_t colon = bracketed ? text.find("]:") : text.rfind(':');
  if (colon == std::string_view::npos) return Error{"the port is missing: write " + Forms(forms)};
  const std::string_view host = bracketed ? text.substr(1, colon - 1) : text.substr(0, colon);
  const auto port = ParsePort(text.substr(colon + (bracketed ? 2 : 1)));
  if (!port) return Error{"the port is not a number from 1 to 65535"};
  if (*port == 0 && (forms & kFormPortZero) == 0) return Error{"port 0 can't be connected to"};

  Endpoint endpoint;
  endpoint.port = *port;
  endpoint.text = text;
  if (const auto ip = base::IpAddress::Parse(host)) {
    const bool has_colon = host.find(':') != std::string_view::npos;
    if (has_colon && !bracketed) return Error{"an IPv6 address stands in brackets: write \"[address]:port\""};
    if (!has_colon && bracketed) return Error{"only an IPv6 address stands in brackets"};
    if ((forms & kFormIp) == 0) return Error{"an address can't be used here: write " + Forms(forms)};
    endpoint.ip = *ip;
    return endpoint;
  }
  if (bracketed) return Error{"what stands in brackets is not an IPv6 address"};
  if (host.find(':') != std::string_view::npos) {
    return Error{"an IPv6 address stands in brackets: write \"[address]:port\""};
  }
  if (!IsHostname(host)) return Error{"neither an address nor a host name: write " + Forms(forms)};
  if ((forms & kFormHostname) == 0) return Error{"a host name can't be used here: write " + Forms(forms)};
  endpoint.kind = Endpoint::Kind::kHostname;
  endpoint.hostname = base::ToAsciiLower(host);
  return endpoint;
}

}  // namespace gatebook::config
