// The dimensions by which visits are counted: one table, and what a visit has in each.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "logger/visit_record.h"

namespace gatebook::review {

// X(enumerator, name, plural, all in order)
// Those in order have few values and are shown whole; of the others the most frequent are.
#define GATEBOOK_DIMENSIONS(X)                 \
  X(kChannel, "channel", "channels", false)    \
  X(kReferrer, "referrer", "referrers", false) \
  X(kCountry, "country", "countries", false)   \
  X(kNetwork, "network", "networks", false)    \
  X(kPage, "page", "pages", false)             \
  X(kStatus, "status", "statuses", false)      \
  X(kDevice, "device", "devices", false)       \
  X(kHour, "hour", "hours", true)

#define GATEBOOK_ENUMERATOR(enumerator, name, plural, in_order) enumerator,
enum class Dimension : uint8_t { GATEBOOK_DIMENSIONS(GATEBOOK_ENUMERATOR) };
#undef GATEBOOK_ENUMERATOR
#define GATEBOOK_ONE(enumerator, name, plural, in_order) +1
inline constexpr size_t kDimensions = 0 GATEBOOK_DIMENSIONS(GATEBOOK_ONE);
#undef GATEBOOK_ONE

struct DimensionInfo {
  Dimension dimension;
  std::string_view name;
  std::string_view plural;
  bool in_order;
};
// In the order in which they are shown.
std::span<const DimensionInfo> AllDimensions();

// What the visit has in it; empty: nothing is known. A view into the visit, or made into `scratch`.
//
//   channel    direct, search, …            page     host and path, masked as recorded
//   referrer   https://www.example.com      status   200; 0: the client left before there was one
//   country    FI                           device   review/device_class.h
//   network    AS64500 Example Oy           hour     of the day, UTC: 00 to 23
std::string_view ValueOf(const logger::StoredVisit& visit, Dimension dimension, std::string& scratch);

}  // namespace gatebook::review
