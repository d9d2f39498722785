#include "review/day_figures.h"

#include <algorithm>

#include "review/figure_json.h"
#include "review/render.h"

namespace gatebook::review {
namespace {

using Json = nlohmann::ordered_json;

bool TakeNumber(const Json& object, const char* name, uint32_t* number) {
  if (!object.contains(name) || !object[name].is_number_unsigned()) return false;
  *number = object[name].get<uint32_t>();
  return true;
}

// What comes from Redis is not believed to be clean.
void MakeHarmless(std::vector<FigureRow>& rows) {
  for (FigureRow& row : rows) {
    row.value = Harmless(row.value);
    MakeHarmless(row.parts);
  }
}

void AddRow(std::vector<FigureRow>& sum, const FigureRow& row) {
  auto found =
      std::find_if(sum.begin(), sum.end(), [&](const FigureRow& one) { return one.value == row.value; });
  if (found == sum.end()) {
    sum.push_back(row);
    return;
  }
  if (found->parts.empty() != row.parts.empty()) {
    // One of them has not been divided.
    if (found->parts.empty()) found->parts.push_back({"", found->sessions});
    Add(found->parts, row.parts.empty() ? std::vector<FigureRow>{{"", row.sessions}} : row.parts);
  } else {
    Add(found->parts, row.parts);
  }
  found->sessions += row.sessions;
}

}  // namespace

void Add(std::vector<FigureRow>& sum, const std::vector<FigureRow>& rows) {
  for (const FigureRow& row : rows) AddRow(sum, row);
  SortRows(sum);
}

DayFigures DayFigures::Of(Day day, const CountedDay& counted, const config::Statistics& rules) {
  DayFigures figures;
  figures.day = day;
  figures.k = rules.k;
  figures.round = rules.round;
  figures.sessions_of_a_network = rules.SessionsOfANetwork();
  figures.sampled = counted.scale;
  const DisclosureControl control(counted, rules.k, rules.round);
  SessionSet all(counted.network_of.size());
  for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  if (!control.IsEnough(all)) return figures;
  figures.sessions = control.Rounded(all);
  for (size_t i = 0; i < kPublishedDimensions; ++i) {
    figures.rows[i] = control.Rows(counted.cells[i]);
    MakeHarmless(figures.rows[i]);
  }
  return figures;
}

std::string DayFigures::ToJson() const {
  Json object = {{"day", ToText(day)}, {"k", k},
                 {"round", round},     {"sessions_of_a_network", sessions_of_a_network},
                 {"sampled", sampled}, {"sessions", sessions}};
  for (size_t i = 0; i < kPublishedDimensions; ++i)
    object[std::string(NameOf(static_cast<PublishedDimension>(i)))] = RowsToJson(rows[i]);
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<DayFigures> DayFigures::FromJson(std::string_view text) {
  const Json object = Json::parse(text, nullptr, false);
  DayFigures figures;
  if (!object.is_object() || !object.contains("day") || !object["day"].is_string()) return std::nullopt;
  const auto day = ParseDay(object["day"].get<std::string>());
  if (!day || !TakeNumber(object, "k", &figures.k) || !TakeNumber(object, "round", &figures.round) ||
      !TakeNumber(object, "sessions_of_a_network", &figures.sessions_of_a_network) ||
      !TakeNumber(object, "sampled", &figures.sampled) || !object.contains("sessions") ||
      !object["sessions"].is_number_unsigned()) {
    return std::nullopt;
  }
  figures.day = *day;
  figures.sessions = object["sessions"].get<uint64_t>();
  for (size_t i = 0; i < kPublishedDimensions; ++i) {
    const std::string name(NameOf(static_cast<PublishedDimension>(i)));
    if (!object.contains(name) || !RowsFromJson(object[name], &figures.rows[i])) return std::nullopt;
  }
  return figures;
}

}  // namespace gatebook::review
