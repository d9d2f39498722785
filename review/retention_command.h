// The command `gatebook retention`, without its command line.
//
// Thread: one, which it blocks. Output goes to `out`, complaints to standard error.
// They return the exit code: 0 every promise is kept, 1 one is broken, 69 Redis is unreachable, 74 a file
// can't be read or `out` not written.
#pragma once

#include <cstdio>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "config/config.h"

namespace gatebook::review {

struct RetentionOptions {
  bool json = false;
  bool quick = false;  // not every entry
};

// `names`: how many names the running edge holds in memory; nothing if none runs.
int RunRetention(const config::Config& config, const RetentionOptions& options, const base::Clock& clock,
                 const std::function<std::optional<uint64_t>()>& names, std::FILE* out);

// Verifies the ledger's chain and prints it. `expect`: a digest that must be in it; empty: any will do.
int RunLedger(const config::Config& config, const std::string& expect, bool json, std::FILE* out);

}  // namespace gatebook::review
