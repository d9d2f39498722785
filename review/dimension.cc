#include "review/dimension.h"

#include <fmt/format.h>

#include "review/device_class.h"

namespace gatebook::review {
namespace {

constexpr DimensionInfo kAll[] = {
#define GATEBOOK_ROW(enumerator, name, plural, in_order) {Dimension::enumerator, name, plural, in_order},
    GATEBOOK_DIMENSIONS(GATEBOOK_ROW)
#undef GATEBOOK_ROW
};

}  // namespace

std::span<const DimensionInfo> AllDimensions() { return kAll; }

std::string_view ValueOf(const logger::StoredVisit& visit, Dimension dimension, std::string& scratch) {
  scratch.clear();
  switch (dimension) {
    case Dimension::kChannel:
      return visit.channel;
    case Dimension::kReferrer:
      return visit.referrer;
    case Dimension::kCountry:
      return visit.country;
    case Dimension::kNetwork:
      if (visit.asn == 0) return {};
      fmt::format_to(std::back_inserter(scratch), "AS{}", visit.asn);
      if (!visit.as_org.empty()) scratch.append(" ").append(visit.as_org);
      return scratch;
    case Dimension::kPage:
      return scratch.append(visit.host).append(visit.path);
    case Dimension::kStatus:
      fmt::format_to(std::back_inserter(scratch), "{}", visit.status);
      return scratch;
    case Dimension::kDevice:
      return ToText(DeviceClassOf(visit.user_agent));
    case Dimension::kHour: {
      const auto since_midnight = visit.arrival - std::chrono::floor<std::chrono::days>(visit.arrival);
      const auto hour = std::chrono::floor<std::chrono::hours>(since_midnight);
      fmt::format_to(std::back_inserter(scratch), "{:02}", hour.count());
      return scratch;
    }
  }
  return {};
}

}  // namespace gatebook::review
