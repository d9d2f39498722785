#include "review/retention_command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/rfc3339.h"
#include "logger/redis_client.h"
#include "review/progress.h"
#include "review/render.h"
#include "review/retention_ledger.h"
#include "review/retention_scan.h"

namespace gatebook::review {
namespace {

using base::ExitCode;

constexpr size_t kShownOfADigest = 16;

int Complain(const base::Error& error) {
  std::fputs(("gatebook: " + error.message + "\n").c_str(), stderr);
  return static_cast<int>(error.exit_code);
}

int Print(const std::string& text, bool well, std::FILE* out) {
  const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0;
  if (!written) return Complain({"cannot write the answer", ExitCode::kInputOutput});
  return static_cast<int>(well ? ExitCode::kOk : ExitCode::kNegative);
}

std::string ForPeople(const LedgerContents& contents) {
  std::string text;
  for (const LedgerLine& line : contents.lines) {
    text += fmt::format("{:>5}  {}  {:<7}  {}\n", line.number, base::ToRfc3339(line.time).substr(0, 19) + "Z",
                        line.kept ? "kept" : "BROKEN", line.chain.substr(0, kShownOfADigest));
  }
  return text;
}

}  // namespace

int RunRetention(const config::Config& config, const RetentionOptions& options, const base::Clock& clock,
                 const std::function<std::optional<uint64_t>()>& names, std::FILE* out) {
  auto client = logger::RedisClient::Connect(config.redis);
  if (!client) return Complain(client.error());
  Progress progress(clock);
  RetentionScan::Options how;
  how.every_entry = !options.quick;
  how.names = names;
  how.on_progress = [&progress](double share) { progress.Show(share); };
  const auto report = RetentionScan(config, **client, clock, std::move(how)).Look();
  progress.Clear();
  if (!report) return Complain(report.error());
  return Print(options.json ? ToJson(*report) : ToTable(*report), report->IsKept(), out);
}

int RunLedger(const config::Config& config, const std::string& expect, bool json, std::FILE* out) {
  if (config.retention.ledger.empty()) {
    return Complain({"no ledger is kept: retention.ledger is empty", ExitCode::kNegative});
  }
  const auto contents = RetentionLedger(config.retention.ledger).Read();
  if (!contents) return Complain(contents.error());
  std::string text;
  for (const LedgerLine& line : contents->lines) text += json ? Harmless(line.text) + '\n' : std::string();
  if (!json) text = ForPeople(*contents);
  if (const int printed = Print(text, true, out); printed != 0) return printed;
  if (!contents->broken.empty()) {
    return Complain({fmt::format("{}: {}", config.retention.ledger, contents->broken), ExitCode::kNegative});
  }
  if (contents->lines.empty()) {
    return Complain({fmt::format("{}: nothing is written yet; the running edge writes a line a day",
                                 config.retention.ledger),
                     ExitCode::kNegative});
  }
  const bool found =
      expect.empty() || std::any_of(contents->lines.begin(), contents->lines.end(),
                                    [&](const LedgerLine& line) { return line.chain == expect; });
  if (!found) {
    return Complain({"no line has the digest that was expected: the ledger was made anew, or its end cut off",
                     ExitCode::kNegative});
  }
  if (!json) {
    const LedgerLine& last = contents->lines.back();
    return Print(fmt::format("\nthe chain holds: {} lines; the last digest is {}\n", contents->lines.size(),
                             last.chain),
                 true, out);
  }
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace gatebook::review
