#include "proxy/reload.h"

namespace gatebook::proxy {

std::vector<std::string> KeysThatNeedRestart(const config::Config& started, const config::Config& next) {
  std::vector<std::string> keys;
  const auto look = [&keys](const char* key, const auto& one, const auto& other) {
    if (!(one == other)) keys.emplace_back(key);
  };
  look("edge.name", started.edge.name, next.edge.name);
  look("edge.workers", started.edge.workers, next.edge.workers);
  look("edge.user", started.edge.user, next.edge.user);
  look("session.key_file", started.session.key_file, next.session.key_file);
  look("[redis]", started.redis, next.redis);
  look("[journal]", started.journal, next.journal);
  // Deadlines of what is in the journal already are made of it.
  look("visit.retention", started.visit.retention, next.visit.retention);
  look("[retention]", started.retention, next.retention);
  look("[dns]", started.dns, next.dns);
  look("[geo]", started.geo, next.geo);
  look("[statistics]", started.statistics, next.statistics);
  look("[admin]", started.admin, next.admin);
  // Who came in while nobody counted could not be counted out.
  if ((started.limits.connections_per_address == 0) != (next.limits.connections_per_address == 0)) {
    keys.emplace_back("limits.connections_per_address from or to 0");
  }
  return keys;
}

}  // namespace gatebook::proxy
