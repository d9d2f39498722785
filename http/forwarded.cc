// Reading a list from its right end.
//
// Problem: the left part of the list is whatever a stranger sent, the right part was
// appended by those we trust. Read from the left, a stranger's lone quote would swallow
// what the proxies said (Forwarded: for=x;by=", for=192.0.2.1) and so hide him.
//
// Idea: elements are split off from the right. What a trusted proxy appended is well
// formed, so its quotes are balanced, and seen from the right the first comma outside of
// quotes is the one that stands before its element, whatever stands to its left. Going
// backwards, a quote inside a quoted string is known by the odd number of backslashes
// before it. Each element then is parsed forwards and strictly.
//
// Guarantee: the elements of trusted proxies are read as they were written, whatever the
// rest is, and no more than a bounded number of bytes is looked at.
#include "http/forwarded.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "http/characters.h"

namespace gatebook::http {
namespace {

using base::IpAddress;

struct Element {
  IpAddress address;
  std::optional<bool> https;
};

// node-port: digits, or "_" and a name that hides them.
bool IsPort(std::string_view text) {
  if (text.size() > 1 && text.front() == '_') {
    return std::ranges::all_of(text, [](char c) {
      return base::IsAsciiAlpha(c) || base::IsAsciiDigit(c) || c == '.' || c == '_' || c == '-';
    });
  }
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, base::IsAsciiDigit);
}

// RFC 7239 §6: an address with or without a port, IPv6 in brackets. Bare IPv6 as
// X-Forwarded-For has it only with `bare_v6`.
std::optional<IpAddress> ParseNode(std::string_view text, bool bare_v6) {
  std::optional<IpAddress> address;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inner = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && (rest.front() != ':' || !IsPort(rest.substr(1)))) return std::nullopt;
    if (inner.find(':') == std::string_view::npos) return std::nullopt;
    address = IpAddress::Parse(inner);
  } else if (bare_v6 && std::ranges::count(text, ':') > 1) {
    address = IpAddress::Parse(text);
  } else {
    const size_t colon = text.find(':');
    if (colon != std::string_view::npos && !IsPort(text.substr(colon + 1))) return std::nullopt;
    address = IpAddress::Parse(text.substr(0, colon));
  }
  // "Unspecified" is how a Unix peer is known here: nobody may claim to be that one.
  if (address && (address->IsUnspecified() || *address == IpAddress::FromV4(0))) return std::nullopt;
  return address;
}

std::optional<bool> ParseScheme(std::string_view text) {
  if (base::EqualsIgnoreCase(text, "https")) return true;
  if (base::EqualsIgnoreCase(text, "http")) return false;
  return std::nullopt;
}

// The quoted or plain value at the front, taken off `text`. `room` holds what was unescaped.
std::optional<std::string_view> TakeValue(std::string_view& text, std::span<char> room) {
  if (!text.starts_with('"')) {
    size_t end = 0;
    while (end < text.size() && IsTokenChar(text[end])) ++end;
    const std::string_view token = text.substr(0, end);
    text.remove_prefix(end);
    return token.empty() ? std::nullopt : std::optional(token);
  }
  size_t size = 0;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return std::string_view(room.data(), size);
    }
    if (text[i] == '\\' && ++i == text.size()) break;
    room[size++] = text[i];
  }
  return std::nullopt;
}

// forwarded-element of RFC 7239 §4: pairs parted by semicolons, without white space. Without a "for" that is
// an address it is of no use.
std::optional<Element> ParseForwardedElement(std::string_view text) {
  Element element;
  std::array<char, kForwardedElementMost> room;
  bool has_for = false;
  bool has_proto = false;
  while (true) {
    size_t name_end = 0;
    while (name_end < text.size() && IsTokenChar(text[name_end])) ++name_end;
    const std::string_view name = text.substr(0, name_end);
    text.remove_prefix(name_end);
    if (!name.empty()) {
      if (!text.starts_with('=')) return std::nullopt;
      text.remove_prefix(1);
      const auto value = TakeValue(text, room);
      if (!value) return std::nullopt;
      if (base::EqualsIgnoreCase(name, "for")) {
        const auto address = ParseNode(*value, false);
        if (!address || std::exchange(has_for, true)) return std::nullopt;
        element.address = *address;
      } else if (base::EqualsIgnoreCase(name, "proto")) {
        if (std::exchange(has_proto, true)) return std::nullopt;
        element.https = ParseScheme(*value);
      }
    }
    if (text.empty()) break;
    if (!text.starts_with(';')) return std::nullopt;
    text.remove_prefix(1);
  }
  return has_for ? std::optional(element) : std::nullopt;
}

