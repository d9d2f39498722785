// The fields of a visit as people and tools see them: one table from which the
// query language, JSON, and the documentation take their names.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "logger/visit_record.h"

namespace gatebook::review {

enum class FieldKind {
  kText,
  kNumber,
  kTime,     // WallTime
  kFlag,     // bool
  kAddress,  // text that is an IP address
};

// X(enumerator, name, kind), in the order in which they are shown. docs/data-model.md says what each means.
#define GATEBOOK_VISIT_FIELDS(X)         \
  X(kId, "id", kText)                    \
  X(kTime, "time", kTime)                \
  X(kSession, "session", kText)          \
  X(kSessionNew, "session_new", kFlag)   \
  X(kOpen, "open", kFlag)                \
  X(kIp, "ip", kAddress)                 \
  X(kDns, "dns", kText)                  \
  X(kDnsCheck, "dns_check", kText)       \
  X(kChannel, "channel", kText)          \
  X(kReferrer, "referrer", kText)        \
  X(kUtmSource, "utm_source", kText)     \
  X(kUtmMedium, "utm_medium", kText)     \
  X(kUtmCampaign, "utm_campaign", kText) \
  X(kCountry, "country", kText)          \
  X(kAsn, "asn", kNumber)                \
  X(kAsOrg, "as_org", kText)             \
  X(kCity, "city", kText)                \
  X(kMethod, "method", kText)            \
  X(kHost, "host", kText)                \
  X(kPath, "path", kText)                \
  X(kQuery, "query", kText)              \
  X(kStatus, "status", kNumber)          \
  X(kBytesIn, "bytes_in", kNumber)       \
  X(kBytesOut, "bytes_out", kNumber)     \
  X(kDurationUs, "duration_us", kNumber) \
  X(kUpstreamUs, "upstream_us", kNumber) \
  X(kProtocol, "protocol", kText)        \
  X(kTls, "tls", kText)                  \
  X(kUserAgent, "user_agent", kText)     \
  X(kRequestId, "request_id", kText)     \
  X(kDenied, "denied", kText)            \
  X(kRule, "rule", kText)                \
  X(kPurpose, "purpose", kText)          \
  X(kPolicy, "policy", kText)

#define GATEBOOK_ENUMERATOR(enumerator, name, kind) enumerator,
enum class Field : uint8_t { GATEBOOK_VISIT_FIELDS(GATEBOOK_ENUMERATOR) };
#undef GATEBOOK_ENUMERATOR

struct FieldInfo {
  Field field;
  std::string_view name;
  FieldKind kind;
};
// In the table's order.
std::span<const FieldInfo> AllFields();

// "campaign" is understood as utm_campaign.
const FieldInfo* FindField(std::string_view name);
// The known name that was most likely meant.
std::optional<std::string_view> NearestField(std::string_view name);

// Texts are views into the visit, but of id and purpose, which are made into `scratch`.
std::string_view TextOf(const logger::StoredVisit& visit, Field field, std::string& scratch);
// What a visit may be used for, as a JSON array.
std::string_view PurposesAsJson(uint8_t purpose);
uint64_t NumberOf(const logger::StoredVisit& visit, Field field);
bool FlagOf(const logger::StoredVisit& visit, Field field);

}  // namespace gatebook::review
