#include "review/query.h"

#include <fmt/format.h>

#include <algorithm>

#include "review/query_condition.h"
#include "review/query_parser.h"
#include "review/render.h"

namespace gatebook::review {
namespace {

constexpr size_t kMostText = 4096;
constexpr size_t kShownAround = 60;  // characters on each side of a place

bool IsCharacterStart(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

size_t Characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), IsCharacterStart));
}

// As it was typed, but in one line and without effect on a terminal.
std::string OneLine(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return Harmless(line);
}

// The text around the place, and a caret under it.
std::string Pointer(std::string_view text, size_t place) {
  size_t from = place, to = place;
  for (size_t n = 0; from > 0 && n < kShownAround; n += IsCharacterStart(text[from]) ? 1 : 0) --from;
  for (size_t n = 0; to < text.size() && n < kShownAround; ++n) {
    do ++to;
    while (to < text.size() && !IsCharacterStart(text[to]));
  }
  std::string before = OneLine(text.substr(from, place - from));
  if (from > 0) before.insert(0, "…");
  const std::string after = OneLine(text.substr(place, to - place)) + (to < text.size() ? "…" : "");
  return fmt::format("  {}{}\n  {:>{}}", before, after, '^', Characters(before) + 1);
}

}  // namespace

Query::Query(std::unique_ptr<Condition> condition) : condition_(std::move(condition)) {}
Query::Query(Query&&) noexcept = default;
Query& Query::operator=(Query&&) noexcept = default;
Query::~Query() = default;

std::optional<Query> Query::Parse(std::string_view text, const QueryReading& reading, QueryProblem* problem) {
  if (text.size() > kMostText) {
    *problem = {fmt::format("longer than {} bytes", kMostText), kMostText};
    return std::nullopt;
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return Query(nullptr);
  QueryParser parser(text, reading);
  ConditionPtr condition = parser.Parse();
  if (condition != nullptr) return Query(std::move(condition));
  *problem = {Harmless(parser.problem().what), parser.problem().place};
  return std::nullopt;
}

base::Result<Query> Query::Parse(std::string_view text, const QueryReading& reading) {
  QueryProblem problem;
  auto query = Parse(text, reading, &problem);
  if (query) return std::move(*query);
  return base::Error{fmt::format("{}: {}\n{}", reading.called, problem.what, Pointer(text, problem.place)),
                     base::ExitCode::kUsage};
}

Query Query::Both(Query a, Query b) {
  if (a.condition_ == nullptr) return b;
  if (b.condition_ == nullptr) return a;
  auto all = std::make_unique<AllOf>();
  all->parts.push_back(std::move(a.condition_));
  all->parts.push_back(std::move(b.condition_));
  return Query(std::move(all));
}

bool Query::Matches(const logger::StoredVisit& visit) const {
  return condition_ == nullptr || condition_->Holds(visit);
}

QueryNeeds Query::Needs() const { return condition_ == nullptr ? QueryNeeds() : condition_->Needs(); }

}  // namespace gatebook::review
