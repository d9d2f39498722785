#include "review/statistics_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/rfc3339.h"

namespace gatebook::review {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kValueWidth = 48;

std::vector<TopValues::Row> RowsOf(const Statistics& statistics, const DimensionInfo& info, size_t top) {
  const TopValues& values = statistics.Of(info.dimension);
  if (!info.in_order) return values.Rows(top);
  auto rows = values.Rows(values.size());
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
  return rows;
}

// Sessions of all visits together.
uint64_t Sessions(const Statistics& statistics) { return statistics.sessions().Count(); }

Json RowsAsJson(const Statistics& statistics, const DimensionInfo& info, size_t top) {
  const TopValues& values = statistics.Of(info.dimension);
  Json rows = Json::array();
  for (const TopValues::Row& row : RowsOf(statistics, info, top)) {
    Json object = {{"value", Harmless(row.value)}, {"visits", row.visits}, {"sessions", row.sessions}};
    if (row.missed != 0) object["visits_missed_at_most"] = row.missed;
    if (row.sessions_error != 0) object["sessions_error"] = row.sessions_error;
    rows.push_back(std::move(object));
  }
  Json dimension = {{"values", values.size()}, {"unknown_visits", statistics.Unknown(info.dimension)}};
  if (values.LetGo() != 0) dimension["values_let_go_had_at_most"] = values.LetGo();
  dimension["rows"] = std::move(rows);
  return dimension;
}

std::string AsJson(const Statistics& statistics, const StatisticsShown& shown) {
  Json object = {{"since", base::ToRfc3339(shown.since)},
                 {"until", base::ToRfc3339(shown.until)},
                 {"visits", statistics.visits()},
                 {"sessions", Sessions(statistics)},
                 {"new_sessions", statistics.new_sessions()}};
  if (!statistics.sessions().IsExact()) object["sessions_error"] = statistics.sessions().StandardError();
  for (const DimensionInfo& info : AllDimensions()) {
    object[std::string(info.plural)] = RowsAsJson(statistics, info, shown.top);
  }
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string AsLines(const Statistics& statistics, const StatisticsShown& shown) {
  std::string text = fmt::format("total\tvisits\t{}\ntotal\tsessions\t{}\ntotal\tnew_sessions\t{}\n",
                                 statistics.visits(), Sessions(statistics), statistics.new_sessions());
  for (const DimensionInfo& info : AllDimensions()) {
    for (const TopValues::Row& row : RowsOf(statistics, info, shown.top)) {
      text += fmt::format("{}\t{}\t{}\t{}\n", info.name, Harmless(row.value), row.visits, row.sessions);
    }
  }
  return text;
}

// Characters, each taken as one column wide.
std::string Fitted(const std::string& text) {
  size_t columns = 0;
  size_t cut = text.size();
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    if (++columns == kValueWidth) cut = i;
  }
  if (columns <= kValueWidth) return text + std::string(kValueWidth - columns, ' ');
  return text.substr(0, cut) + "…";
}

std::string About(uint64_t count, double error) {
  return error == 0 ? fmt::format("{:>10}", count) : fmt::format("{:>10} ±{:.1f} %", count, error * 100);
}

std::string AsTable(const Statistics& statistics, const StatisticsShown& shown) {
  std::string text = fmt::format("{} to {}\n\n", base::ToRfc3339(shown.since), base::ToRfc3339(shown.until));
  text += fmt::format("visits       {:>10}\nsessions     {}\nnew sessions {:>10}\n", statistics.visits(),
                      About(Sessions(statistics), statistics.sessions().StandardError()),
                      statistics.new_sessions());
  for (const DimensionInfo& info : AllDimensions()) {
    const auto rows = RowsOf(statistics, info, shown.top);
    if (rows.empty()) continue;
    std::string heading(info.plural);
    std::transform(heading.begin(), heading.end(), heading.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; });
    text += fmt::format("\n{:<{}} {:>10} {:>6} {:>10}\n", heading, kValueWidth, "VISITS", "%", "SESSIONS");
    for (const TopValues::Row& row : rows) {
      const double share = 100.0 * static_cast<double>(row.visits) / static_cast<double>(statistics.visits());
      text += fmt::format("{} {:>10} {:>6.1f} {}", Fitted(Harmless(row.value)), row.visits, share,
                          About(row.sessions, row.sessions_error));
      if (row.missed != 0) text += fmt::format("  (up to {} visits more)", row.missed);
      text += '\n';
    }
    const TopValues& values = statistics.Of(info.dimension);
    if (values.size() > rows.size()) text += fmt::format("and {} more\n", values.size() - rows.size());
    if (values.LetGo() != 0) {
      text += fmt::format("and others that were let go, of no more than {} visits each\n", values.LetGo());
    }
  }
  return text;
}

}  // namespace

std::string RenderStatistics(const Statistics& statistics, const StatisticsShown& shown) {
  if (shown.form == Form::kJson) return AsJson(statistics, shown);
  return shown.form == Form::kPlain ? AsLines(statistics, shown) : AsTable(statistics, shown);
}

}  // namespace gatebook::review
