#include "review/subject_command.h"

#include <fmt/format.h>

#include "base/rfc3339.h"
#include "review/moment.h"
#include "review/render.h"

namespace gatebook::review {
namespace {

using base::ExitCode;

constexpr size_t kMostReason = 500;

base::Error Usage(std::string message) { return {std::move(message), ExitCode::kUsage}; }

int Complain(const base::Error& error) {
  std::fputs(("gatebook: " + error.message + "\n").c_str(), stderr);
  return static_cast<int>(error.exit_code);
}

int Print(const std::string& text, std::FILE* out) {
  const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0;
  if (!written) return Complain({"cannot write the answer", ExitCode::kInputOutput});
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace

base::Result<Subject> ParseSubject(const SubjectOptions& options, base::WallTime now) {
  if (options.session.empty() == options.ip.empty()) {
    return Usage("say whom: --session ID, or --ip ADDRESS --since TIME --reason TEXT");
  }
  if (options.reason.size() > kMostReason)
    return Usage(fmt::format("--reason: at most {} octets", kMostReason));
  if (!options.session.empty()) {
    const auto session = logger::ParseSessionId(options.session);
    if (!session) {
      return Usage(
          fmt::format("--session: not a session id: {}; it has 22 letters, digits, - and _, as in "
                      "8gJ0Yp3nS1mYw0m3bWqk2A",
                      Harmless(options.session)));
    }
    if (!options.since.empty() || !options.until.empty()) {
      return Usage("--since and --until go with --ip: of a session everything is meant");
    }
    return Subject::OfSession(*session, now);
  }
  const auto ip = base::IpAddress::Parse(options.ip);
  if (!ip) {
    return Usage(fmt::format("--ip: not an address: {}; write one address, as 192.0.2.1 or 2001:db8::1",
                             Harmless(options.ip)));
  }
  if (options.since.empty()) {
    return Usage(
        "--ip needs --since TIME and perhaps --until TIME: an address may be another's at other times");
  }
  if (options.reason.empty()) {
    return Usage(
        "--ip needs --reason TEXT: an address may be shared, so somebody must have looked whose it was");
  }
  const auto since = ParsePast("--since", options.since, now);
  if (!since) return since.error();
  const auto until =
      options.until.empty() ? base::Result<base::WallTime>(now) : ParsePast("--until", options.until, now);
  if (!until) return until.error();
  if (*since >= *until) return Usage("--since is not before --until");
  return Subject::OfAddress(*ip, *since, *until);
}

int RunSubjectExport(const config::Config& config, SubjectRights rights, const Subject& subject,
                     const SubjectOptions& options, std::FILE* out) {
  const std::string what =
      subject.session ? "subject export of session " + logger::ToText(*subject.session)
                      : fmt::format("subject export of ip {} since {} until {}", subject.ip->ToText(),
                                    base::ToRfc3339(subject.since), base::ToRfc3339(subject.until));
  // Who knows a session's id is, as a rule, whose it is.
  const std::string reason = options.reason.empty() ? "request of the person" : options.reason;
  const RevealOptions reveal{.wanted = true, .reason = reason, .login = options.login};
  if (auto written = WriteReveal(config, reveal, what, base::Clock::System()); !written)
    return Complain(written.error());
  const auto text = rights.Export(subject);
  return text ? Print(*text, out) : Complain(text.error());
}

int RunSubjectErase(SubjectRights rights, const Subject& subject, const std::string& reason,
                    const SubjectRights::TellEdge& tell, std::FILE* out) {
  const auto receipt = rights.Erase(subject, reason, tell);
  return receipt ? Print(receipt->ToJson(), out) : Complain(receipt.error());
}

}  // namespace gatebook::review
