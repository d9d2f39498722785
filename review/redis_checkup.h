// ExamineRedis: everything that an operator would be woken for about a Redis.
//
// Asks and changes nothing: what has to be known of rights is asked inside a transaction that is never
// executed (Redis checks rights when a command is queued).
//
// Thread: one, which it blocks: one connection, some twenty commands.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "config/config.h"
#include "review/checkup.h"

namespace gatebook::review {

// `instance`: that of our journal, by which the edge's name is claimed; empty: there is none yet.
void ExamineRedis(const config::Config& config, const std::string& instance, const base::Clock& clock,
                  Checkup& checkup);

// What a Redis says of itself, and what that means.
struct RedisFacts {
  std::map<std::string, std::string> info;  // INFO
  // CONFIG GET; nothing where the user may not ask.
  std::optional<std::string> save = {};
  std::optional<std::string> appendfsync = {};
};
void JudgeRedis(const config::Config& config, const RedisFacts& facts, Checkup& checkup);

}  // namespace gatebook::review
