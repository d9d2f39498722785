#include "config/text_checks.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/ip_address.h"
#include "base/rfc3339.h"
#include "config/endpoint.h"
#include "config/visit_field.h"

namespace gatebook::config {
namespace {

bool IsAlphanumeric(char c) { return base::IsAsciiAlpha(c) || base::IsAsciiDigit(c); }

// 1 to `most` characters that are letters, digits or in `others`.
bool IsName(std::string_view text, size_t most, std::string_view others) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [&](char c) {
    return IsAlphanumeric(c) || others.find(c) != std::string_view::npos;
  });
}

bool IsIpLiteral(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    return base::IpAddress::Parse(text.substr(1, text.size() - 2)).has_value();
  }
  return text.find(':') == std::string_view::npos && base::IpAddress::Parse(text).has_value();
}

}  // namespace

const char* CheckEdgeName(std::string_view text) {
  const bool lower = std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return lower && IsName(text, 32, "-_") ? nullptr : "not 1 to 32 of a-z, 0-9, '-' and '_'";
}

const char* CheckUpstreamName(std::string_view text) {
  return IsName(text, 64, "-_.") ? nullptr : "not 1 to 64 letters, digits, '-', '_' and '.'";
}

const char* CheckUserName(std::string_view text) {
  return IsName(text, 32, "-_.") && text.front() != '-' ? nullptr : "not the name of a user";
}

const char* CheckToken(std::string_view text) {
  return IsName(text, 64, "!#$%&'*+-.^_`|~")
             ? nullptr
             : "not a token of at most 64 characters (letters, digits, '-', '_', '.' …)";
}

const char* CheckHostPattern(std::string_view text) {
  if (text == "*") return nullptr;
  const std::string_view name = text.starts_with("*.") ? text.substr(2) : text;
  if (IsHostname(name) || (name.size() == text.size() && IsIpLiteral(text))) return nullptr;
  return "not a host: write \"example.com\", \"*.example.com\" or \"*\", without a port";
}

const char* CheckPathPrefix(std::string_view text) {
  if (text.empty() || text.front() != '/') return "a path begins with '/'";
  if (text.size() > 1024) return "a path is at most 1024 bytes long";
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return IsAlphanumeric(c) || std::string_view("/-._~!$&'()*+,;=:@%").find(c) != std::string_view::npos;
  });
  return plain ? nullptr : "a path has no space, '?', '#' or other character that must be percent-encoded";
}

const char* CheckTarget(std::string_view text) {
  const size_t mark = text.find('?');
  if (const char* complaint = CheckPathPrefix(text.substr(0, mark))) return complaint;
  if (mark == std::string_view::npos) return nullptr;
  // A query may hold what a path may, and '/' and '?' (RFC 3986 §3.4).
  std::string query(text.substr(mark));
  std::replace(query.begin(), query.end(), '?', '/');
  return CheckPathPrefix(query) == nullptr ? nullptr
                                           : "the query has a character that must be percent-encoded";
}

const char* CheckHostField(std::string_view text) {
  if (CheckServerName(text) == nullptr || IsIpLiteral(text)) return nullptr;
  return ParseEndpoint(text, kFormIp | kFormHostname).ok()
             ? nullptr
             : "not a host: write \"example.com\" or \"example.com:8080\"";
}

const char* CheckServerName(std::string_view text) {
  return IsHostname(text) || base::IpAddress::Parse(text) ? nullptr : "neither a host name nor an address";
}

const char* CheckUpgrade(std::string_view text) {
  if (CheckToken(text) != nullptr) return "not the name of a protocol";
  // These would begin HTTP anew behind our back, or encrypt it from us (RFC 9113 §3.1, RFC 2817).
  for (const std::string_view own : {"http", "h2", "h2c", "tls"}) {
    if (base::EqualsIgnoreCase(text, own))
      return "a version of HTTP or TLS is not an upgrade that is passed on";
  }
  return nullptr;
}

const char* CheckPolicy(std::string_view text) {
  const bool visible = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
  return visible && !text.empty() && text.size() <= 32 ? nullptr : "not 1 to 32 visible ASCII characters";
}

const char* CheckPolicyFile(std::string_view text) {
  for (const std::string_view end : {".md", ".markdown", ".html", ".htm"}) {
    if (text.ends_with(end)) return nullptr;
  }
  return "its name must end in .md (Markdown) or .html";
}

const char* CheckPolicyPath(std::string_view text) {
  if (const char* complaint = CheckPathPrefix(text)) return complaint;
  if (text.size() > 128) return "this path is at most 128 bytes long";
  return text.size() > 1 && !text.ends_with('/') ? nullptr : "this path does not end in '/'";
}

const char* CheckDate(std::string_view text) {
  const bool digits = text.size() == 10 && text[4] == '-' && text[7] == '-' &&
                      std::count_if(text.begin(), text.end(), base::IsAsciiDigit) == 8;
  const std::string time = std::string(text) + "T00:00:00Z";
  return digits && base::ParseRfc3339(time) ? nullptr : "not a day as \"2025-09-01\"";
}

const char* CheckArgument(std::string_view text) {
  return !text.empty() && text.size() <= 1024 ? nullptr : "not 1 to 1024 bytes";
}

const char* CheckOptionalField(std::string_view text) {
  const auto field = FindVisitField(text);
  if (!field) return "not a field of a visit";
  return InfoOf(*field).optional ? nullptr : "this field is always recorded";
}

const char* CheckRegion(std::string_view text) {
  const bool letters = std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return letters && (text.size() == 2 || text == "EEA") ? nullptr
                                                        : "neither a country as \"FI\" nor \"EU\" or \"EEA\"";
}

const char* CheckParameterName(std::string_view text) {
  return IsName(text, 64, "-_.[]") ? nullptr : "not the name of a query parameter";
}

}  // namespace gatebook::config
