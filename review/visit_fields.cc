#include "review/visit_fields.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "config/nearest.h"

namespace gatebook::review {
namespace {

constexpr FieldInfo kFields[] = {
#define GATEBOOK_ROW(enumerator, name, kind) {Field::enumerator, name, FieldKind::kind},
    GATEBOOK_VISIT_FIELDS(GATEBOOK_ROW)
#undef GATEBOOK_ROW
};

std::string_view PurposeText(uint8_t purpose) {
  return (purpose & logger::kPurposeStatistics) != 0 ? "administrative statistics" : "administrative";
}

}  // namespace

std::string_view PurposesAsJson(uint8_t purpose) {
  return (purpose & logger::kPurposeStatistics) != 0 ? R"(["administrative","statistics"])"
                                                     : R"(["administrative"])";
}

std::span<const FieldInfo> AllFields() { return kFields; }

const FieldInfo* FindField(std::string_view name) {
  if (name == "campaign") name = "utm_campaign";
  const auto found = std::find_if(std::begin(kFields), std::end(kFields),
                                  [&](const FieldInfo& field) { return field.name == name; });
  return found == std::end(kFields) ? nullptr : found;
}

std::optional<std::string_view> NearestField(std::string_view name) {
  std::vector<std::string_view> names;
  for (const FieldInfo& field : AllFields()) names.push_back(field.name);
  return config::Nearest(name, names);
}

std::string_view TextOf(const logger::StoredVisit& visit, Field field, std::string& scratch) {
  switch (field) {
    case Field::kId:
      scratch = logger::ToText(visit.id, visit.edge);
      return scratch;
    case Field::kSession:
      return visit.session;
    case Field::kIp:
      return visit.ip;
    case Field::kDns:
      return visit.dns;
    case Field::kDnsCheck:
      return visit.dns_check;
    case Field::kChannel:
      return visit.channel;
    case Field::kReferrer:
      return visit.referrer;
    case Field::kUtmSource:
      return visit.utm_source;
    case Field::kUtmMedium:
      return visit.utm_medium;
    case Field::kUtmCampaign:
      return visit.utm_campaign;
    case Field::kCountry:
      return visit.country;
    case Field::kAsOrg:
      return visit.as_org;
    case Field::kCity:
      return visit.city;
    case Field::kMethod:
      return visit.method;
    case Field::kHost:
      return visit.host;
    case Field::kPath:
      return visit.path;
    case Field::kQuery:
      return visit.query;
    case Field::kProtocol:
      return visit.protocol;
    case Field::kTls:
      return visit.tls;
    case Field::kUserAgent:
      return visit.user_agent;
    case Field::kRequestId:
      return visit.request_id;
    case Field::kDenied:
      return visit.denied;
    case Field::kRule:
      return visit.rule;
    case Field::kPurpose:
      return PurposeText(visit.purpose);
    case Field::kPolicy:
      return visit.policy;
    default:
      return {};
  }
}

uint64_t NumberOf(const logger::StoredVisit& visit, Field field) {
  switch (field) {
    case Field::kAsn:
      return visit.asn;
    case Field::kStatus:
      return visit.status;
    case Field::kBytesIn:
      return visit.bytes_in;
    case Field::kBytesOut:
      return visit.bytes_out;
    case Field::kDurationUs:
      return visit.duration_us;
    case Field::kUpstreamUs:
      return visit.upstream_us;
    default:
      return 0;
  }
}

bool FlagOf(const logger::StoredVisit& visit, Field field) {
  return field == Field::kSessionNew ? visit.session_new : field == Field::kOpen && visit.open;
}

}  // namespace gatebook::review
