// Visit: one exchange as written in the book.
//
// One struct for the worker that writes, the journal that carries and the
// recorder that reads: its texts are views into memory of whoever made it
// (a request's buffer, a mapped segment), valid as long as that says.
//
// The texts have been made harmless before they stand here (logger/mask.h,
// logger/text.h): valid UTF-8 without control characters, capped, personal
// parts of path and query masked. No credentials, no bodies, ever.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ip_address.h"

namespace gatebook::logger {

// 128 random bits.
struct SessionId {
  std::array<uint8_t, 16> bytes{};
  auto operator<=>(const SessionId&) const = default;
};
std::string ToText(const SessionId& session);  // base64url, 22 characters
// Equal for equal sessions, and as random as they are.
inline uint64_t HashOf(const SessionId& session) {
  uint64_t hash;
  static_assert(sizeof hash <= sizeof session.bytes);
  std::memcpy(&hash, session.bytes.data(), sizeof hash);
  return hash;
}
std::optional<SessionId> ParseSessionId(std::string_view text);

// Unique within an edge's worker and growing with the journal:
// <edge>.<worker>-<milliseconds>-<n>. The milliseconds are the record's, not the arrival's.
struct VisitId {
  uint32_t worker = 0;
  uint64_t milliseconds = 0;
  uint32_t n = 0;
  auto operator<=>(const VisitId&) const = default;
};
std::string ToText(const VisitId& id, std::string_view edge);
// `edge` is a view into what was parsed. Only the one canonical form is accepted.
struct NamedVisitId {
  std::string_view edge;
  VisitId id;
};
std::optional<NamedVisitId> ParseVisitId(std::string_view text);

// X(enumerator, text)
#define GATEBOOK_CHANNELS(X)                                                                  \
  X(kDirect, "direct")                                                                        \
  X(kInternal, "internal") X(kSearch, "search") X(kSocial, "social") X(kCampaign, "campaign") \
      X(kReferral, "referral") X(kUnrecorded, "unrecorded")
#define GATEBOOK_PROTOCOLS(X) X(kH1, "h1") X(kH2, "h2") X(kWs, "ws")
#define GATEBOOK_DNS_CHECKS(X)                                                                  \
  X(kConfirmed, "confirmed")                                                                    \
  X(kUnconfirmed, "unconfirmed") X(kNone, "none") X(kTimeout, "timeout") X(kInvalid, "invalid") \
      X(kSkipped, "skipped")

// The numbers of the rows stand in journals: add at the end, never reorder.
#define GATEBOOK_ENUMERATOR(name, text) name,
enum class Channel : uint8_t { GATEBOOK_CHANNELS(GATEBOOK_ENUMERATOR) };
enum class Protocol : uint8_t { GATEBOOK_PROTOCOLS(GATEBOOK_ENUMERATOR) };
enum class DnsCheck : uint8_t { GATEBOOK_DNS_CHECKS(GATEBOOK_ENUMERATOR) };
#undef GATEBOOK_ENUMERATOR
#define GATEBOOK_ONE(name, text) +1
inline constexpr size_t kChannels = 0 GATEBOOK_CHANNELS(GATEBOOK_ONE);
inline constexpr size_t kProtocols = 0 GATEBOOK_PROTOCOLS(GATEBOOK_ONE);
inline constexpr size_t kDnsChecks = 0 GATEBOOK_DNS_CHECKS(GATEBOOK_ONE);
#undef GATEBOOK_ONE

std::string_view ToText(Channel channel);
std::string_view ToText(Protocol protocol);
std::string_view ToText(DnsCheck check);
std::optional<Channel> ParseChannel(std::string_view text);
std::optional<Protocol> ParseProtocol(std::string_view text);
std::optional<DnsCheck> ParseDnsCheck(std::string_view text);

// Purposes, as bits. Administrative always.
inline constexpr uint8_t kPurposeAdministrative = 1;
inline constexpr uint8_t kPurposeStatistics = 2;

// Caps in octets, applied by who fills a Visit; the journal refuses more.
inline constexpr size_t kMostHost = 255;
inline constexpr size_t kMostPath = 1024;
inline constexpr size_t kMostQuery = 512;
inline constexpr size_t kMostReferrer = 300;
inline constexpr size_t kMostCampaignPart = 100;
inline constexpr size_t kMostUserAgent = 512;
inline constexpr size_t kMostMethod = 24;
inline constexpr size_t kMostDenied = 64;
inline constexpr size_t kMostRule = 64;
inline constexpr size_t kMostPolicy = 32;

// What a worker knows of a visit. Name and place are the recorder's to add.
struct Visit {
  base::WallTime arrival{};
  SessionId session;
  bool session_new = false;
  bool open = false;  // still under way when written; a Closing will follow
  base::IpAddress ip;
  Channel channel = Channel::kDirect;
  Protocol protocol = Protocol::kH1;
  uint8_t tls_version = 0;  // 0 plain, 12, 13
  uint8_t purpose = kPurposeAdministrative | kPurposeStatistics;
  uint16_t status = 0;    // 0: the client left before there was one
  uint64_t bytes_in = 0;  // body bytes
  uint64_t bytes_out = 0;
  uint64_t duration_us = 0;
  uint64_t upstream_us = 0;  // request handed over to the response's head
  uint64_t request_id = 0;   // text form: 16 hex digits
  std::string_view method;
  std::string_view host;
  std::string_view path;      // masked
  std::string_view query;     // allow-listed parameters only
  std::string_view referrer;  // origin only
  std::string_view utm_source;
  std::string_view utm_medium;
  std::string_view utm_campaign;
  std::string_view user_agent;
  std::string_view denied;  // why the guard or the parser refused it
  std::string_view rule;
  std::string_view policy;
};

// Completes a visit that was written open. Holds nothing personal.
struct Closing {
  VisitId of;
  uint16_t status = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint64_t duration_us = 0;
  uint64_t upstream_us = 0;
  std::string_view denied = {};  // why it was ended, if a rule or a limit did
};

// What the recorder adds.
struct Name {
  DnsCheck check = DnsCheck::kSkipped;
  std::string_view text;  // lower-case letters-digits-hyphen-underscore-dot, at most 253
};
struct Place {
  std::string_view country;  // ISO 3166-1 alpha-2, upper case
  std::string_view city;
  std::string_view as_org;
  uint32_t asn = 0;
};

}  // namespace gatebook::logger
