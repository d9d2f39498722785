#include "review/statistics_command.h"

#include <fmt/format.h>

#include "config/units.h"
#include "logger/redis_client.h"
#include "review/moment.h"
#include "review/progress.h"
#include "review/query.h"
#include "review/statistics_text.h"
#include "review/visits.h"

namespace gatebook::review {
namespace {

using base::ExitCode;
using namespace std::chrono_literals;

int Complain(const base::Error& error) {
  std::fputs(("gatebook: " + error.message + "\n").c_str(), stderr);
  return static_cast<int>(error.exit_code);
}

base::Result<VisitsWanted> ParseWindow(const config::Config& config, const StatisticsOptions& options,
                                       base::WallTime now) {
  VisitsWanted wanted;
  const auto since = ParsePast("--since", options.since, now);
  if (!since) return since.error();
  const auto until =
      options.until.empty() ? base::Result<base::WallTime>(now) : ParsePast("--until", options.until, now);
  if (!until) return until.error();
  if (*since >= *until) return base::Error{"--since is not before --until", ExitCode::kUsage};
  // What is older is gone, and its minutes need not be looked for.
  if (*since < now - config.visit.retention - 1min) {
    const std::string retention = config::FormatDuration(config.visit.retention);
    return base::Error{fmt::format("--since: visits are kept for {} (visit.retention); write {} at most",
                                   retention, retention),
                       ExitCode::kUsage};
  }
  wanted.since = *since;
  wanted.until = *until;
  return wanted;
}

}  // namespace

int RunStatistics(const config::Config& config, const StatisticsOptions& options, const base::Clock& clock,
                  std::FILE* out, bool terminal) {
  // Counting how often one address was here tells what is hidden as well as showing it.
  const auto query =
      Query::Parse(options.where, {.discreet = true, .instead = "gatebook visits --reveal --reason TEXT"});
  if (!query) return Complain(query.error());
  auto wanted = ParseWindow(config, options, clock.WallNow());
  if (!wanted) return Complain(wanted.error());
  wanted->where = &*query;

  auto client = logger::RedisClient::Connect(config.redis);
  if (!client) return Complain(client.error());
  VisitReader reader(**client, clock);
  Progress progress(clock);
  reader.SetOnProgress([&](double share) { progress.Show(share); });
  Statistics statistics;
  const base::Status read = reader.Read(*wanted, [&](const logger::StoredVisit& visit) {
    statistics.Take(visit);
    return true;
  });
  progress.Clear();
  if (!read) return Complain(read.error());

  const Form form = options.json ? Form::kJson : terminal ? Form::kTable : Form::kPlain;
  const std::string text = RenderStatistics(
      statistics, {.since = wanted->since, .until = wanted->until, .top = options.top, .form = form});
  const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0;
  if (!written) return Complain({"cannot write the statistics", ExitCode::kInputOutput});
  return static_cast<int>(statistics.visits() == 0 ? ExitCode::kNegative : ExitCode::kOk);
}

}  // namespace gatebook::review
