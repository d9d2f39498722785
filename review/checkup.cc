#include "review/checkup.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/check.h"

namespace gatebook::review {
namespace {

constexpr CheckInfo kInfos[] = {
    {"edge", "whether the edge runs, and under which configuration", "start it, or see its log"},
    {"upstreams", "whether each upstream has a server that is well", "look at the service behind"},
    {"redis", "whether Redis answers", "start Redis, or mend [redis]; visits wait in the journal meanwhile"},
    {"redis_version", "its version, at least 7.0", "update Redis"},
    {"redis_role", "whether it is a server of its own that takes writes", "point [redis] url at the master"},
    {"redis_eviction", "maxmemory-policy", "CONFIG SET maxmemory-policy noeviction, and in redis.conf"},
    {"redis_memory", "maxmemory, and how near it is",
     "set maxmemory to what the machine can spare; docs/data-model.md says what a visit takes"},
    {"redis_durability", "the append-only file, and how often it is flushed",
     "appendonly yes and appendfsync everysec in redis.conf"},
    {"redis_disk", "whether Redis could write its files last time", "look at Redis's log and disk"},
    {"redis_clock", "its clock against ours: visits are destroyed by its", "set both clocks by NTP"},
    {"redis_network", "whether visits go over a network in the clear",
     "rediss://, a Unix socket, or a network that is encrypted below"},
    {"redis_rights", "whether the user of [redis] may do what an edge does",
     "give it the rights that docs/data-model.md names"},
    {"edge_name", "whether edge.name is ours in Redis",
     "another name in [edge]; after moving a machine for good, redis-cli HDEL gb:edges NAME"},
    {"journal", "the journal's directory, its rights, and what the edge says of it",
     "mend the directory; it heals without a restart"},
    {"journal_disk", "room for journal.max_size, and the kind of file system",
     "free the disk, lower journal.max_size, or put the journal on a disk of its own"},
    {"journal_backlog", "visits that wait, and since when", "see the findings about Redis"},
    {"quarantine", "damaged bytes that are kept for a look",
     "check the disk; then delete them, they may hold visits"},
    {"certificates", "whether each certificate fits its key, and when it ends",
     "renew it; it is taken by itself"},
    {"dns", "whether each name server answers",
     "mend the server or [dns]; visits go without a name meanwhile"},
    {"places", "whether each place database can be read, and its age",
     "get a new one, and put it in place in one step (write beside it, rename)"},
    {"session_key", "the key that signs session cookies, and who may read it",
     "chmod 600, and owned by the edge's user"},
    {"descriptors", "file descriptors for limits.connections",
     "LimitNOFILE= in the unit, or lower limits.connections"},
    {"cores", "whether a crash would write visits into a core", "LimitCORE=0 in the unit"},
    {"clock", "whether this machine's clock is kept by NTP", "run chrony or systemd-timesyncd"},
};
static_assert(std::size(kInfos) == static_cast<size_t>(Check::kCount));

constexpr const char* kSeverities[] = {"ok", "warn", "error"};

const char* NameOf(Severity severity) { return kSeverities[static_cast<size_t>(severity)]; }

// What a server or a file says may be anything.
std::string Harmless(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

}  // namespace

const CheckInfo& InfoOf(Check check) {
  CHECK(check < Check::kCount);
  return kInfos[static_cast<size_t>(check)];
}

void Checkup::Add(Check check, Severity severity, std::string says) {
  findings_.push_back({check, severity, Harmless(std::move(says))});
}

std::string Checkup::Render(bool json) const {
  std::vector<Finding> ordered = findings_;
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Finding& a, const Finding& b) { return a.check < b.check; });
  std::string text;
  for (const Finding& finding : ordered) {
    const CheckInfo& info = InfoOf(finding.check);
    const bool is_ok = finding.severity == Severity::kOk;
    if (json) {
      nlohmann::ordered_json line = {
          {"check", info.slug}, {"severity", NameOf(finding.severity)}, {"says", finding.says}};
      if (!is_ok) line["do"] = info.remedy;
      text += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    } else {
      text += fmt::format("{:<5}  {:<16}  {}{}\n", NameOf(finding.severity), info.slug, finding.says,
                          is_ok ? "" : fmt::format(". To do: {}", info.remedy));
    }
  }
  return text;
}

base::ExitCode Checkup::exit_code() const {
  base::ExitCode code = base::ExitCode::kOk;
  for (const Finding& finding : findings_) {
    if (finding.severity != Severity::kError) continue;
    if (finding.check == Check::kRedis) return base::ExitCode::kUnavailable;
    code = base::ExitCode::kNegative;
  }
  return code;
}

std::string InBytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  auto amount = static_cast<double>(bytes);
  for (; amount >= 1024 && unit + 1 < std::size(kUnits); ++unit) amount /= 1024;
  return fmt::format("{:.{}f} {}", amount, unit == 0 || amount >= 10 ? 0 : 1, kUnits[unit]);
}

std::string InDays(int64_t seconds) {
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < 2 * 86400) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} days", seconds / 86400);
}

}  // namespace gatebook::review
