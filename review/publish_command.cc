#include "review/publish_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "logger/redis_client.h"
#include "review/figures_store.h"
#include "review/progress.h"
#include "review/publication_page.h"
#include "review/render.h"

namespace gatebook::review {
namespace {

using base::ExitCode;

int Complain(const base::Error& error) {
  std::fputs(("gatebook: " + error.message + "\n").c_str(), stderr);
  return static_cast<int>(error.exit_code);
}

base::Error Usage(std::string message) { return {std::move(message), ExitCode::kUsage}; }

base::Result<Period> ParsePeriod(const PublishOptions& options, base::WallTime now) {
  const std::pair<Period::Kind, const std::string*> all[] = {{Period::Kind::kDay, &options.day},
                                                             {Period::Kind::kWeek, &options.week},
                                                             {Period::Kind::kMonth, &options.month}};
  std::optional<Period> period;
  for (const auto& [kind, text] : all) {
    if (text->empty()) continue;
    const std::string example = LastComplete(kind, now).ToText();
    if (period) return Usage("one period at a time: --day, --week or --month");
    period = Period::Parse(kind, *text);
    if (!period) {
      return Usage(fmt::format("--{}: no {}: {}; write it as {}", ToText(kind), ToText(kind), Harmless(*text),
                               example));
    }
    if (base::WallTime(period->end()) + kSettleTime > now) {
      return Usage(fmt::format(
          "--{}: {} is not over, and only whole periods are published, {} min after their end (UTC); "
          "the last one is {}",
          ToText(kind), period->ToText(), kSettleTime.count(), example));
    }
  }
  if (!period) return Usage("say which period: --day 2026-11-27, --week 2026-W48 or --month 2026-11");
  return *period;
}

// All days whose figures may stand in the publication.
std::vector<Day> DaysOf(const Period& period) {
  std::vector<Day> days = period.Days();
  for (const Period& earlier : EarlierPeriods(period)) {
    const auto more = earlier.Days();
    days.insert(days.end(), more.begin(), more.end());
  }
  return days;
}

base::Result<std::map<Day, DayFigures>> Figures(FiguresStore& store, const Period& period) {
  auto figures = store.Load(DaysOf(period));
  if (!figures) return figures;
  for (const Day day : period.Days()) {
    if (figures->contains(day) || !store.CanCount(day)) continue;
    auto counted = store.Count(day);
    if (!counted) return counted.error();
    figures->emplace(day, std::move(*counted));
  }
  return figures;
}

// Whole or not at all: who reads it meanwhile has the old one.
base::Status Write(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path beside = path.string() + ".new";
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(beside, path, error);
  if (!file || error) return base::Error{"cannot write " + path.string(), ExitCode::kInputOutput};
  return {};
}

// The publications that stand there, by time.
std::vector<Period> Published(const std::filesystem::path& directory) {
  std::vector<Period> periods;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".html") continue;
    const std::string name = entry.path().stem().string();
    for (const auto kind : {Period::Kind::kDay, Period::Kind::kWeek, Period::Kind::kMonth}) {
      if (const auto period = Period::Parse(kind, name)) periods.push_back(*period);
    }
  }
  std::sort(periods.begin(), periods.end(),
            [](const Period& a, const Period& b) { return a.first() < b.first(); });
  return periods;
}

}  // namespace

int RunPublish(const config::Config& config, const PublishOptions& options, const base::Clock& clock,
               std::FILE* out) {
  const auto period = ParsePeriod(options, clock.WallNow());
  if (!period) return Complain(period.error());
  if (options.directory.empty()) return Complain(Usage("say where: --to DIRECTORY"));

  auto client = logger::RedisClient::Connect(config.redis);
  if (!client) return Complain(client.error());
  FiguresStore store(**client, config, clock);
  Progress progress(clock);
  store.SetOnProgress([&progress](double share) { progress.Show(share); });
  const auto figures = Figures(store, *period);
  progress.Clear();
  if (!figures) return Complain(figures.error());
  const Publication publication = MakePublication(*period, *figures, config.statistics);
  const auto is_missing = [](const auto& line) { return line.state == Publication::DayState::kMissing; };
  if (std::all_of(publication.days.begin(), publication.days.end(), is_missing)) {
    return Complain(
        {fmt::format("the visits of {} are over (visit.retention), and nobody counted them in time",
                     period->ToText()),
         ExitCode::kNegative});
  }

  const std::filesystem::path directory(options.directory);
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return Complain({"cannot make " + options.directory + ": " + error.message(), ExitCode::kCannotCreate});
  }
  const std::string name = period->ToText();
  if (auto written = Write(directory / (name + ".json"), ToJson(publication)); !written)
    return Complain(written.error());
  if (auto written = Write(directory / (name + ".html"), ToHtml(publication, options.title, name + ".json"));
      !written) {
    return Complain(written.error());
  }
  if (auto written = Write(directory / "index.html", IndexHtml(Published(directory), options.title));
      !written) {
    return Complain(written.error());
  }
  std::fputs(fmt::format("{0}/{1}.html\n{0}/{1}.json\n", options.directory, name).c_str(), out);
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace gatebook::review
