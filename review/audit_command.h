// The command `gatebook audit`, without its command line: who saw what is hidden, when, what and why.
//
// Thread: one, which it blocks. Output goes to `out`, complaints to standard error.
// It returns the exit code: 0 well, 1 nothing matched or the chain is broken, 2 a bad option, 74 the log
// can't be read or `out` can't be written.
#pragma once

#include <cstdio>
#include <string>

#include "base/clock.h"
#include "config/config.h"

namespace gatebook::review {

struct AuditOptions {
  std::string since = {};  // "2h" (ago), or a time of RFC 3339; empty: from the beginning
  std::string until = {};
  std::string who = {};      // empty: all
  bool json = false;         // an object a line
  bool only_verify = false;  // says whether the chain holds, and its last digest
};

int RunAudit(const config::Config& config, const AuditOptions& options, const base::Clock& clock,
             std::FILE* out, bool terminal);

}  // namespace gatebook::review
