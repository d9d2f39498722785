#include "proxy/policy_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace gatebook::proxy {
namespace {

std::optional<PolicyEntry> ParseLine(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  int64_t since = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + first, since);
  if (error != std::errc() || end != line.data() + first) return std::nullopt;
  return PolicyEntry{base::WallTime(std::chrono::milliseconds(since)),
                     std::string(line.substr(first + 1, second - first - 1)),
                     std::string(line.substr(second + 1))};
}

std::vector<PolicyEntry> Parse(std::string_view text) {
  std::vector<PolicyEntry> entries;
  while (!text.empty()) {
    if (auto entry = ParseLine(logger::TakeLine(text))) entries.push_back(*std::move(entry));
  }
  return entries;
}

std::string ToText(const std::vector<PolicyEntry>& entries) {
  std::string text;
  for (size_t i = entries.size() - std::min(entries.size(), PolicyLog::kMost); i < entries.size(); ++i) {
    text += fmt::format("{} {} {}\n", entries[i].since.time_since_epoch().count(), entries[i].command,
                        entries[i].version);
  }
  return text;
}

}  // namespace

base::Result<std::vector<PolicyEntry>> PolicyLog::Read() const {
  const auto text = file_.Read();
  if (!text) return text.error();
  return Parse(*text);
}

base::Result<PolicyLog::Change> PolicyLog::Enter(const std::string& version, bool command_due,
                                                 base::WallTime now) const {
  const auto before = Read();
  if (!before.ok()) return before.error();
  if (!before->empty() && before->back().version == version) return Change{};
  Change change;
  const base::Status written = file_.Change([&](const std::string& text) -> base::Result<std::string> {
    std::vector<PolicyEntry> entries = Parse(text);
    const bool known = std::any_of(entries.begin(), entries.end(),
                                   [&](const PolicyEntry& entry) { return entry.version == version; });
    change.is_new = !entries.empty() && !known;
    if (!entries.empty()) change.before = entries.back().version;
    entries.push_back({now, change.is_new && command_due ? "begun" : "-", version});
    return ToText(entries);
  });
  if (!written.ok()) return written.error();
  return change;
}

base::Status PolicyLog::SetCommand(const std::string& version, const std::string& command) const {
  return file_.Change([&](const std::string& text) -> base::Result<std::string> {
    std::vector<PolicyEntry> entries = Parse(text);
    for (PolicyEntry& entry : entries) {
      if (entry.version == version && entry.command == "begun") entry.command = command;
    }
    return ToText(entries);
  });
}

}  // namespace gatebook::proxy
