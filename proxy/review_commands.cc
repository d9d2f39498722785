#include "proxy/review_commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/result.h"
#include "review/audit_command.h"
#include "review/commands.h"
#include "review/moment.h"

namespace gatebook::proxy {
namespace {

using base::ExitCode;
using Load = std::function<std::shared_ptr<const config::Config>()>;

int Code(ExitCode code) { return static_cast<int>(code); }

bool IsTerminal() { return isatty(STDOUT_FILENO) == 1; }

// How visits are to be written, as it is typed.
struct Shape {
  std::string format;
  bool json = false;

  std::optional<review::Form> Parse() const {
    if (json) return review::Form::kJson;
    return format.empty() ? std::nullopt : review::ParseForm(format);
  }
};

// As it is typed.
struct VisitsLine {
  review::VisitsOptions options;
  std::string since, until;
  std::string order = "oldest";
  Shape form;
};

// False, after saying so, if `text` is no time. An empty text leaves `moment` as it is.
bool TakeMoment(const char* option, const std::string& text, std::optional<base::WallTime>& moment) {
  if (text.empty()) return true;
  moment = review::ParseMoment(text, base::Clock::System().WallNow());
  if (!moment)
    fmt::print(stderr, "gatebook: {}: not a time: write 1h, 30d, or 2026-11-23T21:00:00Z\n", option);
  return moment.has_value();
}

int RunVisits(const config::Config& config, VisitsLine line) {
  review::VisitsOptions& options = line.options;
  if (!TakeMoment("--since", line.since, options.since) ||
      !TakeMoment("--until", line.until, options.until)) {
    return Code(ExitCode::kUsage);
  }
  options.newest_first = line.order == "newest";
  options.form = line.form.Parse();
  return review::RunVisits(config, options, stdout, IsTerminal());
}

CLI::App* Add(CLI::App& app, std::string& path, const char* name, const char* what, const char* example) {
  CLI::App* command = app.add_subcommand(name, what);
  command->footer(std::string("Example:\n  ") + example);
  command->add_option("-c,--config", path, "The configuration file")
      ->capture_default_str()
      ->type_name("FILE");
  return command;
}

void AddReveal(CLI::App* command, review::RevealOptions* reveal) {
  command->add_flag("--reveal", reveal->wanted,
                    "Addresses and names whole; needs --reason, and is written into the audit log first");
  command->add_option("--reason", reveal->reason, "Why they are wanted")->type_name("TEXT");
}

void AddForm(CLI::App* command, Shape* form) {
  CLI::Option* format =
      command
          ->add_option("--format", form->format,
                       "How visits are written (default: a table on a terminal, else plain)")
          ->check(CLI::IsMember({"table", "plain", "json", "ecs", "otel", "csv", "combined"}));
  command->add_flag("--json", form->json, "As --format json: one object a line")->excludes(format);
}

void AddVisits(CLI::App& app, std::string& path, Load load, int* code) {
  CLI::App* command = Add(app, path, "visits", "Show visits, oldest first",
                          "gatebook visits --since 1h --where 'status >= 400 and country = FI'");
  const auto line = std::make_shared<VisitsLine>();
  command->add_option(
      "--since", line->since,
      "From then on: RFC 3339, or a time ago as 90s, 1h, 30d (default: as --where says, else 1h)");
  command->add_option("--until", line->until, "Up to then, likewise (default now)");
  command->add_option("--ip", line->options.ip,
                      "Only of this network; of one address, or of less than /24 or /48, with --reveal");
  command->add_option("--session", line->options.session, "Only of this session");
  command->add_option("--query", line->options.query, "Only those for which the [[query]] of this name holds")
      ->type_name("NAME");
  command->add_option("--where", line->options.where, "Only those for which this holds")
      ->type_name("EXPRESSION");
  command->add_option("--order", line->order, "Which come first")
      ->capture_default_str()
      ->check(CLI::IsMember({"oldest", "newest"}));
  command->add_option("--limit", line->options.limit, "At most so many, then end (0: all)");
  command->add_flag("-f,--follow", line->options.follow, "Go on with visits as they come");
  AddForm(command, &line->form);
  AddReveal(command, &line->options.reveal);
  command->callback([line, load, code] {
    const auto config = load();
    *code = config ? RunVisits(*config, *line) : Code(ExitCode::kConfig);
  });
}

void AddSession(CLI::App& app, std::string& path, Load load, int* code) {
  CLI::App* command =
      Add(app, path, "session", "Show one session and its visits", "gatebook session 8gJ0Yp3nS1mYw0m3bWqk2A");
  const auto options = std::make_shared<review::SessionOptions>();
  const auto form = std::make_shared<Shape>();
  command->add_option("ID", options->session, "The session id")->required();
  AddForm(command, form.get());
  AddReveal(command, &options->reveal);
  command->callback([options, form, load, code] {
    options->form = form->Parse();
    const auto config = load();
    *code = config ? review::RunSession(*config, *options, stdout, IsTerminal()) : Code(ExitCode::kConfig);
  });
}

void AddAudit(CLI::App& app, std::string& path, Load load, int* code) {
  CLI::App* command = Add(app, path, "audit", "Who saw addresses and names whole, when, what and why",
                          "gatebook audit --since 30d --who alice");
  const auto options = std::make_shared<review::AuditOptions>();
  command->add_option("--since", options->since, "From then on: RFC 3339, or a time ago as 2h, 30d")
      ->type_name("TIME");
  command->add_option("--until", options->until, "Up to then, likewise (default now)")->type_name("TIME");
  command->add_option("--who", options->who, "Only of this reader or login")->type_name("NAME");
  CLI::Option* json = command->add_flag("--json", options->json, "One JSON object a line");
  command->add_flag("--verify", options->only_verify, "Only say whether the chain holds, and its last digest")
      ->excludes(json);
  command->callback([options, load, code] {
    const auto config = load();
    *code = config ? review::RunAudit(*config, *options, base::Clock::System(), stdout, IsTerminal())
                   : Code(ExitCode::kConfig);
  });
}

}  // namespace

void AddReviewCommands(CLI::App& app, std::string& path, Load load, int* code) {
  AddVisits(app, path, load, code);
  AddSession(app, path, load, code);
  AddAudit(app, path, load, code);
}

}  // namespace gatebook::proxy
