#include "logger/visit.h"

#include <fmt/format.h>

#include <charconv>

#include "base/hex.h"

namespace gatebook::logger {
namespace {

#define GATEBOOK_TEXT(name, text) text,
constexpr std::string_view kChannelTexts[] = {GATEBOOK_CHANNELS(GATEBOOK_TEXT)};
constexpr std::string_view kProtocolTexts[] = {GATEBOOK_PROTOCOLS(GATEBOOK_TEXT)};
constexpr std::string_view kDnsCheckTexts[] = {GATEBOOK_DNS_CHECKS(GATEBOOK_TEXT)};
#undef GATEBOOK_TEXT

template <typename Enum, size_t kCount>
std::optional<Enum> Find(const std::string_view (&texts)[kCount], std::string_view text) {
  for (size_t i = 0; i < kCount; ++i) {
    if (texts[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

// A whole number without sign or leading zeros, taken off the front of `text`
// together with `end` behind it (0: the text ends).
template <typename Number>
bool TakeNumber(std::string_view* text, char end, Number* number) {
  const auto [stop, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  const size_t digits = static_cast<size_t>(stop - text->data());
  if (error != std::errc() || digits == 0 || (digits > 1 && text->front() == '0')) return false;
  text->remove_prefix(digits);
  if (end == 0) return text->empty();
  if (text->empty() || text->front() != end) return false;
  text->remove_prefix(1);
  return true;
}

}  // namespace

std::string_view ToText(Channel channel) { return kChannelTexts[static_cast<size_t>(channel)]; }
std::string_view ToText(Protocol protocol) { return kProtocolTexts[static_cast<size_t>(protocol)]; }
std::string_view ToText(DnsCheck check) { return kDnsCheckTexts[static_cast<size_t>(check)]; }

std::optional<Channel> ParseChannel(std::string_view text) { return Find<Channel>(kChannelTexts, text); }
std::optional<Protocol> ParseProtocol(std::string_view text) { return Find<Protocol>(kProtocolTexts, text); }
std::optional<DnsCheck> ParseDnsCheck(std::string_view text) { return Find<DnsCheck>(kDnsCheckTexts, text); }

std::string ToText(const SessionId& session) { return base::ToBase64Url(session.bytes); }

std::optional<SessionId> ParseSessionId(std::string_view text) {
  SessionId session;
  if (!base::FromBase64Url(text, session.bytes)) return std::nullopt;
  return session;
}

std::string ToText(const VisitId& id, std::string_view edge) {
  return fmt::format("{}.{}-{}-{}", edge, id.worker, id.milliseconds, id.n);
}

std::optional<NamedVisitId> ParseVisitId(std::string_view text) {
  const size_t dot = text.find('.');  // an edge's name has none
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  NamedVisitId named{text.substr(0, dot), {}};
  text.remove_prefix(dot + 1);
  if (!TakeNumber(&text, '-', &named.id.worker) || !TakeNumber(&text, '-', &named.id.milliseconds) ||
      !TakeNumber(&text, 0, &named.id.n)) {
    return std::nullopt;
  }
  return named;
}

}  // namespace gatebook::logger
