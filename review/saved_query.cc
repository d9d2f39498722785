#include "review/saved_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "config/nearest.h"
#include "review/render.h"

namespace gatebook::review {
namespace {

using config::SectionId;

// The character in the file, if the text stands there as it is: in quotes, without escapes.
config::Place PlaceIn(const config::Place& value, std::string_view text, size_t place) {
  const auto characters = [](std::string_view of) {
    return static_cast<uint32_t>(std::count_if(
        of.begin(), of.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  };
  if (value.width != characters(text) + 2) return value;
  return {value.line, value.column + 1 + characters(text.substr(0, place)), 1};
}

void CheckWhere(const std::string& where, const config::Place& value, config::ProblemList& problems) {
  QueryProblem problem;
  if (Query::Parse(where, {}, &problem)) return;
  problems.Add(PlaceIn(value, where, problem.place), "where: " + problem.what);
}

}  // namespace

base::Result<Query> ParseSavedQuery(const config::Config& config, std::string_view name,
                                    QueryReading reading) {
  const auto saved = std::find_if(config.queries.begin(), config.queries.end(),
                                  [name](const config::SavedQuery& one) { return one.name == name; });
  if (saved != config.queries.end()) {
    const std::string called = fmt::format("[[query]] {}", saved->name);
    reading.called = called;
    return Query::Parse(saved->where, reading);
  }
  std::vector<std::string_view> names;
  for (const config::SavedQuery& one : config.queries) names.push_back(one.name);
  const auto nearest = config::Nearest(name, names);
  const std::string hint = nearest         ? fmt::format("; did you mean {}?", *nearest)
                           : names.empty() ? "; the config has none"
                                           : "";
  return base::Error{fmt::format("--query: there is no [[query]] \"{}\"{}", Harmless(name), hint),
                     base::ExitCode::kUsage};
}

void CheckQueries(const config::Config& config, const config::PlaceMap& places,
                  config::ProblemList& problems) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < config.queries.size(); ++i) {
    CheckWhere(config.queries[i].where, places.Of(SectionId::kQuery, i, "where"), problems);
    if (!names.insert(config.queries[i].name).second)
      problems.Add(places.Of(SectionId::kQuery, i, "name"), "name: another [[query]] has it");
  }
  for (size_t i = 0; i < config.sinks.size(); ++i)
    CheckWhere(config.sinks[i].where, places.Of(SectionId::kSink, i, "where"), problems);
}

}  // namespace gatebook::review
