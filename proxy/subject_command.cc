#include "proxy/subject_command.h"

#include <fmt/format.h>

#include <memory>

#include "proxy/admin_client.h"
#include "proxy/session_key.h"
#include "review/subject_command.h"

namespace gatebook::proxy {
namespace {

using base::ExitCode;

int Fail(const base::Error& error) {
  fmt::print(stderr, "gatebook: {}\n", error.message);
  return static_cast<int>(error.exit_code);
}

int Run(const config::Config& config, const review::SubjectOptions& options, bool erase) {
  const base::Clock& clock = base::Clock::System();
  const auto subject = review::ParseSubject(options, clock.WallNow());
  if (!subject.ok()) return Fail(subject.error());
  const auto key = SessionKey::LoadMade(config.session.key_file);
  if (!key.ok()) return Fail(key.error());
  auto client = logger::RedisClient::Connect(config.redis);
  if (!client.ok()) return Fail(client.error());
  const review::SubjectRights rights(config, **client, clock, logger::ErasureKey(key->bytes()));
  if (!erase) return review::RunSubjectExport(config, rights, *subject, options, stdout);
  const auto tell = [&config] {
    const auto answer = TellAdmin(config.admin, "/erasures");
    return answer.ok() && answer->status == 200;
  };
  return review::RunSubjectErase(rights, *subject, options.reason, tell, stdout);
}

}  // namespace

void AddSubjectCommand(CLI::App& app, std::string& path,
                       std::function<std::shared_ptr<const config::Config>()> load, int* code) {
  CLI::App* subject = app.add_subcommand("subject", "What is stored of one person: shown to them, or erased");
  subject->require_subcommand(1);
  const auto options = std::make_shared<review::SubjectOptions>();
  const auto add = [&](const char* name, const char* what, const char* example, bool erase) {
    CLI::App* command = subject->add_subcommand(name, what);
    command->footer(std::string("Example:\n  ") + example);
    command->add_option("-c,--config", path, "The configuration file")
        ->capture_default_str()
        ->type_name("FILE");
    command->add_option("--session", options->session, "The session's id: everything of it")->type_name("ID");
    command->add_option("--ip", options->ip, "One address, in a window of time")->type_name("ADDRESS");
    command
        ->add_option("--since", options->since, "With --ip: from then on; RFC 3339, or a time ago as 2h, 30d")
        ->type_name("TIME");
    command->add_option("--until", options->until, "With --ip: up to then, likewise (default now)")
        ->type_name("TIME");
    command->add_option("--reason", options->reason,
                        "Why; required with --ip, and repeated in the receipt or in the audit log");
    command->callback([options, load, code, erase] {
      const auto config = load();
      *code = config ? Run(*config, *options, erase) : static_cast<int>(ExitCode::kConfig);
    });
  };
  add("export", "All that is stored, as JSON", "gatebook subject export --session 8gJ0Yp3nS1mYw0m3bWqk2A",
      false);
  add("erase", "Erase all that is stored, for good, and print a receipt",
      "gatebook subject erase --ip 192.0.2.7 --since 2d --until 1d --reason 'letter of 3 March, holder of "
      "the line'",
      true);
}

}  // namespace gatebook::proxy
