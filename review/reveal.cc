#include "review/reveal.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "review/audit_log.h"
#include "review/render.h"

namespace gatebook::review {
namespace {

constexpr size_t kMostRecord = 16 << 10;  // of the user database

std::string NameOf(uid_t uid) {
  passwd record;
  passwd* found = nullptr;
  std::vector<char> memory(kMostRecord);
  if (::getpwuid_r(uid, &record, memory.data(), memory.size(), &found) == 0 && found != nullptr)
    return found->pw_name;
  return std::to_string(uid);
}

}  // namespace

Login Login::OfThisProcess() {
  Login login;
  login.is_root = ::getuid() == 0;
  // Only root's environment is believed: others could write anything there.
  const char* const sudo_user = login.is_root ? std::getenv("SUDO_USER") : nullptr;
  login.name = sudo_user != nullptr && *sudo_user != '\0' ? std::string(sudo_user) : NameOf(::getuid());
  return login;
}

base::Result<std::string> WhoMayReveal(const config::Config& config, const Login& login) {
  const auto& readers = config.readers;
  const auto is_login = [&login](const config::Reader& reader) { return reader.unix_user == login.name; };
  const auto reader = std::find_if(readers.begin(), readers.end(), is_login);
  if (reader != readers.end()) {
    if (reader->role == config::Role::kInvestigator) return reader->name;
    return base::Error{
        fmt::format("[[reader]] {} is a viewer: only an investigator may reveal", reader->name),
        base::ExitCode::kNegative};
  }
  const bool none_has_login = std::all_of(readers.begin(), readers.end(),
                                          [](const config::Reader& one) { return one.unix_user.empty(); });
  if (readers.empty() || (login.is_root && none_has_login)) return login.name;
  return base::Error{
      fmt::format("{} may not reveal: no [[reader]] with role = \"investigator\" has unix_user = \"{}\"",
                  Harmless(login.name), Harmless(login.name)),
      base::ExitCode::kNegative};
}

base::Status WriteReveal(const config::Config& config, const RevealOptions& options, const std::string& what,
                         const base::Clock& clock) {
  if (!options.wanted) {
    if (options.reason.empty()) return {};
    return base::Error{"--reason goes with --reveal", base::ExitCode::kUsage};
  }
  if (auto reason = CheckReason(options.reason); !reason) {
    return base::Error{"--reveal wants --reason TEXT: " + reason.error().message, base::ExitCode::kUsage};
  }
  const auto who = WhoMayReveal(config, options.login);
  if (!who) return who.error();
  auto written = AuditLog(config.audit, clock).Append({*who, "command", what, options.reason});
  if (!written) {
    return base::Error{written.error().message + "; nothing is shown that can't be written down",
                       written.error().exit_code};
  }
  return {};
}

}  // namespace gatebook::review
