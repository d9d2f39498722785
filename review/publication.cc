#include "review/publication.h"

#include <algorithm>

#include "review/figure_json.h"

namespace gatebook::review {
namespace {

using Json = nlohmann::ordered_json;

Publication::EarlierLine Sum(const Period& period, const std::map<Day, DayFigures>& figures) {
  Publication::EarlierLine line{period};
  for (const Day day : period.Days()) {
    const auto found = figures.find(day);
    if (found == figures.end() || found->second.sessions == 0) continue;
    line.sessions += found->second.sessions;
    ++line.days;
  }
  return line;
}

}  // namespace

std::string_view ToText(Publication::DayState state) {
  switch (state) {
    case Publication::DayState::kTold:
      return "told";
    case Publication::DayState::kTooFew:
      return "too_few";
    case Publication::DayState::kMissing:
      return "missing";
  }
  return {};
}

std::vector<Period> EarlierPeriods(const Period& period) {
  const size_t count = period.kind() == Period::Kind::kDay ? 14 : 12;
  std::vector<Period> earlier = {period};
  while (earlier.size() <= count) earlier.push_back(earlier.back().Before());
  std::reverse(earlier.begin(), earlier.end());
  earlier.pop_back();
  return earlier;
}

Publication MakePublication(const Period& period, const std::map<Day, DayFigures>& figures,
                            const config::Statistics& rules) {
  Publication publication{period};
  publication.k = rules.k;
  publication.round = rules.round;
  publication.sessions_of_a_network = rules.SessionsOfANetwork();
  bool is_first = true;
  for (const Day day : period.Days()) {
    const auto found = figures.find(day);
    if (found == figures.end()) {
      publication.days.push_back({day});
      continue;
    }
    const DayFigures& of_day = found->second;
    const bool is_told = of_day.sessions > 0;
    publication.days.push_back(
        {day, is_told ? Publication::DayState::kTold : Publication::DayState::kTooFew, of_day.sessions});
    // The rules may have changed within the period.
    publication.k = is_first ? of_day.k : std::min(publication.k, of_day.k);
    publication.round = is_first ? of_day.round : std::min(publication.round, of_day.round);
    publication.sessions_of_a_network =
        is_first ? of_day.sessions_of_a_network
                 : std::max(publication.sessions_of_a_network, of_day.sessions_of_a_network);
    publication.sampled = std::max(publication.sampled, of_day.sampled);
    is_first = false;
    publication.sessions += of_day.sessions;
    for (size_t i = 0; i < kPublishedDimensions; ++i) Add(publication.rows[i], of_day.rows[i]);
  }
  for (const Period& earlier : EarlierPeriods(period)) {
    const auto line = Sum(earlier, figures);
    if (line.sessions > 0) publication.earlier.push_back(line);
  }
  return publication;
}

std::string ToJson(const Publication& publication) {
  Json days = Json::array();
  for (const auto& line : publication.days) {
    Json object = {{"day", ToText(line.day)}, {"state", std::string(ToText(line.state))}};
    if (line.state == Publication::DayState::kTold) object["sessions"] = line.sessions;
    days.push_back(std::move(object));
  }
  Json object = {{"period", publication.period.ToText()},
                 {"kind", std::string(ToText(publication.period.kind()))},
                 {"first_day", ToText(publication.period.first())},
                 {"last_day", ToText(publication.period.end() - std::chrono::days(1))},
                 {"k", publication.k},
                 {"round", publication.round},
                 {"sessions_of_a_network", publication.sessions_of_a_network},
                 {"sampled", publication.sampled},
                 {"sessions", publication.sessions},
                 {"days", std::move(days)}};
  for (size_t i = 0; i < kPublishedDimensions; ++i) {
    object[std::string(NameOf(static_cast<PublishedDimension>(i)))] = RowsToJson(publication.rows[i]);
  }
  Json earlier = Json::array();
  for (const auto& line : publication.earlier) {
    earlier.push_back(
        {{"period", line.period.ToText()}, {"sessions", line.sessions}, {"days_told", line.days}});
  }
  object["earlier"] = std::move(earlier);
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace gatebook::review
