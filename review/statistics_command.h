// The command `gatebook stats`, without its command line.
//
// Thread: one, which it blocks. Output goes to `out`, complaints to standard error.
// It returns the exit code: 0 something was counted, 1 nothing matched, 2 a bad option,
// 69 Redis is unreachable, 74 `out` can't be written.
#pragma once

#include <cstdio>
#include <string>

#include "base/clock.h"
#include "config/config.h"

namespace gatebook::review {

struct StatisticsOptions {
  std::string since = "24h";  // "2h" (ago), or a time of RFC 3339, within the retention
  std::string until = {};     // likewise; empty: now
  std::string where = {};     // review/query.h; empty: all
  size_t top = 10;
  bool json = false;
};

int RunStatistics(const config::Config& config, const StatisticsOptions& options, const base::Clock& clock,
                  std::FILE* out, bool terminal);

}  // namespace gatebook::review
