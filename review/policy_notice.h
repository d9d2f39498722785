// PolicyNotice: how many sessions have been told of a new version of the privacy policy, counted from the
// book.
//
// Each visit says which version was in force, and a session that comes back after a change is told with its
// first answer. So who has visits under an earlier version, and one under the new one, has been told; nothing
// else needs to be kept, and what is counted dies with the visits.
//
// Thread: one, which it blocks. Borrows: the client.
// Limits: the visits of two session lifetimes around the change are read; kMostPolicySessions are told apart.
#pragma once

#include <string>

#include "config/config.h"
#include "review/visits.h"

namespace gatebook::review {

struct PolicyNoticeCount {
  uint64_t told = 0;
  uint64_t not_yet_told = 0;  // alive, and not back since
  uint64_t gone = 0;          // ended without coming back
  bool complete = true;       // false: there were more sessions than are told apart
};

struct PolicyChange {
  std::string version;  // the new one
  base::WallTime since{};
};

inline constexpr size_t kMostPolicySessions = 1'000'000;

base::Result<PolicyNoticeCount> CountPolicyNotices(logger::RedisClient& client,
                                                   const config::Session& session, const PolicyChange& change,
                                                   const base::Clock& clock);

}  // namespace gatebook::review
