#include "proxy/retention_command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/guarded_clock.h"
#include "logger/known_time.h"
#include "proxy/admin_client.h"
#include "review/retention_command.h"

namespace gatebook::proxy {
namespace {

using base::ExitCode;

struct Options {
  review::RetentionOptions look;
  bool ledger = false;
  std::string expect;
  bool round = false;
  bool confirm_clock = false;
};

int Code(ExitCode code) { return static_cast<int>(code); }

int Fail(const base::Error& error) {
  fmt::print(stderr, "gatebook: {}\n", error.message);
  return Code(error.exit_code);
}

// What the running edge says of itself at a place of its status; nothing if none runs.
std::optional<uint64_t> NumberInStatus(const config::Config& config, const char* place) {
  const auto answer = AskAdmin(config.admin, "/status");
  if (!answer.ok()) return std::nullopt;
  const nlohmann::json status = nlohmann::json::parse(*answer, nullptr, false);
  const nlohmann::json::json_pointer pointer(place);
  if (!status.is_object() || !status.contains(pointer) || !status[pointer].is_number()) return std::nullopt;
  return status[pointer].get<uint64_t>();
}

int ConfirmClock(const config::Config& config) {
  const auto answer = TellAdmin(config.admin, "/clock");
  if (!answer.ok()) return Fail(answer.error());
  if (answer->status != 200) return Fail({answer->body, ExitCode::kNegative});
  fmt::print("{}", answer->body);
  return Code(ExitCode::kOk);
}

// Has the running edge do its daily round, and waits for its end.
int Round(const config::Config& config) {
  const auto answer = TellAdmin(config.admin, "/retention");
  if (!answer.ok()) return Fail(answer.error());
  if (answer->status != 200) return Fail({answer->body, ExitCode::kNegative});
  const uint64_t number = std::strtoull(answer->body.c_str(), nullptr, 10);
  while (true) {
    const auto done = NumberInStatus(config, "/retention/rounds");
    if (!done) return Fail({"gatebook no longer answers", ExitCode::kUnavailable});
    if (*done >= number) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  const auto answered = AskAdmin(config.admin, "/status");
  if (!answered.ok()) return Fail(answered.error());
  const nlohmann::json status = nlohmann::json::parse(*answered, nullptr, false);
  const std::string state = status["retention"].value("state", "");
  fmt::print("{}\n", state);
  return Code(state == "kept" ? ExitCode::kOk : ExitCode::kNegative);
}

int Run(const config::Config& config, const Options& options) {
  if (options.confirm_clock) return ConfirmClock(config);
  if (options.round) return Round(config);
  if (options.ledger) return review::RunLedger(config, options.expect, options.look.json, stdout);
  base::GuardedClock clock(base::Clock::System(), config.retention.clock_jump);
  clock.Begin(logger::LoadKnownTime(config.journal.directory), base::BootId(), base::IsClockSynchronised());
  return review::RunRetention(
      config, options.look, clock, [&config] { return NumberInStatus(config, "/dns/cached"); }, stdout);
}

}  // namespace

void AddRetentionCommand(CLI::App& app, std::string& path,
                         std::function<std::shared_ptr<const config::Config>()> load, int* code) {
  CLI::App* command =
      app.add_subcommand("retention", "Whether everything is destroyed in time: what stands where");
  command->footer("Example:\n  gatebook retention --json || mail -s 'gatebook: a promise is broken' dpo");
  command->add_option("-c,--config", path, "The configuration file")
      ->capture_default_str()
      ->type_name("FILE");
  const auto options = std::make_shared<Options>();
  command->add_flag("--json", options->look.json, "As JSON");
  auto* quick =
      command->add_flag("--quick", options->look.quick, "Of each stream only its first entry and its size");
  auto* ledger = command->add_flag("--ledger", options->ledger, "Verify the ledger's chain, and show it");
  command->add_option("--expect", options->expect, "A digest that must stand in it")
      ->type_name("DIGEST")
      ->needs(ledger);
  auto* round = command->add_flag("--round", options->round, "Have the running edge do its daily round now");
  auto* confirm = command->add_flag("--confirm-clock", options->confirm_clock,
                                    "The running edge's clock is right after all");
  ledger->excludes(quick, round, confirm);
  round->excludes(quick, confirm);
  command->callback([options, load, code] {
    const auto config = load();
    *code = config ? Run(*config, *options) : Code(ExitCode::kConfig);
  });
}

}  // namespace gatebook::proxy
