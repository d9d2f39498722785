#include "proxy/doctor_command.h"

#include <fmt/format.h>

#include <vector>

#include "base/rfc3339.h"
#include "proxy/admin_client.h"
#include "review/edge_checkup.h"
#include "review/journal_checkup.h"
#include "review/machine_checkup.h"
#include "review/redis_checkup.h"
#include "tls/certificate_store.h"

namespace gatebook::proxy {
namespace {

using base::ExitCode;
using review::Check;
using review::Checkup;
using review::Severity;
using namespace std::chrono_literals;

constexpr auto kEndsNow = std::chrono::days(7);
constexpr auto kEndsSoon = std::chrono::days(21);

int Run(const config::Config& config, bool json) {
  const base::Clock& clock = base::Clock::System();
  Checkup checkup;
  const auto status = AskAdmin(config.admin, "/status");
  review::ExamineEdge(status.ok() ? *status : std::string(),
                      status.ok() ? std::string() : status.error().message, checkup);
  const int process = status.ok() ? review::ProcessOf(*status) : 0;
  review::ExamineRedis(config, review::InstanceOf(config.journal.directory), clock, checkup);
  review::ExamineJournal(config, status.ok(), clock, checkup);
  ExamineCertificates(config, clock.WallNow(), checkup);
  review::ExamineHelpers(config, clock, checkup);
  review::ExamineMachine(config, process, review::LimitsOf(process), review::ClockStateNow(), checkup);
  fmt::print("{}", checkup.Render(json));
  return static_cast<int>(std::fflush(stdout) == 0 ? checkup.exit_code() : ExitCode::kInputOutput);
}

}  // namespace

void ExamineCertificates(const config::Config& config, base::WallTime now, Checkup& checkup) {
  if (config.certificates.empty()) return checkup.Ok(Check::kCertificates, "no listener has tls");
  std::vector<std::string> warnings;
  const auto store = tls::CertificateStore::Load(config.certificates, now, warnings);
  if (!store.ok()) return checkup.Fail(Check::kCertificates, store.error().message);
  for (const std::string& warning : warnings) checkup.Warn(Check::kCertificates, warning);
  for (const tls::LoadedCertificate& certificate : (*store)->certificates()) {
    const base::WallTime end = tls::NotAfter(certificate);
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(end - now).count();
    const std::string says =
        fmt::format("{} {} {}", fmt::join(certificate.names, " "),
                    left < 0 ? "has ended at" : fmt::format("ends in {}, at", review::InDays(left)),
                    base::ToRfc3339(end));
    checkup.Add(Check::kCertificates,
                end - now < kEndsNow    ? Severity::kError
                : end - now < kEndsSoon ? Severity::kWarning
                                        : Severity::kOk,
                says);
  }
}

void AddDoctorCommand(CLI::App& app, std::string& path,
                      std::function<std::shared_ptr<const config::Config>()> load, int* code) {
  CLI::App* command =
      app.add_subcommand("doctor", "Look at everything an operator would be woken for, and say what to do");
  command->footer(
      "Exit code: 0 all is well or only warnings, 1 an error was found, 69 Redis does not answer.\n\n"
      "Example:\n  gatebook doctor -c /etc/gatebook/gatebook.toml");
  command->add_option("-c,--config", path, "The configuration file")
      ->capture_default_str()
      ->type_name("FILE");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "One JSON object a finding, a line each");
  command->callback([json, load, code] {
    const auto config = load();
    *code = config ? Run(*config, *json) : static_cast<int>(ExitCode::kConfig);
  });
}

}  // namespace gatebook::proxy
