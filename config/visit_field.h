// The fields of a visit, as rows of one table: what each is for, and whether it may be left out.
//
// visit.fields and declaration.fields speak in these names; the page that tells visitors what is recorded and
// docs/data-model.md are made from the rows.
//
// Thread: const; any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatebook::config {

// X(enumerator, name, its names in JSON, optional, what it is, what for)
#define GATEBOOK_RECORDED_FIELDS(X)                                                                                 \
  X(kId, "id", "id", false, "number of the visit", "to store it once, and to find it again")                     \
  X(kTime, "time", "time", false, "time of visit", "administration and statistics")                              \
  X(kSession, "session", "session session_new", false, "session identifier",                                     \
    "to tell visits of one sitting from others; it lives as long as session.lifetime says")                       \
  X(kOpen, "open", "open", false, "whether it is still under way", "to complete it later")                       \
  X(kIp, "ip", "ip", false, "IP address", "security: to see and to stop abuse")                                  \
  X(kDns, "dns", "dns dns_check", true, "DNS name of the address, and whether it is confirmed",                  \
    "security: to know whose network it is")                                                                     \
  X(kChannel, "channel", "channel", true, "kind of the source of the visit", "statistics: how visitors find us") \
  X(kReferrer, "referrer", "referrer", true, "site that led here, without page",                                 \
    "statistics: which sites lead here")                                                                         \
  X(kCampaign, "campaign", "utm_source utm_medium utm_campaign", true, "campaign named in the link",             \
    "statistics: which campaigns work")                                                                          \
  X(kCountry, "country", "country", true, "country of the address", "statistics and security")                   \
  X(kNetwork, "network", "asn as_org", true, "network operator of the address", "security: whom to write to")    \
  X(kCity, "city", "city", true, "city of the address", "statistics")                                            \
  X(kMethod, "method", "method", false, "kind of request", "administration")                                     \
  X(kHost, "host", "host", true, "host asked for", "administration")                                             \
  X(kPath, "path", "path", true, "page asked for, with numbers, addresses and tokens masked",                    \
    "administration and statistics")                                                                             \
  X(kQuery, "query", "query", true, "parameters that are on a list", "administration")                           \
  X(kStatus, "status", "status", false, "outcome", "administration: to see faults")                              \
  X(kBytes, "bytes", "bytes_in bytes_out", false, "sizes", "administration: to plan capacity")                    \
  X(kDuration, "duration", "duration_us upstream_us", false, "durations", "administration: to see slowness")      \
  X(kProtocol, "protocol", "protocol tls", false, "protocol and TLS version", "security")                        \
  X(kUserAgent, "user_agent", "user_agent", true, "name that the browser gives itself",                          \
    "security, and statistics of kinds of devices")                                                              \
  X(kRequestId, "request_id", "request_id", false, "number shared with the service behind",                       \
    "administration: to follow a fault")                                                                         \
  X(kDenied, "denied", "denied rule", false, "why it was refused", "security")                                   \
  X(kPurpose, "purpose", "purpose", false, "what it may be used for", "to honour objections")                    \
  X(kPolicy, "policy", "policy", false, "version of the policy in force", "to show under which promise")

enum class VisitField : uint8_t {
#define GATEBOOK_RECORDED_FIELD_ENUM(name, text, members, optional, what, purpose) name,
  GATEBOOK_RECORDED_FIELDS(GATEBOOK_RECORDED_FIELD_ENUM)
#undef GATEBOOK_RECORDED_FIELD_ENUM
      kCount
};

struct VisitFieldInfo {
  std::string_view name;
  std::string_view members;  // separated by spaces
  bool optional;
  std::string_view what;
  std::string_view purpose;
};
const VisitFieldInfo& InfoOf(VisitField field);
std::optional<VisitField> FindVisitField(std::string_view name);
// All that may be left out, which is what is recorded by default.
std::vector<std::string> OptionalVisitFields();

// Which fields are recorded.
class VisitFieldSet {
 public:
  VisitFieldSet() = default;  // none
  // The fields that are always recorded, and those named.
  explicit VisitFieldSet(const std::vector<std::string>& optional);
  bool Has(VisitField field) const { return (bits_ >> static_cast<unsigned>(field) & 1) != 0; }
  void Remove(VisitField field) { bits_ &= ~(1U << static_cast<unsigned>(field)); }

 private:
  uint32_t bits_ = 0;  // by row
};

}  // namespace gatebook::config
