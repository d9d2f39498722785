#include "review/commands.h"

#include <fmt/format.h>

#include <set>

#include "base/rfc3339.h"
#include "logger/redis_client.h"
#include "review/discreet.h"
#include "review/progress.h"
#include "review/query.h"
#include "review/saved_query.h"
#include "review/visits.h"

namespace gatebook::review {
namespace {

using base::Error;
using base::ExitCode;
using logger::StoredVisit;
using namespace std::chrono_literals;

constexpr auto kSinceByDefault = 1h;
// --follow looks back so far for what was written late.
constexpr auto kLookBack = 15min;

int Complain(const Error& error) {
  std::fputs(("gatebook: " + error.message + "\n").c_str(), stderr);
  return static_cast<int>(error.exit_code);
}

Error Usage(std::string message) { return {std::move(message), ExitCode::kUsage}; }

// Writes visits until the limit, or until nobody reads them any more.
class Printer {
 public:
  Printer(std::FILE* out, Form form, uint64_t limit) : out_(out), form_(form), limit_(limit) {}

  bool Print(const StoredVisit& visit) {
    if (printed_++ == 0) Put(RenderHeading(form_));
    Put(RenderVisit(visit, form_));
    return ok_ && (limit_ == 0 || printed_ < limit_);
  }
  bool IsFull() const { return limit_ != 0 && printed_ >= limit_; }
  void Flush() { ok_ = std::fflush(out_) == 0 && ok_; }
  uint64_t printed() const { return printed_; }
  bool ok() const { return ok_; }

 private:
  void Put(const std::string& text) {
    ok_ = ok_ && std::fwrite(text.data(), 1, text.size(), out_) == text.size();
  }

  std::FILE* out_;
  const Form form_;
  const uint64_t limit_;
  uint64_t printed_ = 0;
  bool ok_ = true;
};

// What was asked for, with the query that it points to.
struct Asked {
  VisitsWanted wanted;
  Query query;
};

base::Result<Query> ParseQueries(const config::Config& config, const VisitsOptions& options,
                                 base::WallTime now) {
  const QueryReading reading{.now = now, .discreet = !options.reveal.wanted};
  auto where = Query::Parse(options.where, reading);
  if (!where || options.query.empty()) return where;
  auto saved = ParseSavedQuery(config, options.query, reading);
  if (!saved) return saved;
  return Query::Both(std::move(*saved), std::move(*where));
}

base::Status TakeAddress(const VisitsOptions& options, VisitsWanted* wanted) {
  if (options.ip.empty()) return {};
  wanted->ip = base::Cidr::Parse(options.ip);
  if (!wanted->ip) return Usage("--ip: not an address or a network: " + Harmless(options.ip));
  if (options.reveal.wanted || IsCoarse(*wanted->ip)) return {};
  return Usage(
      fmt::format("--ip: finer than what is shown without a reason: use {}, or --reveal --reason TEXT",
                  ShortAddress(wanted->ip->address().ToText())));
}

base::Result<Asked> ParseOptions(const config::Config& config, const VisitsOptions& options,
                                 base::WallTime now) {
  auto query = ParseQueries(config, options, now);
  if (!query) return query.error();
  Asked asked{{}, std::move(*query)};
  VisitsWanted& wanted = asked.wanted;
  const base::WallTime since = asked.query.Needs().since;
  const bool says_when = since != base::WallTime::min() && !options.follow;
  wanted.since = options.since.value_or(says_when ? since : options.follow ? now : now - kSinceByDefault);
  wanted.until = options.until.value_or(base::WallTime::max());
  wanted.newest_first = options.newest_first;
  wanted.discreet = !options.reveal.wanted;
  if (wanted.since >= wanted.until) return Usage("--since is not before --until");
  if (options.follow && options.newest_first) return Usage("--follow goes with --order oldest");
  if (auto taken = TakeAddress(options, &wanted); !taken) return taken.error();
  if (!options.session.empty() && !logger::ParseSessionId(options.session)) {
    return Usage("--session: not a session id: " + Harmless(options.session));
  }
  wanted.session = options.session;
  return asked;
}

// For the audit log.
std::string WhatOf(const VisitsOptions& options, const VisitsWanted& wanted) {
  std::string what = "visits since " + base::ToRfc3339(wanted.since);
  if (options.until) what += " until " + base::ToRfc3339(wanted.until);
  if (options.follow) what += " and what comes";
  if (!options.ip.empty()) what += " ip " + wanted.ip->ToText();
  if (!options.session.empty()) what += " session " + options.session;
  if (!options.query.empty()) what += " query " + options.query;
  if (!options.where.empty()) what += " where " + options.where;
  return what;
}

int Finish(Printer& printer, const base::Status& read) {
  printer.Flush();
  if (!read) return Complain(read.error());
  if (!printer.ok()) return Complain({"cannot write the visits", ExitCode::kInputOutput});
  return static_cast<int>(printer.printed() == 0 ? ExitCode::kNegative : ExitCode::kOk);
}

}  // namespace

int RunVisits(const config::Config& config, const VisitsOptions& options, std::FILE* out, bool terminal) {
  const base::Clock& clock = base::Clock::System();
  const base::WallTime now = clock.WallNow();
  auto asked = ParseOptions(config, options, now);
  if (!asked) return Complain(asked.error());
  VisitsWanted& wanted = asked->wanted;
  wanted.where = &asked->query;
  auto client = logger::RedisClient::Connect(config.redis);
  if (!client) return Complain(client.error());
  if (auto written = WriteReveal(config, options.reveal, WhatOf(options, wanted), clock); !written)
    return Complain(written.error());

  VisitReader reader(**client, clock);
  Printer printer(out, options.form.value_or(terminal ? Form::kTable : Form::kPlain), options.limit);
  Progress progress(clock);
  reader.SetOnProgress([&](double share) {
    printer.Flush();
    progress.Show(share);
  });
  // What --follow will meet again when it looks back.
  std::set<std::pair<std::string, logger::VisitId>> shown;
  base::Status read = reader.Read(wanted, [&](const StoredVisit& visit) {
    progress.Clear();
    if (options.follow && visit.arrival > now - kLookBack - logger::kMostRecordDelay) {
      shown.emplace(visit.edge, visit.id);
    }
    return printer.Print(visit);
  });
  progress.Clear();
  if (options.follow && read.ok() && !printer.IsFull() && printer.ok()) {
    printer.Flush();
    static const std::atomic<bool> never{false};
    VisitsWanted next = wanted;
    next.since = std::max(wanted.since, now - kLookBack);
    read = reader.Follow(
        next,
        [&](const StoredVisit& visit) {
          if (shown.contains({visit.edge, visit.id})) return true;
          const bool more = printer.Print(visit);
          printer.Flush();
          return more && printer.ok();
        },
        options.stop == nullptr ? never : *options.stop);
  }
  return Finish(printer, read);
}

}  // namespace gatebook::review
