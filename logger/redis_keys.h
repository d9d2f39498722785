// The names and deadlines of everything Gatebook keeps in Redis
// (docs/data-model.md, docs/decisions/0003-redis-schema.md).
//
//   gb:visits:{EDGE.WORKER.MINUTE}  stream   the visits of one worker and minute
//   gb:index:{EDGE.WORKER.HOUR}     string   where sessions and addresses are met (logger/visit_index.h)
//   gb:stats:day:DATE               string   what is published of a day (review/figures_store.h)
//   gb:edges                        hash     which process owns an edge's name
//
// No key may exist without a deadline.
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "logger/visit.h"

namespace gatebook::logger {

inline constexpr std::string_view kEdgesKey = "gb:edges";
// The list of edges outlives what any of them has written by a day.
inline constexpr std::chrono::milliseconds kEdgesLifetime = std::chrono::hours(31 * 24);

// An exchange that is this old is written while still open, so that a record's
// time is never further than this from the arrival of its visit.
inline constexpr std::chrono::milliseconds kMostRecordDelay = std::chrono::seconds(30);

constexpr uint64_t MinuteOf(uint64_t milliseconds) { return milliseconds / 60'000; }
constexpr uint64_t MinuteOf(const VisitId& id) { return MinuteOf(id.milliseconds); }

// Appends "gb:visits:{edge.worker.minute}". The braces keep a minute's keys in one slot of a Cluster.
void AppendVisitsKey(std::string& to, std::string_view edge, uint32_t worker, uint64_t minute);
std::string VisitsKey(std::string_view edge, uint32_t worker, uint64_t minute);

// When a visit must be gone. Never later than `now` + retention, so that a
// clock that once stood in the future can't keep anything for longer.
base::WallTime DeadlineOf(base::WallTime arrival, std::chrono::milliseconds retention, base::WallTime now);

// "<milliseconds>-<n>", the id of a stream entry.
void AppendEntryId(std::string& to, uint64_t milliseconds, uint32_t n);
// False unless `text` is exactly such an id. Leaves the worker alone.
bool ParseEntryId(std::string_view text, VisitId* id);

// What an edge says of itself in gb:edges: "<instance> <workers> <last seen, milliseconds>".
struct EdgeClaim {
  std::string instance;
  uint32_t workers = 0;  // the most it ever had: readers look for that many
  base::WallTime seen{};
};
std::string ToText(const EdgeClaim& claim);
bool ParseEdgeClaim(std::string_view text, EdgeClaim* claim);

}  // namespace gatebook::logger
