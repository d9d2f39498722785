#include "review/retention_places.h"

#include "logger/redis_keys.h"

namespace gatebook::review {
namespace {

constexpr PlaceInfo kPlaces[] = {
#define GATEBOOK_PLACE_ROW(name, slug, what, looked, promise) {slug, what, looked, promise},
    GATEBOOK_RETENTION_PLACES(GATEBOOK_PLACE_ROW)
#undef GATEBOOK_PLACE_ROW
};

}  // namespace

const PlaceInfo& InfoOf(Place place) { return kPlaces[static_cast<size_t>(place)]; }

Place PlaceOfKey(std::string_view key) {
  if (key.starts_with("gb:visits:")) return Place::kVisits;
  if (key.starts_with("gb:index:")) return Place::kIndex;
  if (key == logger::kEdgesKey) return Place::kEdges;
  if (key.starts_with("gb:stats:")) return Place::kCounts;
  return Place::kOtherKeys;
}

}  // namespace gatebook::review