// Whether the character at `at` stands behind an odd number of backslashes.
bool IsEscaped(std::string_view text, size_t at) {
  size_t backslashes = 0;
  while (backslashes < at && text[at - backslashes - 1] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

// Where the last element of `list` begins; nothing if it is longer than an element may be.
std::optional<size_t> BeginOfLast(std::string_view list, bool quotes) {
  const size_t least = list.size() - std::min(list.size(), kForwardedElementMost + 1);
  const std::string_view window = list.substr(least);
  bool quoted = false;
  for (size_t at = window.size(); at > 0; --at) {
    const char c = window[at - 1];
    if (quotes && c == '"' && !(quoted && IsEscaped(window, at - 1))) quoted = !quoted;
    if (c == ',' && !quoted) return least + at;
  }
  return least == 0 && list.size() <= kForwardedElementMost ? std::optional<size_t>(0) : std::nullopt;
}

// All elements of the fields that count, from right to left.
class Walk {
 public:
  Walk(std::span<const Field> fields, ForwardedSource source) : fields_(fields), source_(source) {}

  // The next element that is not empty; nothing at the end, at a malformed one, and when enough
  // have been read.
  std::optional<Element> Next() {
    while (reads_ < kForwardedHopsMost) {
      if (rest_done_ && !FindField()) return std::nullopt;
      ++reads_;
      const auto begin = BeginOfLast(rest_, source_ == ForwardedSource::kForwarded);
      if (!begin) break;
      const std::string_view text = base::TrimOws(rest_.substr(*begin));
      rest_done_ = *begin == 0;
      rest_ = rest_.substr(0, rest_done_ ? 0 : *begin - 1);
      if (!text.empty()) return Parse(text);
    }
    return std::nullopt;
  }

 private:
  bool Counts(const Field& field) const {
    if (field.hop_by_hop) return false;
    if (source_ == ForwardedSource::kForwarded) return field.id == FieldId::kForwarded;
    return field.id == FieldId::kXForwarded && base::EqualsIgnoreCase(field.name, "x-forwarded-for");
  }

  // Several fields are one list (RFC 9110 §5.3), whose right end is in the last.
  bool FindField() {
    while (!fields_.empty()) {
      const Field& field = fields_.back();
      fields_ = fields_.first(fields_.size() - 1);
      if (!Counts(field)) continue;
      rest_ = field.value;
      rest_done_ = false;
      return true;
    }
    return false;
  }

  std::optional<Element> Parse(std::string_view text) const {
    if (source_ == ForwardedSource::kForwarded) return ParseForwardedElement(text);
    const auto address = ParseNode(text, true);
    return address ? std::optional<Element>({*address, std::nullopt}) : std::nullopt;
  }

  std::span<const Field> fields_;
  const ForwardedSource source_;
  std::string_view rest_;  // of the field in hand
  bool rest_done_ = true;
  size_t reads_ = 0;
};

std::optional<bool> SchemeSaid(std::span<const Field> fields) {
  std::optional<bool> https;
  bool seen = false;
  for (const Field& field : fields) {
    if (field.id != FieldId::kXForwarded || field.hop_by_hop) continue;
    if (!base::EqualsIgnoreCase(field.name, "x-forwarded-proto")) continue;
    if (std::exchange(seen, true)) return std::nullopt;
    https = ParseScheme(field.value);
  }
  return https;
}

}  // namespace

ForwardedClient WalkForwarded(const IpAddress& peer, std::span<const Field> fields,
                              const base::IpNetworkSet& trusted, ForwardedSource source) {
  ForwardedClient client;
  client.address = peer;
  if (!trusted.Contains(peer)) return client;
  if (source == ForwardedSource::kXForwardedFor) client.https = SchemeSaid(fields);
  Walk walk(fields, source);
  while (trusted.Contains(client.address)) {
    const auto element = walk.Next();
    if (!element) break;
    client.address = element->address;
    client.chain[client.hops++] = element->address;
    if (source == ForwardedSource::kForwarded) client.https = element->https;
  }
  return client;
}

}  // namespace gatebook::http
