// RetentionReport: what stands where, how old it is, and whether any promise is broken.
//
// Counts and times only: nothing in it names a visitor, but for the beginnings of keys that nobody knows.
//
// Thread: a value.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "review/retention_places.h"

namespace gatebook::review {

struct PlaceReport {
  uint64_t records = 0;  // visits, sessions, keys, files, lines: what the place consists of
  uint64_t bytes = 0;    // of files; 0 where that says nothing
  std::optional<base::WallTime> oldest = {};
  uint64_t overdue = 0;                     // records that should have been destroyed
  uint64_t undated = 0;                     // keys without a deadline
  uint64_t too_late = 0;                    // keys whose deadline is later than promised
  uint64_t faults = 0;                      // what breaks the promise otherwise: `note` says it
  std::optional<base::WallTime> next = {};  // when something is destroyed next
  std::string note = {};

  bool IsKept() const { return overdue == 0 && undated == 0 && too_late == 0 && faults == 0; }
  void SawOldest(base::WallTime time) { oldest = std::min(oldest.value_or(time), time); }
  void SawNext(base::WallTime time) { next = std::min(next.value_or(time), time); }
};

struct RetentionReport {
  base::WallTime made{};
  std::chrono::milliseconds retention{0};
  bool every_entry = true;  // else of each stream its first entry and its size
  // Redis's clock less ours.
  std::chrono::milliseconds redis_ahead{0};
  // How far the wall clock is ahead of what is believed; 0: it is believed.
  std::chrono::milliseconds clock_held{0};
  std::array<PlaceReport, static_cast<size_t>(Place::kCount)> places;

  PlaceReport& at(Place place) { return places[static_cast<size_t>(place)]; }
  const PlaceReport& at(Place place) const { return places[static_cast<size_t>(place)]; }
  bool IsKept() const;
  uint64_t Overdue() const;
  uint64_t Undated() const;  // with those whose deadline is too late
  // Of all places, the soonest.
  std::optional<base::WallTime> Next() const;
};

// One JSON object, indented, with its end.
std::string ToJson(const RetentionReport& report);
// For people.
std::string ToTable(const RetentionReport& report);

}  // namespace gatebook::review
