#include "review/desk_search.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "review/desk_figures.h"
#include "review/desk_story.h"
#include "review/render.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using logger::StoredVisit;
using Json = nlohmann::ordered_json;
using Kind = DeskQuestion::Kind;

constexpr std::chrono::milliseconds kFirstWindow = 10min;
constexpr std::chrono::milliseconds kLeastWindow = 1min;
constexpr std::chrono::milliseconds kMostWindow = 24h;
// What a window may take before the next one is made shorter.
constexpr base::Duration kWindowTime = 500ms;
constexpr base::Duration kTellEvery = 400ms;
constexpr size_t kMostBacklog = 256 * 1024;  // of figures that are not final
constexpr int kWholeAddress = 128;           // bits, of the mapped form

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

struct DeskSearch::Page {
  std::vector<StoredVisit> visits;
  bool has_more = false;
  bool is_partial = false;
  base::WallTime read_to{};  // up to where it was read; nothing yet: its beginning
};

DeskSearch::DeskSearch(const config::Config& config, const base::Clock& clock, std::function<bool()> is_over)
    : config_(config),
      clock_(clock),
      is_over_(std::move(is_over)),
      deadline_(clock.SteadyNow() + kMostTime) {}

DeskSearch::~DeskSearch() = default;

bool DeskSearch::IsLate() const { return is_over_() || clock_.SteadyNow() >= deadline_; }

bool DeskSearch::Answer(const DeskQuestion& question, const DeskReply& reply) {
  auto client = logger::RedisClient::Connect(config_.redis);
  base::Result<DeskAnswer> answer = DeskAnswer{};
  if (!client) {
    answer = client.error();
  } else {
    client_ = std::move(client).value();
    if (question.kind == Kind::kFigures) {
      const base::Status told = AnswerFigures(question, reply);
      if (told.ok()) return true;
      // Its head has gone out.
      reply.More(Dump({{"error", told.error().message}}) + "\n");
      reply.End();
      return false;
    }
    answer = question.kind == Kind::kVisits   ? AnswerVisits(question)
             : question.kind == Kind::kExport ? AnswerExport(question)
                                              : AnswerStory(question);
  }
  const bool given = answer.ok();
  reply.Answer(given ? std::move(answer).value() : DeskError(503, answer.error().message));
  return given;
}

base::Status DeskSearch::Forwards(const VisitsWanted& wanted, const Window& read, const bool& enough,
                                  bool* is_partial) {
  std::chrono::milliseconds length = kFirstWindow;
  for (base::WallTime at = wanted.since; at < wanted.until && !enough;) {
    VisitsWanted window = wanted;
    window.since = at;
    window.until = at = std::min(wanted.until, at + length);
    const base::SteadyTime begun = clock_.SteadyNow();
    if (auto status = read(window); !status) return status;
    if (!enough && (*is_partial = IsLate())) return {};
    const base::Duration taken = clock_.SteadyNow() - begun;
    if (taken > kWindowTime) length = std::max(kLeastWindow, length / 2);
    if (taken < kWindowTime / 4) length = std::min(kMostWindow, length * 2);
  }
  return {};
}

base::Status DeskSearch::Backwards(const VisitsWanted& wanted, const Window& read, const bool& enough,
                                   bool* is_partial) {
  std::chrono::milliseconds length = kLeastWindow;
  for (base::WallTime at = wanted.until; at > wanted.since && !enough;) {
    VisitsWanted window = wanted;
    window.until = at;
    window.since = at = std::max(wanted.since, at - length);
    const base::SteadyTime begun = clock_.SteadyNow();
    if (auto status = read(window); !status) return status;
    if (!enough && (*is_partial = IsLate())) return {};
    const base::Duration taken = clock_.SteadyNow() - begun;
    if (taken > kWindowTime) length = std::max(kLeastWindow, length / 2);
    if (taken < kWindowTime / 4) length = std::min(kMostWindow, length * 4);
  }
  return {};
}

base::Result<DeskSearch::Page> DeskSearch::ReadPage(const DeskQuestion& question) {
  Page page;
  VisitsWanted wanted = question.Wanted();
  const auto& cursor = question.cursor;
  if (cursor && question.newest_first) wanted.until = std::min(wanted.until, cursor->arrival + 1ms);
  if (cursor && !question.newest_first) wanted.since = std::max(wanted.since, cursor->arrival);
  VisitReader reader(*client_, clock_);
  reader.SetIsOver([this] { return IsLate(); });
  page.read_to = question.newest_first ? wanted.until : wanted.since;
  bool enough = false;
  const auto sink = [&](const StoredVisit& visit) {
    if (cursor && (question.newest_first ? CursorOf(visit) >= *cursor : CursorOf(visit) <= *cursor))
      return !IsLate();
    // Those of one millisecond come in any order, and are put in order below: all of it are needed.
    enough = page.visits.size() > question.limit && visit.arrival != page.visits.back().arrival;
    if (enough) return false;
    page.visits.push_back(visit);
    page.read_to = visit.arrival;
    return !IsLate();
  };
  const auto window = [&](const VisitsWanted& part) {
    auto status = reader.Read(part, sink);
    if (status.ok() && !enough && !IsLate()) page.read_to = question.newest_first ? part.since : part.until;
    return status;
  };
  const auto read = question.newest_first ? Backwards(wanted, window, enough, &page.is_partial)
                                          : Forwards(wanted, window, enough, &page.is_partial);
  std::sort(page.visits.begin(), page.visits.end(), [&](const StoredVisit& a, const StoredVisit& b) {
    return question.newest_first ? CursorOf(a) > CursorOf(b) : CursorOf(a) < CursorOf(b);
  });
  if (!read) return read.error();
  if (page.visits.size() > question.limit) {
    page.has_more = true;
    page.visits.resize(question.limit);
  }
  return page;
}

