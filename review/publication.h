// Publication: the figures of a period, as they go out: JSON, and what review/publication_page.h draws.
//
// Made of DayFigures only: publishing more, or longer, periods tells nothing more than the days do.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "review/day_figures.h"
#include "review/period.h"

namespace gatebook::review {

struct Publication {
  enum class DayState {
    kTold,     // its figures are in the sums
    kTooFew,   // too few to tell anything of it; also if nobody came
    kMissing,  // its visits were over before anybody counted them
  };
  struct DayLine {
    Day day{};
    DayState state = DayState::kMissing;
    uint64_t sessions = 0;
  };
  struct EarlierLine {
    Period period;
    uint64_t sessions = 0;
    uint32_t days = 0;  // that are told
  };

  Period period;
  uint32_t k = 0;                      // the least of the days'
  uint32_t round = 0;                  // likewise
  uint32_t sessions_of_a_network = 0;  // the most of the days'
  uint32_t sampled = 1;                // likewise
  uint64_t sessions = 0;               // the sum of the days'
  std::vector<DayLine> days = {};
  DimensionRows rows = {};
  std::vector<EarlierLine> earlier =
      {};  // of the same kind, oldest first, without those of which nothing is told

  bool IsEmpty() const { return sessions == 0; }
};

// The periods before `period` whose figures stand beside it: two weeks of days, twelve weeks, twelve months.
std::vector<Period> EarlierPeriods(const Period& period);

// `figures`: those there are of the period and of the earlier ones.
Publication MakePublication(const Period& period, const std::map<Day, DayFigures>& figures,
                            const config::Statistics& rules);

// Indented, with its end. docs/statistics.md says what its members mean.
std::string ToJson(const Publication& publication);
std::string_view ToText(Publication::DayState state);

}  // namespace gatebook::review
