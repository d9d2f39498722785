#include "logger/source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>

#include "base/ascii.h"
#include "logger/mask.h"

namespace gatebook::logger {
namespace {

struct WellKnown {
  std::string_view name;  // the registrable domain; a last '.' stands for every country's ending
  Channel channel;
};

// Sorted by name. `domain` and all its subdomains, but for kNotSearch.
constexpr WellKnown kWellKnown[] = {
    {"aol.com", Channel::kSearch},
    {"ask.com", Channel::kSearch},
    {"baidu.com", Channel::kSearch},
    {"bing.com", Channel::kSearch},
    {"bsky.app", Channel::kSocial},
    {"coccoc.com", Channel::kSearch},
    {"daum.net", Channel::kSearch},
    {"discord.com", Channel::kSocial},
    {"duckduckgo.com", Channel::kSearch},
    {"ecosia.org", Channel::kSearch},
    {"facebook.com", Channel::kSocial},
    {"fb.com", Channel::kSocial},
    {"fb.me", Channel::kSocial},
    {"google.", Channel::kSearch},
    {"instagram.com", Channel::kSocial},
    {"kagi.com", Channel::kSearch},
    {"line.me", Channel::kSocial},
    {"linkedin.com", Channel::kSocial},
    {"lnkd.in", Channel::kSocial},
    {"mastodon.social", Channel::kSocial},
    {"metager.org", Channel::kSearch},
    {"mojeek.com", Channel::kSearch},
    {"naver.com", Channel::kSearch},
    {"ok.ru", Channel::kSocial},
    {"pinterest.", Channel::kSocial},
    {"quora.com", Channel::kSocial},
    {"qwant.com", Channel::kSearch},
    {"reddit.com", Channel::kSocial},
    {"search.brave.com", Channel::kSearch},
    {"seznam.cz", Channel::kSearch},
    {"snapchat.com", Channel::kSocial},
    {"so.com", Channel::kSearch},
    {"sogou.com", Channel::kSearch},
    {"startpage.com", Channel::kSearch},
    {"swisscows.com", Channel::kSearch},
    {"t.co", Channel::kSocial},
    {"t.me", Channel::kSocial},
    {"telegram.org", Channel::kSocial},
    {"threads.com", Channel::kSocial},
    {"threads.net", Channel::kSocial},
    {"tiktok.com", Channel::kSocial},
    {"tumblr.com", Channel::kSocial},
    {"twitch.tv", Channel::kSocial},
    {"twitter.com", Channel::kSocial},
    {"vk.com", Channel::kSocial},
    {"wa.me", Channel::kSocial},
    {"weibo.com", Channel::kSocial},
    {"whatsapp.com", Channel::kSocial},
    {"x.com", Channel::kSocial},
    {"xing.com", Channel::kSocial},
    {"yahoo.", Channel::kSearch},
    {"yandex.", Channel::kSearch},
    {"ycombinator.com", Channel::kSocial},
    {"youtu.be", Channel::kSocial},
    {"youtube.com", Channel::kSocial},
};
static_assert(std::is_sorted(std::begin(kWellKnown), std::end(kWellKnown),
                             [](const WellKnown& a, const WellKnown& b) { return a.name < b.name; }));

// Where in the table the names of each first letter begin.
constexpr auto kFirstOf = [] {
  std::array<uint8_t, 27> first{};
  for (size_t letter = 0; letter < first.size(); ++letter) {
    while (first[letter] < std::size(kWellKnown) &&
           kWellKnown[first[letter]].name[0] < static_cast<char>('a' + letter)) {
      ++first[letter];
    }
  }
  return first;
}();

// First labels under which search companies run something else.
constexpr std::string_view kNotSearch[] = {"accounts", "blog",  "calendar", "classroom", "cloud",
                                           "docs",     "drive", "groups",   "mail",      "maps",
                                           "meet",     "play",  "sites",    "workspace"};
static_assert(std::is_sorted(std::begin(kNotSearch), std::end(kNotSearch)));

const WellKnown* Find(std::string_view name) {
  if (name.empty() || name[0] < 'a' || name[0] > 'z') return nullptr;
  const auto letter = static_cast<size_t>(name[0] - 'a');
  for (size_t i = kFirstOf[letter]; i < kFirstOf[letter + 1]; ++i) {
    if (kWellKnown[i].name == name) return &kWellKnown[i];
  }
  return nullptr;
}

// "fi", "com", "co.uk", "com.br": what may follow "google.".
constexpr bool IsEnding(std::string_view ending) {
  if (ending.starts_with("co.")) ending.remove_prefix(3);
  if (ending.starts_with("com.")) ending.remove_prefix(4);
  return ending.size() == 2 || ending == "com";
}

// `host`: lower case, no port. Looks at its last two and three labels, so that "notgoogle.com" and
// "google.com.evil.example" are what they are.
Channel ChannelOf(std::string_view host) {
  size_t at = host.rfind('.');
  for (int labels = 2; labels <= 3 && at != std::string_view::npos; ++labels) {
    at = at == 0 ? std::string_view::npos : host.rfind('.', at - 1);
    const std::string_view name = host.substr(at + 1);  // npos + 1 is 0
    const WellKnown* found = Find(name);
    const size_t dot = name.find('.');
    if (found == nullptr && IsEnding(name.substr(dot + 1))) found = Find(name.substr(0, dot + 1));
    if (found == nullptr) continue;
    const bool other_service =
        found->channel == Channel::kSearch &&
        std::binary_search(std::begin(kNotSearch), std::end(kNotSearch), host.substr(0, host.find('.')));
    return other_service ? Channel::kReferral : found->channel;
  }
  return Channel::kReferral;
}

struct Origin {
  std::string_view text;  // scheme://host[:port]
  std::string_view host;  // within text
};

bool ConsumeScheme(std::string_view& text, std::string_view scheme) {
  if (text.size() < scheme.size() || !base::EqualsIgnoreCase(text.substr(0, scheme.size()), scheme))
    return false;
  text.remove_prefix(scheme.size());
  return true;
}

// Splits "host", "host:port" or "[v6]:port". The port without its colon.
void SplitPort(std::string_view authority, std::string_view& host, std::string_view& port) {
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  host = has_port ? authority.substr(0, colon) : authority;
  port = has_port ? authority.substr(colon + 1) : std::string_view();
  if (host.ends_with('.')) host.remove_suffix(1);
}

constexpr bool IsHostCharacter(char c) {
  return base::IsAsciiAlpha(c) || base::IsAsciiDigit(c) || c == '-' || c == '.' || c == '_';
}

bool IsHost(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    return host.size() >= 2 && std::all_of(host.begin(), host.end(), [](char c) {
             return base::IsAsciiHex(c) || c == ':' || c == '.';
           });
  }
  return !host.empty() && host.size() <= kMostHost &&
         std::all_of(host.begin(), host.end(), [](char c) { return IsHostCharacter(c); });
}

constexpr bool EndsAuthority(char c) { return c == '/' || c == '?' || c == '#' || c == '\\'; }

// Nothing unless the Referer (RFC 9110 §10.1.3) names an origin that browsers send.
std::optional<Origin> OriginOf(std::string_view referer, std::span<char> out) {
  std::string_view scheme;
  std::string_view default_port;
  if (ConsumeScheme(referer, "https://")) {
    scheme = "https://";
    default_port = "443";
  } else if (ConsumeScheme(referer, "http://")) {
    scheme = "http://";
    default_port = "80";
  } else if (ConsumeScheme(referer, "android-app://")) {
    scheme = "android-app://";
  } else {
    return std::nullopt;
  }
  size_t length = 0;
  while (length < referer.size() && !EndsAuthority(referer[length])) ++length;
  std::string_view authority = referer.substr(0, length);
  authority = authority.substr(authority.rfind('@') + 1);  // npos + 1 is 0
  std::string_view host;
  std::string_view port;
  SplitPort(authority, host, port);
  if (!IsHost(host)) return std::nullopt;
  if (port.size() > 5 || !std::all_of(port.begin(), port.end(), base::IsAsciiDigit)) return std::nullopt;
  if (port == default_port) port = {};
  if (scheme.size() + host.size() + 1 + port.size() > out.size()) return std::nullopt;

  size_t size = scheme.copy(out.data(), scheme.size());
  const std::string_view written_host(out.data() + size, host.size());
  for (const char c : host) out[size++] = base::ToAsciiLower(c);
  if (!port.empty()) {
    out[size++] = ':';
    size += port.copy(out.data() + size, port.size());
  }
  return Origin{{out.data(), size}, written_host};
}

// Decodes application/x-www-form-urlencoded once and masks what is read.
std::string_view ReadValue(std::string_view raw, std::span<char> out) {
  char decoded[4 * kMostCampaignPart];
  size_t size = 0;
  for (size_t at = 0; at < raw.size() && size < sizeof decoded; ++at) {
    char c = raw[at] == '+' ? ' ' : raw[at];
    if (c == '%' && at + 2 < raw.size() && base::IsAsciiHex(raw[at + 1]) && base::IsAsciiHex(raw[at + 2])) {
      const auto value = [](char digit) {
        return base::IsAsciiDigit(digit) ? digit - '0' : base::ToAsciiLower(digit) - 'a' + 10;
      };
      c = static_cast<char>(value(raw[at + 1]) << 4 | value(raw[at + 2]));
      at += 2;
    }
    decoded[size++] = c;
  }
  const std::string_view value = MaskValue({decoded, size}, kMostCampaignPart, out);
  // What needed no change is a view of `decoded`, which ends here.
  if (value.data() != out.data()) std::memcpy(out.data(), value.data(), value.size());
  return {out.data(), value.size()};
}

}  // namespace

