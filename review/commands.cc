#include "review/commands.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

#include "base/rfc3339.h"
#include "logger/redis_client.h"
#include "review/progress.h"
#include "review/query.h"
#include "review/render.h"
#include "review/visits.h"

namespace gatebook::review {
namespace {

using base::ExitCode;
using logger::StoredVisit;
using namespace std::chrono_literals;

constexpr auto kSinceByDefault = 1h;
// --follow looks back so far for what was written late.
constexpr auto kLookBack = 15min;

int Complain(const base::Error& error) {
  std::fputs(("gatebook: " + error.message + "\n").c_str(), stderr);
  return static_cast<int>(error.exit_code);
}
int Complain(std::string message, ExitCode code) { return Complain(base::Error{std::move(message), code}); }

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

Form FormOf(bool json, bool terminal) { return json ? Form::kJson : terminal ? Form::kTable : Form::kPlain; }

int Finish(Printer& printer, const base::Status& read) {
  printer.Flush();
  if (!read) return Complain(read.error());
  if (!printer.ok()) return Complain("cannot write the visits", ExitCode::kInputOutput);
  return static_cast<int>(printer.printed() == 0 ? ExitCode::kNegative : ExitCode::kOk);
}

std::vector<std::pair<const char*, std::string>> HowItBegan(const std::vector<StoredVisit>& visits) {
  const auto opening =
      std::find_if(visits.begin(), visits.end(), [](const StoredVisit& visit) { return visit.session_new; });
  const StoredVisit& first = opening == visits.end() ? visits.front() : *opening;
  return {{"time", base::ToRfc3339(first.arrival)},
          {"ip", first.ip},
          {"dns", first.dns},
          {"dns_check", first.dns_check},
          {"channel", first.channel},
          {"referrer", first.referrer},
          {"country", first.country},
          {"user_agent", first.user_agent}};
}

}  // namespace

int RunVisits(const config::Config& config, const VisitsOptions& options, std::FILE* out, bool terminal) {
  const base::Clock& clock = base::Clock::System();
  const base::WallTime now = clock.WallNow();
  const auto query = Query::Parse(options.where);
  if (!query) return Complain(query.error());
  VisitsWanted wanted;
  wanted.where = &*query;
  wanted.since = options.since.value_or(options.follow ? now : now - kSinceByDefault);
  wanted.until = options.until.value_or(base::WallTime::max());
  if (wanted.since >= wanted.until) return Complain("--since is not before --until", ExitCode::kUsage);
  if (!options.ip.empty()) {
    wanted.ip = base::Cidr::Parse(options.ip);
    if (!wanted.ip)
      return Complain("--ip: not an address or a network: " + Harmless(options.ip), ExitCode::kUsage);
  }
  if (!options.session.empty() && !logger::ParseSessionId(options.session)) {
    return Complain("--session: not a session id: " + Harmless(options.session), ExitCode::kUsage);
  }
  wanted.session = options.session;

  auto client = logger::RedisClient::Connect(config.redis);
  if (!client) return Complain(client.error());
  VisitReader reader(**client, clock);
  Printer printer(out, FormOf(options.json, terminal), options.limit);
  Progress progress(clock);
  reader.SetOnProgress([&](double share) { progress.Show(share); });
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

int RunSession(const config::Config& config, const std::string& session, bool json, std::FILE* out,
               bool terminal) {
  if (!logger::ParseSessionId(session)) {
    return Complain("not a session id: " + Harmless(session), ExitCode::kUsage);
  }
  const base::Clock& clock = base::Clock::System();
  auto client = logger::RedisClient::Connect(config.redis);
  if (!client) return Complain(client.error());
  VisitReader reader(**client, clock);
  VisitsWanted wanted;
  wanted.session = session;
  wanted.since = clock.WallNow() - config.visit.retention;
  std::vector<StoredVisit> visits;
  const base::Status read = reader.Read(wanted, [&](const StoredVisit& visit) {
    visits.push_back(visit);
    return true;
  });
  if (!read) return Complain(read.error());
  if (visits.empty()) return Complain("nothing is known of this session", ExitCode::kNegative);
  nlohmann::ordered_json head = {{"session", session}};
  std::string lines = "session\t" + session + "\n";
  // The visit that opened it says how it began; without that, the first that there is says since when it is
  // known.
  for (const auto& [name, value] : HowItBegan(visits)) {
    if (value.empty()) continue;
    head[name] = Harmless(value);
    lines += std::string(name) + "\t" + Harmless(value) + "\n";
  }
  Printer printer(out, FormOf(json, terminal), 0);
  head["visits"] = visits.size();
  lines += "visits\t" + std::to_string(visits.size()) + "\n\n";
  const std::string text =
      json ? head.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n" : lines;
  std::fputs(text.c_str(), out);
  for (const StoredVisit& visit : visits) printer.Print(visit);
  printer.Flush();
  if (!printer.ok()) return Complain("cannot write the visits", ExitCode::kInputOutput);
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace gatebook::review
