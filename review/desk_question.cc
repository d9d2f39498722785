#include "review/desk_question.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/rfc3339.h"
#include "review/discreet.h"
#include "review/moment.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using Kind = DeskQuestion::Kind;

constexpr size_t kMostPage = 500;
constexpr size_t kUsualPage = 100;
constexpr size_t kMostExport = 10'000;
// A clock of another edge may be ahead.
constexpr std::chrono::minutes kAhead{1};

struct KindName {
  Kind kind;
  std::string_view name;
};
constexpr KindName kKinds[] = {{Kind::kVisits, "visits"},
                               {Kind::kFigures, "figures"},
                               {Kind::kSession, "session"},
                               {Kind::kAddress, "address"},
                               {Kind::kExport, "export"}};

base::Error Slip(std::string message) { return base::Error{std::move(message), base::ExitCode::kUsage}; }

std::string Take(const DeskParameters& parameters, std::string_view name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

std::optional<DeskQuestion::Cursor> ParseCursor(std::string_view text) {
  int64_t milliseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (text.empty())
    return DeskQuestion::Cursor{base::WallTime(std::chrono::milliseconds(milliseconds)), {}, {}};
  if (!text.starts_with('.')) return std::nullopt;
  const auto named = logger::ParseVisitId(text.substr(1));
  if (!named) return std::nullopt;
  return DeskQuestion::Cursor{base::WallTime(std::chrono::milliseconds(milliseconds)),
                              std::string(named->edge), named->id};
}

base::Status TakeTimes(const DeskParameters& parameters, base::WallTime now,
                       std::chrono::milliseconds retention, DeskQuestion* question) {
  const std::string since = Take(parameters, "since");
  const std::string until = Take(parameters, "until");
  const auto from = since.empty() ? std::optional(now - 1h) : ParseMoment(since, now);
  const auto to = until.empty() ? std::optional(now + kAhead) : ParseMoment(until, now);
  if (!from || !to) return Slip("not a time: write 1h, 30d, or 2026-11-23T21:00:00Z");
  if (*from >= *to) return Slip("the range of time ends before it begins");
  question->since = std::max(*from, now - retention);
  question->until = std::min(*to, now + kAhead);
  if (question->since >= question->until) return Slip("nothing is kept of that time");
  return {};
}

base::Status TakeAddress(const std::string& text, DeskQuestion* question) {
  question->ip = base::Cidr::Parse(text);
  if (!question->ip) return Slip("not an address or network");
  if (question->is_whole || IsCoarse(*question->ip)) return {};
  return Slip(fmt::format("finer than what is shown without a reason: use {}, or reveal",
                          ShortAddress(question->ip->address().ToText())));
}

}  // namespace

std::optional<Kind> DeskKindOf(std::string_view name) {
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [name](const KindName& kind) { return kind.name == name; });
  return found == std::end(kKinds) ? std::nullopt : std::optional(found->kind);
}

base::Result<DeskQuestion> ParseDeskQuestion(Kind kind, const DeskParameters& parameters, bool is_whole,
                                             base::WallTime now, std::chrono::milliseconds retention) {
  DeskQuestion question;
  question.kind = kind;
  question.is_whole = is_whole;
  if (auto times = TakeTimes(parameters, now, retention, &question); !times) return times.error();
  question.where_text = Take(parameters, "where");
  if (!question.where_text.empty()) {
    auto query = Query::Parse(question.where_text, {now, !is_whole, "reveal", "where"});
    if (!query) return query.error();
    question.where = std::make_shared<const Query>(std::move(query).value());
  }
  question.newest_first = Take(parameters, "order") != "oldest";
  if (const std::string cursor = Take(parameters, "cursor"); !cursor.empty()) {
    question.cursor = ParseCursor(cursor);
    if (!question.cursor) return Slip("not a cursor of a page");
  }
  const size_t most = kind == Kind::kExport ? kMostExport : kMostPage;
  question.limit = kind == Kind::kExport ? kMostExport : kUsualPage;
  if (const std::string limit = Take(parameters, "limit"); !limit.empty()) {
    size_t wanted = 0;
    std::from_chars(limit.data(), limit.data() + limit.size(), wanted);
    question.limit = std::clamp<size_t>(wanted, 1, most);
  }
  if (kind == Kind::kSession) {
    question.session = Take(parameters, "id");
    if (!logger::ParseSessionId(question.session)) return Slip("not a session id");
  }
  if (kind == Kind::kAddress) {
    if (auto address = TakeAddress(Take(parameters, "ip"), &question); !address) return address.error();
  }
  if (kind == Kind::kExport) {
    const auto form = ParseForm(Take(parameters, "format"));
    if (!form || *form == Form::kTable || *form == Form::kPlain)
      return Slip("an export is json, ecs, otel, csv or combined");
    question.format = *form;
  }
  return question;
}

VisitsWanted DeskQuestion::Wanted() const {
  VisitsWanted wanted;
  wanted.since = since;
  wanted.until = until;
  wanted.ip = ip;
  wanted.session = session;
  wanted.where = where.get();
  wanted.newest_first = newest_first && (kind == Kind::kVisits || kind == Kind::kExport);
  wanted.discreet = !is_whole;
  return wanted;
}

std::string DeskQuestion::ToText() const {
  const auto* const found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                         [this](const KindName& one) { return one.kind == kind; });
  if (!session.empty()) return fmt::format("{} {}", found->name, session);
  std::string text(found->name);
  const auto add = [&text](std::string_view word, std::string_view value) {
    if (!value.empty()) fmt::format_to(std::back_inserter(text), " {}{}", word, value);
  };
  add("", ip ? ip->ToText() : std::string());
  add("where ", where_text);
  return fmt::format("{}, since {}, until {}", text, base::ToRfc3339(since), base::ToRfc3339(until));
}

DeskQuestion::Cursor CursorOf(const logger::StoredVisit& visit) {
  return {visit.arrival, visit.edge, visit.id};
}

std::string ToText(const DeskQuestion::Cursor& cursor) {
  if (cursor.edge.empty()) return std::to_string(cursor.arrival.time_since_epoch().count());
  return fmt::format("{}.{}", cursor.arrival.time_since_epoch().count(),
                     logger::ToText(cursor.id, cursor.edge));
}

}  // namespace gatebook::review
