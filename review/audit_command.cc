#include "review/audit_command.h"

#include <fmt/format.h>

#include "base/rfc3339.h"
#include "review/audit_log.h"
#include "review/moment.h"
#include "review/render.h"

namespace gatebook::review {
namespace {

using base::ExitCode;
using nlohmann::ordered_json;

int Complain(const base::Error& error) {
  std::fputs(("gatebook: " + error.message + "\n").c_str(), stderr);
  return static_cast<int>(error.exit_code);
}

base::Result<base::WallTime> MomentOr(const char* option, const std::string& text, base::WallTime otherwise,
                                      base::WallTime now) {
  return text.empty() ? base::Result<base::WallTime>(otherwise) : ParsePast(option, text, now);
}

// What stands in the file may be anybody's by now.
std::string Render(const AuditLine& line, const AuditOptions& options, bool terminal) {
  const AuditEntry& entry = line.entry;
  if (options.json) {
    const ordered_json object = {{"n", line.number},
                                 {"time", base::ToRfc3339(line.time)},
                                 {"who", Harmless(entry.who)},
                                 {"via", Harmless(entry.via)},
                                 {"what", Harmless(entry.what)},
                                 {"why", Harmless(entry.why)},
                                 {"chain", Harmless(line.chain)}};
    return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  }
  const std::string time = base::ToRfc3339(line.time);
  const std::string who = Harmless(entry.who), via = Harmless(entry.via), what = Harmless(entry.what),
                    why = Harmless(entry.why);
  return terminal
             ? fmt::format("{:>5}  {:24}  {:12}  {:7}  {:30}  {}\n", line.number, time, who, via, why, what)
             : fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", line.number, time, who, via, why, what);
}

std::string Heading(const AuditOptions& options, bool terminal) {
  if (!terminal || options.json) return {};
  return fmt::format("{:>5}  {:24}  {:12}  {:7}  {:30}  {}\n", "N", "TIME", "WHO", "VIA", "WHY", "WHAT");
}

}  // namespace

int RunAudit(const config::Config& config, const AuditOptions& options, const base::Clock& clock,
             std::FILE* out, bool terminal) {
  const base::WallTime now = clock.WallNow();
  const auto since = MomentOr("--since", options.since, base::WallTime::min(), now);
  if (!since) return Complain(since.error());
  const auto until = MomentOr("--until", options.until, base::WallTime::max(), now);
  if (!until) return Complain(until.error());
  const auto contents = AuditLog(config.audit, clock).Read();
  if (!contents) return Complain(contents.error());

  std::string text;
  uint64_t shown = 0;
  if (options.only_verify && contents->broken.empty()) {
    text = contents->lines.empty() ? "no line yet\n"
                                   : fmt::format("lines {} to {}: the chain holds; the last digest is {}\n",
                                                 contents->lines.front().number,
                                                 contents->lines.back().number, contents->lines.back().chain);
  }
  for (const AuditLine& line : contents->lines) {
    if (options.only_verify) break;
    if (line.time < *since || line.time >= *until) continue;
    if (!options.who.empty() && line.entry.who != options.who) continue;
    if (shown++ == 0) text += Heading(options, terminal);
    text += Render(line, options, terminal);
  }
  const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0;
  if (!written) return Complain({"cannot write the audit log's lines", ExitCode::kInputOutput});
  if (!contents->broken.empty())
    return Complain({"the audit log is broken: " + contents->broken, ExitCode::kNegative});
  return static_cast<int>(options.only_verify || shown != 0 ? ExitCode::kOk : ExitCode::kNegative);
}

}  // namespace gatebook::review
