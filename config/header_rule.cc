#include "config/header_rule.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/ascii.h"
#include "base/check.h"
#include "config/text_checks.h"

namespace gatebook::config {
namespace {

using Action = HeaderRule::Action;

constexpr size_t kLongestValue = 4096;

constexpr std::array<std::string_view, 3> kActions = {"set ", "add ", "remove "};

// Lower case; a name that ends with '-' stands for all that begin so.
constexpr auto kOurs = std::to_array<std::string_view>({
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "proxy",
    "proxy-",
    "expect",
    "forwarded",
    "x-forwarded-",
    "x-real-ip",
    "via",
    "x-request-id",
    "x-session-id",
    "x-gatebook-",
    "sec-websocket-",
    "http2-settings",
    "traceparent",
    "tracestate",
});
constexpr auto kSecrets = std::to_array<std::string_view>({"authorization", "cookie", "set-cookie"});

bool IsNamed(std::string_view name, std::string_view row) {
  if (row.ends_with('-')) return base::EqualsIgnoreCase(name.substr(0, row.size()), row);
  return base::EqualsIgnoreCase(name, row);
}

bool IsAmong(std::string_view name, std::span<const std::string_view> rows) {
  return std::ranges::any_of(rows, [&](std::string_view row) { return IsNamed(name, row); });
}

// The rule as it is written; nothing where it has not even the form.
std::optional<HeaderRule> Split(std::string_view text) {
  for (size_t i = 0; i < kActions.size(); ++i) {
    if (!text.starts_with(kActions[i])) continue;
    const std::string_view rest = text.substr(kActions[i].size());
    const auto action = static_cast<Action>(i);
    if (action == Action::kRemove) return HeaderRule{action, std::string(rest), ""};
    const size_t colon = rest.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    return HeaderRule{action, std::string(rest.substr(0, colon)),
                      std::string(base::TrimOws(rest.substr(colon + 1)))};
  }
  return std::nullopt;
}

const char* CheckRule(std::string_view text) {
  const auto rule = Split(text);
  if (!rule) return "not a rule: write \"set NAME: VALUE\", \"add NAME: VALUE\" or \"remove NAME\"";
  if (CheckToken(rule->name) != nullptr)
    return "the name of the field is not a token of at most 64 characters";
  // Servers may read it as a hyphen; such fields of clients are dropped for that reason.
  if (rule->name.find('_') != std::string::npos) return "the name of a field has no underscore";
  if (IsAmong(rule->name, kOurs)) {
    return "this field frames, routes or identifies the message: Gatebook writes it itself";
  }
  if (rule->action == Action::kRemove) return nullptr;
  if (IsAmong(rule->name, kSecrets)) return "credentials and cookies can only be removed";
  if (rule->value.empty()) return "the value is missing; to take a field away write \"remove NAME\"";
  if (rule->value.size() > kLongestValue) return "a value is at most 4096 bytes long";
  const bool visible = std::ranges::all_of(rule->value, [](char c) { return c >= ' ' && c < 0x7f; });
  return visible ? nullptr : "a value consists of visible ASCII characters and spaces";
}

}  // namespace

const char* CheckRequestRule(std::string_view text) { return CheckRule(text); }

const char* CheckResponseRule(std::string_view text) {
  if (const char* complaint = CheckRule(text)) return complaint;
  const auto rule = Split(text);
  const bool hsts = base::EqualsIgnoreCase(rule->name, "strict-transport-security");
  return hsts && rule->action != Action::kRemove ? "tls.hsts says what this field holds" : nullptr;
}

HeaderRule ParseHeaderRule(std::string_view text) {
  auto rule = Split(text);
  CHECK(rule);
  return *std::move(rule);
}

std::string FormatHeaderRule(const HeaderRule& rule) {
  std::string text(kActions[static_cast<size_t>(rule.action)]);
  text += rule.name;
  if (rule.action != Action::kRemove) text += ": " + rule.value;
  return text;
}

}  // namespace gatebook::config