Source ClassifySource(std::string_view referer, std::string_view own_host, std::string_view query,
                      SourceBuffer& buffer) {
  Source source;
  if (!referer.empty()) {
    if (const auto origin = OriginOf(referer, buffer.referrer)) {
      source.referrer = origin->text;
      std::string_view own_name;
      std::string_view own_port;
      SplitPort(own_host, own_name, own_port);
      source.channel =
          base::EqualsIgnoreCase(origin->host, own_name) ? Channel::kInternal : ChannelOf(origin->host);
    }
  }
  for (size_t at = query.find("utm_"); at < query.size();) {
    size_t end = at;
    while (end < query.size() && query[end] != '&' && query[end] != ';') ++end;
    const std::string_view pair = query.substr(at, end - at);
    const bool begins = at == 0 || query[at - 1] == '&' || query[at - 1] == ';';
    at = query.find("utm_", end);
    const size_t equals = pair.find('=');
    if (!begins || equals == std::string_view::npos || equals + 1 == pair.size()) continue;
    const std::string_view name = pair.substr(4, equals - 4);
    const std::string_view value = pair.substr(equals + 1);
    if (name == "source" && source.utm_source.empty()) {
      source.utm_source = ReadValue(value, buffer.utm_source);
    } else if (name == "medium" && source.utm_medium.empty()) {
      source.utm_medium = ReadValue(value, buffer.utm_medium);
    } else if (name == "campaign" && source.utm_campaign.empty()) {
      source.utm_campaign = ReadValue(value, buffer.utm_campaign);
    }
  }
  if (!source.utm_source.empty() || !source.utm_medium.empty() || !source.utm_campaign.empty()) {
    source.channel = Channel::kCampaign;
  }
  return source;
}

}  // namespace gatebook::logger
