#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

#include "base/rfc3339.h"
#include "logger/redis_client.h"
#include "review/commands.h"
#include "review/discreet.h"
#include "review/visits.h"

namespace gatebook::review {
namespace {

using base::ExitCode;
using logger::StoredVisit;
using nlohmann::ordered_json;
using namespace std::chrono_literals;
using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr auto kMostSessionLife = 48h;

int Complain(const base::Error& error) {
  std::fputs(("gatebook: " + error.message + "\n").c_str(), stderr);
  return static_cast<int>(error.exit_code);
}

std::optional<base::WallTime> BeganAt(const Fields& start) {
  for (const auto& [name, value] : start) {
    int64_t milliseconds = 0;
    if (name == "time") std::from_chars(value.data(), value.data() + value.size(), milliseconds);
    if (name == "time") return base::WallTime(std::chrono::milliseconds(milliseconds));
  }
  return std::nullopt;
}

// As a visit would be shown.
void MakeBeginningDiscreet(Fields* start) {
  StoredVisit beginning;
  for (const auto& [name, value] : *start) {
    if (name == "ip") beginning.ip = value;
    if (name == "dns") beginning.dns = value;
  }
  MakeDiscreet(&beginning);
  for (auto& [name, value] : *start) {
    if (name == "ip") value = beginning.ip;
    if (name == "dns") value = beginning.dns;
  }
}

std::string Heading(const std::string& session, const Fields& start, base::WallTime now, size_t visits,
                    bool json) {
  ordered_json head = {{"session", session}};
  std::string lines = "session\t" + session + "\n";
  for (const auto& [name, value] : start) {
    const std::string shown = name == "time"
                                  ? base::ToRfc3339(std::clamp(*BeganAt(start), base::WallTime{}, now + 24h))
                                  : Harmless(value);
    if (shown.empty()) continue;
    head[Harmless(name)] = shown;
    lines += Harmless(name) + "\t" + shown + "\n";
  }
  head["visits"] = visits;
  lines += "visits\t" + std::to_string(visits) + "\n\n";
  return json ? head.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n" : lines;
}

}  // namespace

int RunSession(const config::Config& config, const SessionOptions& options, std::FILE* out, bool terminal) {
  const std::string& session = options.session;
  if (!logger::ParseSessionId(session)) {
    return Complain({"not a session id: " + Harmless(session), ExitCode::kUsage});
  }
  const base::Clock& clock = base::Clock::System();
  const base::WallTime now = clock.WallNow();
  auto client = logger::RedisClient::Connect(config.redis);
  if (!client) return Complain(client.error());
  if (auto written = WriteReveal(config, options.reveal, "session " + session, clock); !written)
    return Complain(written.error());
  VisitReader reader(**client, clock);
  auto start = reader.ReadSessionStart(session);
  if (!start) return Complain(start.error());
  if (!options.reveal.wanted) MakeBeginningDiscreet(&*start);

  VisitsWanted wanted;
  wanted.session = session;
  wanted.discreet = !options.reveal.wanted;
  wanted.since = now - config.visit.retention;
  // A session has an end: no need to look through a month.
  if (const auto began = BeganAt(*start); began && *began <= now && *began > now - 366 * 24h) {
    wanted.since = *began - logger::kMostRecordDelay;
    wanted.until = *began + std::max<std::chrono::milliseconds>(kMostSessionLife, config.session.lifetime);
  }
  std::vector<StoredVisit> visits;
  const base::Status read = reader.Read(wanted, [&](const StoredVisit& visit) {
    visits.push_back(visit);
    return true;
  });
  if (!read) return Complain(read.error());
  if (visits.empty() && start->empty()) {
    return Complain({"nothing is known of this session", ExitCode::kNegative});
  }
  const Form form = options.json ? Form::kJson : terminal ? Form::kTable : Form::kPlain;
  std::string text = Heading(session, *start, now, visits.size(), options.json);
  if (!visits.empty()) text += RenderHeading(form);
  for (const StoredVisit& visit : visits) text += RenderVisit(visit, form);
  const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0;
  if (!written) return Complain({"cannot write the visits", ExitCode::kInputOutput});
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace gatebook::review
