#include "proxy/commands.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "config/loader.h"
#include "config/nearest.h"
#include "config/schema.h"
#include "config/show.h"
#include "logger/visit.h"
#include "proxy/admin_client.h"
#include "proxy/config_trial.h"
#include "proxy/declared_regions.h"
#include "proxy/desk_command.h"
#include "proxy/doctor_command.h"
#include "proxy/objection_command.h"
#include "proxy/policy_command.h"
#include "proxy/retention_command.h"
#include "proxy/review_commands.h"
#include "proxy/server.h"
#include "proxy/statistics_command.h"
#include "proxy/status_page.h"
#include "proxy/subject_command.h"

namespace gatebook::proxy {
namespace {

using base::ExitCode;

constexpr char kDefaultConfig[] = "/etc/gatebook/gatebook.toml";

int Code(ExitCode code) { return static_cast<int>(code); }

int Fail(const base::Error& error) {
  fmt::print(stderr, "gatebook: {}\n", error.message);
  return Code(error.exit_code);
}

bool IsColored(int fd) { return isatty(fd) == 1 && std::getenv("NO_COLOR") == nullptr; }

// The config, or nothing after the problems have been said.
std::shared_ptr<const config::Config> OrSay(config::LoadOutcome outcome) {
  if (!outcome.ok())
    fmt::print(stderr, "{}", config::RenderProblems(outcome.problems, IsColored(STDERR_FILENO)));
  return outcome.config;
}
std::shared_ptr<const config::Config> LoadOrSay(const std::string& path) { return OrSay(LoadChecked(path)); }

int RunServer(const std::string& path) {
  const auto config = OrSay(LoadTried(path));
  if (!config) return Code(ExitCode::kConfig);
  Server server(config);
  if (const auto status = server.Start(); !status.ok()) return Fail(status.error());
  server.Run();
  return Code(ExitCode::kOk);
}

int RunCheck(const std::string& path) {
  const auto config = OrSay(LoadTried(path, TryPlaces));
  if (!config) return Code(ExitCode::kConfig);
  fmt::print("{}: well\n", path);
  return Code(ExitCode::kOk);
}

// 0 if nobody says.
uint64_t AskGeneration(const config::Admin& admin) {
  const auto answer = AskAdmin(admin, "/status");
  return answer.ok() ? GenerationInForce(*answer) : 0;
}

int RunStatus(const std::string& path, bool json) {
  const auto config = OrSay(config::LoadToLook(path));
  if (!config) return Code(ExitCode::kConfig);
  const auto answer = AskAdmin(config->admin, "/status");
  if (!answer.ok()) return Fail(answer.error());
  if (json) {
    fmt::print("{}", *answer);
    return Code(ExitCode::kOk);
  }
  const auto text = StatusForPeople(*answer);
  if (!text.ok()) return Fail(text.error());
  fmt::print("{}", *text);
  return Code(ExitCode::kOk);
}

// With `wait`: until every worker begins exchanges under the new generation.
int RunReload(const std::string& path, bool wait) {
  // The running edge is the judge: it reads the file with its own rights, and its log and status tell.
  const auto config = OrSay(config::LoadToLook(path));
  if (!config) return Code(ExitCode::kNegative);
  const auto answer = TellAdmin(config->admin, "/reload");
  if (!answer.ok()) return Fail(answer.error());
  if (answer->status != 200) {
    fmt::print(stderr, "gatebook: refused, nothing has changed: {}", answer->body);
    return Code(ExitCode::kNegative);
  }
  const uint64_t number = std::strtoull(answer->body.c_str(), nullptr, 10);
  constexpr int kMostLooks = 500;
  for (int look = 0; wait && AskGeneration(config->admin) < number; ++look) {
    if (look == kMostLooks) {
      return Fail({"the new generation is taken, but a worker does not turn to it", ExitCode::kNegative});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  fmt::print("generation {} is in force\n", number);
  return Code(ExitCode::kOk);
}

int RunConfigShow(const std::string& path) {
  const auto config = LoadOrSay(path);
  if (!config) return Code(ExitCode::kConfig);
  fmt::print("{}", config::Show(*config));
  return Code(ExitCode::kOk);
}

// A session's id may begin with a hyphen: it is no option.
std::vector<std::string> WithIdsGuarded(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto id = std::find_if(arguments.begin(), arguments.end(), [](const std::string& argument) {
    return argument.starts_with('-') && logger::ParseSessionId(argument).has_value();
  });
  if (!arguments.empty() && arguments.front() == "session" && id != arguments.end()) {
    std::string last = std::move(*id);
    arguments.erase(id);
    arguments.insert(arguments.end(), {"--", std::move(last)});
  }
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  return arguments;
}

bool IsCommand(const CLI::App& app, std::string_view name) {
  const auto commands =
      app.get_subcommands([name](const CLI::App* command) { return command->get_name() == name; });
  return !commands.empty();
}

int UnknownCommand(const CLI::App& app, std::string_view name) {
  std::vector<std::string> kept;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    kept.push_back(command->get_name());
  }
  const std::vector<std::string_view> names(kept.begin(), kept.end());
  const auto nearest = config::Nearest(name, names);
  fmt::print(stderr, "gatebook: unknown command \"{}\"{}\n", name,
             nearest ? fmt::format("; did you mean {}?", *nearest) : "; gatebook --help lists them");
  return Code(ExitCode::kUsage);
}

}  // namespace

int RunCommandLine(int argc, char** argv) {
  CLI::App app{"Gatebook: a TLS edge in front of a web service that keeps a visitors' book", "gatebook"};
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "Say this and end");
  app.set_version_flag("--version", "gatebook " GATEBOOK_VERSION, "Say the version and end");
  std::string path = kDefaultConfig;
  bool json = false;
  int code = 0;
  const auto add = [&](CLI::App& parent, const char* name, const char* what, const char* example) {
    CLI::App* command = parent.add_subcommand(name, what);
    command->footer(std::string("Example:\n  ") + example);
    return command;
  };
  const auto with_config = [&](CLI::App* command) {
    command->add_option("-c,--config", path, "The configuration file")
        ->capture_default_str()
        ->type_name("FILE");
    return command;
  };

