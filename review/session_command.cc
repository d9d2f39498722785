#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

#include "base/rfc3339.h"
#include "logger/redis_client.h"
#include "review/commands.h"
#include "review/visits.h"

namespace gatebook::review {
namespace {

using base::ExitCode;
using logger::StoredVisit;
using nlohmann::ordered_json;

int Complain(const base::Error& error) {
  std::fputs(("gatebook: " + error.message + "\n").c_str(), stderr);
  return static_cast<int>(error.exit_code);
}

// The visit that opened the session says how it began; without that, the first that there is says since when
// it is known.
std::string Heading(const std::string& session, const std::vector<StoredVisit>& visits, bool json) {
  const auto opening =
      std::find_if(visits.begin(), visits.end(), [](const StoredVisit& visit) { return visit.session_new; });
  const StoredVisit& first = opening == visits.end() ? visits.front() : *opening;
  const std::array<std::pair<const char*, std::string>, 8> beginning = {
      {{"time", base::ToRfc3339(first.arrival)},
       {"ip", first.ip},
       {"dns", first.dns},
       {"dns_check", first.dns_check},
       {"channel", first.channel},
       {"referrer", first.referrer},
       {"country", first.country},
       {"user_agent", first.user_agent}}};
  ordered_json head = {{"session", session}};
  std::string lines = "session\t" + session + "\n";
  for (const auto& [name, value] : beginning) {
    if (value.empty()) continue;
    head[name] = Harmless(value);
    lines += std::string(name) + "\t" + Harmless(value) + "\n";
  }
  head["visits"] = visits.size();
  lines += "visits\t" + std::to_string(visits.size()) + "\n\n";
  return json ? head.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n" : lines;
}

}  // namespace

int RunSession(const config::Config& config, const SessionOptions& options, std::FILE* out, bool terminal) {
  const std::string& session = options.session;
  if (!logger::ParseSessionId(session)) {
    return Complain({"not a session id: " + Harmless(session), ExitCode::kUsage});
  }
  const base::Clock& clock = base::Clock::System();
  auto client = logger::RedisClient::Connect(config.redis);
  if (!client) return Complain(client.error());
  if (auto written = WriteReveal(config, options.reveal, "session " + session, clock); !written)
    return Complain(written.error());

  VisitReader reader(**client, clock);
  VisitsWanted wanted;
  wanted.session = session;
  wanted.discreet = !options.reveal.wanted;
  wanted.since = clock.WallNow() - config.visit.retention;
  std::vector<StoredVisit> visits;
  const base::Status read = reader.Read(wanted, [&](const StoredVisit& visit) {
    visits.push_back(visit);
    return true;
  });
  if (!read) return Complain(read.error());
  if (visits.empty()) return Complain({"nothing is known of this session", ExitCode::kNegative});
  const Form form = options.form.value_or(terminal ? Form::kTable : Form::kPlain);
  const bool says_beginning = form == Form::kTable || form == Form::kPlain || form == Form::kJson;
  std::string text = says_beginning ? Heading(session, visits, form == Form::kJson) : "";
  text += RenderHeading(form);
  for (const StoredVisit& visit : visits) text += RenderVisit(visit, form);
  const bool put = std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0;
  if (!put) return Complain({"cannot write the visits", ExitCode::kInputOutput});
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace gatebook::review
