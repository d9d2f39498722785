// DayFigures: what is told of one day: a DaySample under DisclosureControl, and nothing else of it.
//
// They hold nothing personal, so they may outlive the visits. Longer periods are sums of days as they are
// told, never counted anew: a week then shows nothing that its days do not, and no difference of the two can.
//
// Thread: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "review/day_sample.h"
#include "review/disclosure_control.h"
#include "review/period.h"

namespace gatebook::review {

using DimensionRows = std::array<std::vector<FigureRow>, kPublishedDimensions>;

struct DayFigures {
  Day day{};
  uint32_t k = 0;
  uint32_t round = 0;
  uint32_t sessions_of_a_network = 0;
  uint32_t sampled = 1;   // one network in so many was counted, for all
  uint64_t sessions = 0;  // 0: too few to tell anything, or none
  DimensionRows rows;

  static DayFigures Of(Day day, const CountedDay& counted, const config::Statistics& rules);

  // One line of JSON, and back; nothing if it is damaged.
  std::string ToJson() const;
  static std::optional<DayFigures> FromJson(std::string_view text);

  bool operator==(const DayFigures&) const = default;
};

// Adds `rows` to `sum`, by value; a figure without parts to one with them counts among its others.
void Add(std::vector<FigureRow>& sum, const std::vector<FigureRow>& rows);

}  // namespace gatebook::review
