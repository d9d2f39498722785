#include "proxy/statistics_command.h"

#include <unistd.h>

#include "base/result.h"
#include "review/publish_command.h"
#include "review/statistics_command.h"

namespace gatebook::proxy {
namespace {

using Load = std::function<std::shared_ptr<const config::Config>()>;

void AddPublish(CLI::App& stats, std::string& path, Load load, int* code) {
  CLI::App* publish =
      stats.add_subcommand("publish", "Write a page of figures that name nobody, and its JSON");
  publish->footer(
      "Example:\n  gatebook stats publish --month 2026-10 --to /var/www/statistics --title 'Our service'");
  const auto options = std::make_shared<review::PublishOptions>();
  publish->add_option("-c,--config", path, "The configuration file")
      ->capture_default_str()
      ->type_name("FILE");
  publish->add_option("--day", options->day, "One whole day (UTC), as 2026-11-27")->type_name("DATE");
  publish->add_option("--week", options->week, "One whole ISO week, as 2026-W48")->type_name("WEEK");
  publish->add_option("--month", options->month, "One whole month, as 2026-11")->type_name("MONTH");
  publish->add_option("--to", options->directory, "Where; made if it is not there")->type_name("DIRECTORY");
  publish->add_option("--title", options->title, "Of whom the statistics are")->capture_default_str();
  publish->callback([options, load, code] {
    const auto config = load();
    *code = config ? review::RunPublish(*config, *options, base::Clock::System(), stdout)
                   : static_cast<int>(base::ExitCode::kConfig);
  });
}

}  // namespace

void AddStatisticsCommand(CLI::App& app, std::string& path,
                          std::function<std::shared_ptr<const config::Config>()> load, int* code) {
  CLI::App* stats = app.add_subcommand("stats", "Count visits: where from, what, with what, when");
  stats->footer(
      "Example:\n  gatebook stats --since 7d --where 'host = www.example.com and status < 400' --top 20");
  const auto options = std::make_shared<review::StatisticsOptions>();
  stats->add_option("-c,--config", path, "The configuration file")->capture_default_str()->type_name("FILE");
  stats->add_option("--since", options->since, "From then on: RFC 3339, or a time ago as 90min, 24h, 30d")
      ->capture_default_str()
      ->type_name("TIME");
  stats->add_option("--until", options->until, "Up to then, likewise (default now)")->type_name("TIME");
  stats->add_option("--where", options->where, "Only visits for which this holds")->type_name("EXPRESSION");
  stats->add_option("--top", options->top, "Rows of each table")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000))
      ->type_name("N");
  stats->add_flag("--json", options->json, "As one JSON object");
  AddPublish(*stats, path, load, code);
  stats->callback([stats, options, load, code] {
    if (!stats->get_subcommands().empty()) return;
    const auto config = load();
    *code = config ? review::RunStatistics(*config, *options, base::Clock::System(), stdout,
                                           isatty(STDOUT_FILENO) == 1)
                   : static_cast<int>(base::ExitCode::kConfig);
  });
}

}  // namespace gatebook::proxy
