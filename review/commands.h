// The commands `gatebook visits` and `gatebook session`, without their command line.
//
// Thread: one, which they block. Output goes to `out`, complaints to standard error.
// They return the exit code: 0 something was shown, 1 nothing matched, 2 a bad option,
// 69 Redis is unreachable, 74 `out` can't be written.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "base/clock.h"
#include "config/config.h"

namespace gatebook::review {

struct VisitsOptions {
  std::optional<base::WallTime> since = {};  // empty: an hour ago; with follow: now
  std::optional<base::WallTime> until = {};
  std::string ip = {};       // an address or a network; empty: all
  std::string session = {};  // empty: all
  std::string where = {};    // review/query.h; empty: all
  uint64_t limit = 0;        // 0: no limit; else no more than so many, the first
  bool follow = false;
  bool json = false;
  // Ends --follow when set.
  const std::atomic<bool>* stop = nullptr;
};

int RunVisits(const config::Config& config, const VisitsOptions& options, std::FILE* out, bool terminal);

// How the session began, and its visits.
int RunSession(const config::Config& config, const std::string& session, bool json, std::FILE* out,
               bool terminal);

}  // namespace gatebook::review
