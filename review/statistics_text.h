// Statistics as text: a table for people, plain lines for tools, JSON for programs.
//
// Thread: pure functions.
#pragma once

#include <string>

#include "base/clock.h"
#include "review/render.h"
#include "review/statistics.h"

namespace gatebook::review {

struct StatisticsShown {
  base::WallTime since{};
  base::WallTime until{};
  size_t top = 10;  // rows a dimension, but for those that are shown whole
  Form form = Form::kTable;
};

// Whole, with its end. Plain lines are `dimension value visits sessions` with tabs between; the first
// three have the dimension "total". A figure that is not exact says by how much in the table (±) and in JSON.
std::string RenderStatistics(const Statistics& statistics, const StatisticsShown& shown);

}  // namespace gatebook::review