  with_config(add(app, "run", "Serve until TERM", "gatebook run -c /etc/gatebook/gatebook.toml"))
      ->callback([&] { code = RunServer(path); });
  with_config(add(app, "check", "Say everything that is wrong with a configuration, without starting",
                  "gatebook check -c gatebook.toml && systemctl restart gatebook"))
      ->callback([&] { code = RunCheck(path); });

  AddReviewCommands(
      app, path, [&path] { return OrSay(config::LoadToLook(path)); }, &code);
  AddStatisticsCommand(
      app, path, [&path] { return OrSay(config::LoadToLook(path)); }, &code);
  AddSubjectCommand(
      app, path, [&path] { return LoadOrSay(path); }, &code);
  AddDoctorCommand(
      app, path, [&path] { return LoadOrSay(path); }, &code);

  AddDeskCommand(app, &code);

  AddObjectionCommand(
      app, path, [&path] { return LoadOrSay(path); }, &code);

  AddPolicyCommand(
      app, path, [&path] { return LoadOrSay(path); }, &code);

  // A fault elsewhere in the file must not hide whether a promise is broken.
  AddRetentionCommand(
      app, path,
      [&path] {
        const auto whole = config::Load(path);
        return whole.ok() ? whole.config : OrSay(config::LoadToLook(path));
      },
      &code);

  CLI::App* status =
      with_config(add(app, "status", "How the running edge is", "gatebook status --json | jq .visits"));
  status->add_flag("--json", json, "As JSON");
  status->callback([&] { code = RunStatus(path, json); });

  bool wait = false;
  CLI::App* reload = with_config(
      add(app, "reload", "Put a changed configuration in force without a restart, whole or not at all",
          "gatebook reload --wait -c /etc/gatebook/gatebook.toml"));
  reload->add_flag("--wait", wait, "Until every worker serves under it");
  reload->callback([&] { code = RunReload(path, wait); });

  CLI::App* config = app.add_subcommand("config", "The configuration in force, and its schema");
  config->require_subcommand(1);
  with_config(add(*config, "show", "The configuration with all defaults, as TOML",
                  "gatebook config show -c gatebook.toml"))
      ->callback([&] { code = RunConfigShow(path); });
  add(*config, "schema", "JSON Schema of the configuration", "gatebook config schema > gatebook.schema.json")
      ->callback([&] { fmt::print("{}", config::JsonSchema()); });

  add(app, "version", "Say the version", "gatebook version")->callback([&] {
    fmt::print("gatebook {}\n", GATEBOOK_VERSION);
  });

  if (argc > 1 && argv[1][0] != '-' && !IsCommand(app, argv[1])) return UnknownCommand(app, argv[1]);
  try {
    app.parse(WithIdsGuarded(argc, argv));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? Code(ExitCode::kOk) : Code(ExitCode::kUsage);
  }
  return code;
}

}  // namespace gatebook::proxy
