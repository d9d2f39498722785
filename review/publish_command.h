// The command `gatebook stats publish`, without its command line.
//
// Days that are not counted yet are counted, and their figures kept (review/figures_store.h); then
// PERIOD.html, PERIOD.json and index.html are written.
//
// Thread: one, which it blocks. Complaints go to standard error, the names of the files to `out`.
// It returns the exit code: 0 written, 1 the period was not counted in time, 2 a bad period or one that is
// not over, 69 Redis is unreachable, 73 the directory can't be made, 74 a file can't be written.
#pragma once

#include <cstdio>
#include <string>

#include "base/clock.h"
#include "config/config.h"

namespace gatebook::review {

struct PublishOptions {
  std::string day = {};    // exactly one of the three: 2026-11-27
  std::string week = {};   // 2026-W48
  std::string month = {};  // 2026-11
  std::string directory = {};
  std::string title = "Visitors";
};

int RunPublish(const config::Config& config, const PublishOptions& options, const base::Clock& clock,
               std::FILE* out);

}  // namespace gatebook::review
