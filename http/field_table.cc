#include "http/field_table.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace gatebook::http {
namespace {

struct Row {
  std::string_view name;  // lower case
  FieldId id;
  bool hop_by_hop;
};

// In order of length: a name is compared only with those as long as itself.
constexpr auto kRows = std::to_array<Row>({
    {"te", FieldId::kTe, true},
    {"dnt", FieldId::kDnt, false},
    {"via", FieldId::kVia, false},
    {"host", FieldId::kHost, false},
    {"date", FieldId::kDate, false},
    {"proxy", FieldId::kOther, true},
    {"cookie", FieldId::kCookie, false},
    {"expect", FieldId::kExpect, false},
    {"server", FieldId::kServer, false},
    {"referer", FieldId::kReferer, false},
    {"upgrade", FieldId::kUpgrade, true},
    {"trailer", FieldId::kTrailer, true},
    {"sec-gpc", FieldId::kSecGpc, false},
    {"forwarded", FieldId::kForwarded, false},
    {"x-real-ip", FieldId::kXForwarded, false},
    {"connection", FieldId::kConnection, true},
    {"user-agent", FieldId::kUserAgent, false},
    {"set-cookie", FieldId::kSetCookie, false},
    {"keep-alive", FieldId::kKeepAlive, true},
    {"tracestate", FieldId::kTracestate, false},
    {"traceparent", FieldId::kTraceparent, false},
    {"x-request-id", FieldId::kXRequestId, false},
    {"x-session-id", FieldId::kXSessionId, false},
    {"authorization", FieldId::kAuthorization, false},
    {"content-length", FieldId::kContentLength, true},
    {"http2-settings", FieldId::kHttp2Settings, true},
    {"proxy-connection", FieldId::kProxyConnection, true},
    {"transfer-encoding", FieldId::kTransferEncoding, true},
    {"proxy-authenticate", FieldId::kProxyAuthenticate, true},
    {"proxy-authorization", FieldId::kProxyAuthorization, true},
    {"strict-transport-security", FieldId::kStrictTransportSecurity, false},
});
static_assert(std::ranges::is_sorted(kRows, {}, [](const Row& row) { return row.name.size(); }));

constexpr size_t kLongest = kRows.back().name.size();

// kFirst[n]: the first row whose name has at least n characters.
constexpr std::array<uint8_t, kLongest + 2> kFirst = [] {
  std::array<uint8_t, kLongest + 2> first{};
  for (size_t length = 0; length < first.size(); ++length) {
    const auto row = std::ranges::lower_bound(kRows, length, {}, [](const Row& r) { return r.name.size(); });
    first[length] = static_cast<uint8_t>(row - kRows.begin());
  }
  return first;
}();

struct Prefix {
  std::string_view text;
  FieldKind kind;
};
constexpr auto kPrefixes = std::to_array<Prefix>({
    {"x-forwarded-", {FieldId::kXForwarded, false}},
    {"sec-websocket-", {FieldId::kSecWebSocket, false}},
    {"x-gatebook-", {FieldId::kXGatebook, false}},
    {"proxy-", {FieldId::kOther, true}},
});

}  // namespace

FieldKind KindOf(std::string_view name) {
  if (name.size() <= kLongest) {
    for (size_t i = kFirst[name.size()]; i < kFirst[name.size() + 1]; ++i) {
      if (base::EqualsIgnoreCase(name, kRows[i].name)) return {kRows[i].id, kRows[i].hop_by_hop};
    }
  }
  for (const Prefix& prefix : kPrefixes) {
    if (name.size() > prefix.text.size() &&
        base::EqualsIgnoreCase(name.substr(0, prefix.text.size()), prefix.text)) {
      return prefix.kind;
    }
  }
  return {};
}

}  // namespace gatebook::http
