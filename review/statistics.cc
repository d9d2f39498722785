#include "review/statistics.h"

namespace gatebook::review {

Statistics::Statistics(size_t bound) : dimensions_(kDimensions, TopValues(bound)), unknown_(kDimensions, 0) {}

void Statistics::Take(const logger::StoredVisit& visit) {
  if ((visit.purpose & logger::kPurposeStatistics) == 0) return;
  ++visits_;
  new_sessions_ += visit.session_new ? 1 : 0;
  const uint64_t session = hash_(visit.session);
  sessions_.Add(session);
  for (const DimensionInfo& info : AllDimensions()) {
    const auto index = static_cast<size_t>(info.dimension);
    const std::string_view value = ValueOf(visit, info.dimension, scratch_);
    if (value.empty()) {
      ++unknown_[index];
    } else {
      dimensions_[index].Count(value, session);
    }
  }
}

}  // namespace gatebook::review
