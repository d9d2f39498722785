#include "review/retention_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/rfc3339.h"
#include "config/units.h"

namespace gatebook::review {
namespace {

using nlohmann::ordered_json;

std::string TimeOrNothing(const std::optional<base::WallTime>& time) {
  // To the second: what people read.
  return time ? base::ToRfc3339(*time).substr(0, 19) + "Z" : "-";
}

}  // namespace

bool RetentionReport::IsKept() const {
  return std::all_of(places.begin(), places.end(), [](const PlaceReport& one) { return one.IsKept(); });
}

uint64_t RetentionReport::Overdue() const {
  uint64_t sum = 0;
  for (const PlaceReport& one : places) sum += one.overdue;
  return sum;
}

uint64_t RetentionReport::Undated() const {
  uint64_t sum = 0;
  for (const PlaceReport& one : places) sum += one.undated + one.too_late;
  return sum;
}

std::optional<base::WallTime> RetentionReport::Next() const {
  std::optional<base::WallTime> next;
  for (const PlaceReport& one : places) {
    if (one.next) next = std::min(next.value_or(*one.next), *one.next);
  }
  return next;
}

std::string ToJson(const RetentionReport& report) {
  ordered_json object;
  object["made"] = base::ToRfc3339(report.made);
  object["retention"] = config::FormatDuration(report.retention);
  object["kept"] = report.IsKept();
  object["every_entry"] = report.every_entry;
  object["redis_clock_ahead_ms"] = report.redis_ahead.count();
  if (report.clock_held.count() != 0) object["clock_held_ms"] = report.clock_held.count();
  if (const auto next = report.Next()) object["next_destruction"] = base::ToRfc3339(*next);
  ordered_json& places = object["places"] = ordered_json::object();
  for (size_t i = 0; i < report.places.size(); ++i) {
    const PlaceReport& one = report.places[i];
    ordered_json row = {{"records", one.records}};
    if (one.bytes != 0) row["bytes"] = one.bytes;
    if (one.oldest) row["oldest"] = base::ToRfc3339(*one.oldest);
    row["overdue"] = one.overdue;
    row["keys_without_deadline"] = one.undated;
    row["keys_with_late_deadline"] = one.too_late;
    row["faults"] = one.faults;
    if (one.next) row["next_destruction"] = base::ToRfc3339(*one.next);
    row["kept"] = one.IsKept();
    if (!one.note.empty()) row["note"] = one.note;
    places[std::string(InfoOf(static_cast<Place>(i)).slug)] = std::move(row);
  }
  return object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

std::string ToTable(const RetentionReport& report) {
  std::string text =
      fmt::format("{:<12} {:>10}  {:<20}  {:>8} {:>11} {:>8}  {:<20}  {}\n", "place", "records", "oldest",
                  "overdue", "no deadline", "too late", "next destruction", "");
  for (size_t i = 0; i < report.places.size(); ++i) {
    const PlaceReport& one = report.places[i];
    text += fmt::format("{:<12} {:>10}  {:<20}  {:>8} {:>11} {:>8}  {:<20}  {}{}\n",
                        InfoOf(static_cast<Place>(i)).slug, one.records, TimeOrNothing(one.oldest),
                        one.overdue, one.undated, one.too_late, TimeOrNothing(one.next),
                        one.IsKept() ? "" : "BROKEN: ", one.IsKept() && one.note.empty() ? "kept" : one.note);
  }
  if (report.clock_held.count() != 0) {
    text += fmt::format(
        "\nThe wall clock is {} s ahead of the time that has passed: gatebook destroys nothing for its age "
        "until it "
        "is back, or until `gatebook retention --confirm-clock`.\n",
        report.clock_held.count() / 1000);
  }
  text += fmt::format("\n{}: {}\n", TimeOrNothing(report.made),
                      report.IsKept() ? fmt::format("every promise is kept; a visit lives for {}",
                                                    config::FormatDuration(report.retention))
                                      : "A PROMISE IS BROKEN, see above");
  return text;
}

}  // namespace gatebook::review
