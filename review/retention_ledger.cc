#include "review/retention_ledger.h"

#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "config/units.h"

namespace gatebook::review {
namespace {

using nlohmann::ordered_json;

ordered_json FactsOf(const LedgerEntry& entry) {
  const RetentionReport& report = entry.report;
  ordered_json line;
  line["time"] = base::ToRfc3339(report.made);
  line["edge"] = entry.edge;
  line["retention"] = config::FormatDuration(report.retention);
  line["kept"] = report.IsKept();
  line["every_entry"] = report.every_entry;
  if (report.clock_held.count() != 0) line["clock_held_ms"] = report.clock_held.count();
  if (const auto next = report.Next()) line["next_destruction"] = base::ToRfc3339(*next);
  line["redis_rewrite"] = entry.redis_rewrite;
  for (size_t i = 0; i < report.places.size(); ++i) {
    const PlaceReport& one = report.places[i];
    ordered_json row = {{"records", one.records}};
    if (one.oldest) row["oldest"] = base::ToRfc3339(*one.oldest);
    row["overdue"] = one.overdue;
    row["no_deadline"] = one.undated;
    row["too_late"] = one.too_late;
    row["faults"] = one.faults;
    line["places"][std::string(InfoOf(static_cast<Place>(i)).slug)] = std::move(row);
  }
  return line;
}

// False: it is no line of a ledger.
bool Read(const ordered_json& object, LedgerLine* line) {
  // What anybody may have written: of any type.
  const auto word = [&object](const char* name) {
    return object.contains(name) && object[name].is_string() ? object[name].get<std::string>()
                                                             : std::string();
  };
  const auto time = base::ParseRfc3339(word("time"));
  if (!time || !object.contains("kept") || !object["kept"].is_boolean()) return false;
  line->time = *time;
  line->kept = object["kept"].get<bool>();
  line->rewritten = word("redis_rewrite") == "ok";
  return true;
}

}  // namespace

base::Result<LedgerContents> RetentionLedger::Read() const {
  LedgerContents contents;
  auto broken = chain_.Read([&contents](const HashChain::Line& line) {
    LedgerLine one;
    one.number = line.number;
    one.chain = line.chain;
    one.text = line.text;
    const bool read = line.is_whole() && review::Read(line.object, &one);
    contents.lines.push_back(std::move(one));
    return read;
  });
  if (!broken) return broken.error();
  contents.broken = std::move(*broken);
  return contents;
}

base::Result<LedgerLine> RetentionLedger::Append(const LedgerEntry& entry) const {
  auto written = chain_.Append(FactsOf(entry));
  if (!written) return written.error();
  LedgerLine line;
  line.number = written->number;
  line.time = entry.report.made;
  line.kept = entry.report.IsKept();
  line.chain = std::move(written->chain);
  line.text = std::move(written->text);
  return line;
}

}  // namespace gatebook::review
