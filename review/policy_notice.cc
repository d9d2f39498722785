#include "review/policy_notice.h"

#include <algorithm>
#include <unordered_map>

namespace gatebook::review {
namespace {

struct Seen {
  base::WallTime first = base::WallTime::max();
  base::WallTime last{};
  bool before = false;  // under an earlier version
  bool after = false;
};

}  // namespace

base::Result<PolicyNoticeCount> CountPolicyNotices(logger::RedisClient& client,
                                                   const config::Session& session, const PolicyChange& change,
                                                   const base::Clock& clock) {
  const base::WallTime now = clock.WallNow();
  VisitsWanted wanted;
  wanted.since = change.since - session.lifetime;
  wanted.until = std::min(now, change.since + session.lifetime) + std::chrono::milliseconds(1);
  PolicyNoticeCount count;
  std::unordered_map<std::string, Seen> sessions;
  const auto read = VisitReader(client, clock).Read(wanted, [&](const logger::StoredVisit& visit) {
    auto found = sessions.find(visit.session);
    if (found == sessions.end()) {
      if (visit.policy == change.version) return true;  // began under the new one
      if (sessions.size() >= kMostPolicySessions) {
        count.complete = false;
        return true;
      }
      found = sessions.try_emplace(visit.session).first;
    }
    Seen& seen = found->second;
    seen.first = std::min(seen.first, visit.arrival);
    seen.last = std::max(seen.last, visit.arrival);
    (visit.policy == change.version ? seen.after : seen.before) = true;
    return true;
  });
  if (!read.ok()) return read.error();
  for (const auto& [id, seen] : sessions) {
    if (seen.after) {
      ++count.told;
    } else if (now - seen.last < session.idle && now - seen.first < session.lifetime) {
      ++count.not_yet_told;
    } else {
      ++count.gone;
    }
  }
  return count;
}

}  // namespace gatebook::review
