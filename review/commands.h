// The commands `gatebook visits` and `gatebook session`, without their command line.
//
// Addresses and names are shown as review/discreet.h says, unless the command says why it wants them whole
// (review/reveal.h).
//
// Thread: one, which they block. Output goes to `out`, complaints to standard error.
// They return the exit code: 0 something was shown, 1 nothing matched, or they may not see it, 2 a bad
// option, 69 Redis is unreachable, 73, 74 the audit log or `out` can't be written.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "base/clock.h"
#include "config/config.h"
#include "review/render.h"
#include "review/reveal.h"

namespace gatebook::review {

struct VisitsOptions {
  // Empty: from when `where` says, else an hour ago; with follow: now.
  std::optional<base::WallTime> since = {};
  std::optional<base::WallTime> until = {};
  std::string ip = {};       // an address or a network; empty: all
  std::string session = {};  // empty: all
  std::string query = {};    // the name of a [[query]]; empty: none
  std::string where = {};    // review/query.h; empty: all
  uint64_t limit = 0;        // 0: no limit; else no more than so many, the first
  bool newest_first = false;
  bool follow = false;
  std::optional<Form> form = {};  // empty: a table on a terminal, else plain
  RevealOptions reveal = {};
  // Ends --follow when set.
  const std::atomic<bool>* stop = nullptr;
};

int RunVisits(const config::Config& config, const VisitsOptions& options, std::FILE* out, bool terminal);

struct SessionOptions {
  std::string session;
  // Empty: a table on a terminal, else plain. How it began stands first in a table, plain lines and JSON; the
  // other forms are for tools that know visits only.
  std::optional<Form> form = {};
  RevealOptions reveal = {};
};

// How the session began, and its visits.
int RunSession(const config::Config& config, const SessionOptions& options, std::FILE* out, bool terminal);

}  // namespace gatebook::review