base::Result<DeskAnswer> DeskSearch::AnswerVisits(const DeskQuestion& question) {
  auto page = ReadPage(question);
  if (!page) return page.error();
  std::string body = "{\"visits\":[";
  for (const StoredVisit& visit : page->visits) {
    if (!body.ends_with('[')) body += ',';
    body += RenderVisit(visit, Form::kJson);
  }
  body += "],\"next\":";
  std::string next;
  if (page->has_more ||
      (page->is_partial && !page->visits.empty() && page->visits.back().arrival == page->read_to)) {
    next = ToText(CursorOf(page->visits.back()));
  } else if (page->is_partial) {
    next = ToText(DeskQuestion::Cursor{page->read_to, {}, {}});
  }
  body += next.empty() ? "null" : '"' + next + '"';
  body += fmt::format(",\"partial\":{},\"whole\":{}}}\n", page->is_partial, question.is_whole);
  return DeskAnswer{200, "application/json", std::move(body)};
}

base::Result<DeskAnswer> DeskSearch::AnswerExport(const DeskQuestion& question) {
  auto page = ReadPage(question);
  if (!page) return page.error();
  DeskAnswer answer;
  const Form form = question.format;
  answer.content_type = form == Form::kCsv        ? "text/csv; charset=utf-8"
                        : form == Form::kCombined ? "text/plain; charset=utf-8"
                                                  : "application/x-ndjson";
  answer.body = RenderHeading(form);
  for (const StoredVisit& visit : page->visits) answer.body += RenderVisit(visit, form);
  answer.fields = {{"Content-Disposition",
                    fmt::format("attachment; filename=\"visits.{}\"", form == Form::kCsv        ? "csv"
                                                                      : form == Form::kCombined ? "log"
                                                                                                : "ndjson")},
                   {"X-Gatebook-Visits", std::to_string(page->visits.size())},
                   {"X-Gatebook-More", page->has_more || page->is_partial ? "yes" : "no"}};
  return answer;
}

base::Result<DeskAnswer> DeskSearch::AnswerStory(const DeskQuestion& question) {
  const bool is_session = question.kind == Kind::kSession;
  VisitReader reader(*client_, clock_);
  reader.SetIsOver([this] { return IsLate(); });
  VisitsWanted wanted = question.Wanted();
  if (is_session) {
    // All of it, whatever range of time is looked at.
    wanted.since = clock_.WallNow() - config_.visit.retention;
    wanted.until = clock_.WallNow() + 1min;
    wanted.where = nullptr;
  }
  DeskStory story;
  bool is_partial = false;
  const bool never_enough = false;
  const auto window = [&](const VisitsWanted& part) {
    return reader.Read(part, [&](const StoredVisit& visit) {
      story.Add(visit);
      return !IsLate();
    });
  };
  // What the index finds (logger/visit_index.h) is best asked for at once.
  const bool is_indexed = is_session || wanted.ip->bits() == kWholeAddress;
  const auto read = is_indexed ? window(wanted) : Forwards(wanted, window, never_enough, &is_partial);
  if (!read) return read.error();
  is_partial = is_partial || IsLate();
  if (story.visits() == 0 && !is_partial) return DeskError(404, "nothing is known of it in this time");
  Json body = is_session ? Json{{"session", question.session}, {"start", story.Start()}}
                         : Json{{"address", question.ip->ToText()}};
  body["partial"] = is_partial;
  body["whole"] = question.is_whole;
  body.update(story.ToJson());
  return DeskAnswer{200, "application/json", Dump(body) + "\n"};
}

base::Status DeskSearch::AnswerFigures(const DeskQuestion& question, const DeskReply& reply) {
  DeskAnswer head;
  head.content_type = "application/x-ndjson";
  head.has_more = true;
  reply.Answer(std::move(head));
  DeskFigures figures(question.since, question.until);
  VisitReader reader(*client_, clock_);
  reader.SetIsOver([this] { return IsLate(); });
  bool is_partial = false;
  const bool never_enough = false;
  base::SteadyTime told = clock_.SteadyNow();
  base::WallTime read_to = question.since;
  const auto tell = [&](bool is_done) {
    Json line = figures.ToJson();
    line["since"] = question.since.time_since_epoch().count();
    line["until"] = question.until.time_since_epoch().count();
    line["read_to"] = read_to.time_since_epoch().count();
    line["done"] = is_done;
    line["partial"] = is_partial;
    line["whole"] = question.is_whole;
    reply.More(Dump(line) + "\n");
  };
  const auto read = Forwards(
      question.Wanted(),
      [&](const VisitsWanted& window) {
        auto status = reader.Read(window, [&](const StoredVisit& visit) {
          figures.Add(visit);
          read_to = visit.arrival;
          if (clock_.SteadyNow() - told < kTellEvery) return true;
          told = clock_.SteadyNow();
          if (reply.backlog() < kMostBacklog) tell(false);
          return !IsLate();
        });
        if (!IsLate()) read_to = window.until;
        return status;
      },
      never_enough, &is_partial);
  if (!read) return read;
  tell(true);
  reply.End();
  return {};
}

}  // namespace gatebook::review
