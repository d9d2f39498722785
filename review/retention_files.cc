// RetentionScan: the places outside Redis's keys.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/rfc3339.h"
#include "base/unique_fd.h"
#include "logger/erasures.h"
#include "logger/journal_scan.h"
#include "logger/objections.h"
#include "review/audit_log.h"
#include "review/redis_rewrite.h"
#include "review/retention_ledger.h"
#include "review/retention_scan.h"

namespace gatebook::review {
namespace {

using base::WallTime;
using namespace std::chrono_literals;

// Erased within some 10 s by the recorder's housekeeping; see docs/journal-format.md.
constexpr auto kJournalSlack = 15s;
constexpr auto kRewriteSlack = 25h;
constexpr auto kAuditSlack = 25h;
constexpr auto kErasureSlack = 25h;
constexpr off_t kMostOfTheLog = 64 << 20;

bool IsPartOfAnId(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}
bool IsPartOfAnAddress(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

template <typename Predicate, typename Sink>
void ForEachWord(std::string_view text, Predicate is_part, Sink sink) {
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && is_part(text[end])) ++end;
    if (end > at) sink(text.substr(at, end - at));
    at = end + 1;
  }
}

// An address with a port behind it, perhaps, is the address.
std::optional<base::IpAddress> AddressIn(std::string_view word) {
  while (!word.empty() && (word.back() == '.' || word.back() == ':')) word.remove_suffix(1);
  if (auto ip = base::IpAddress::Parse(word)) return ip;
  const size_t colon = word.rfind(':');
  return colon == std::string_view::npos ? std::nullopt : base::IpAddress::Parse(word.substr(0, colon));
}

// Addresses of our own config are no visitors'.
std::set<std::string> OwnAddresses(const config::Config& config) {
  std::set<std::string> own;
  const auto add = [&own](const config::Endpoint& endpoint) {
    if (endpoint.kind == config::Endpoint::Kind::kIp) own.insert(endpoint.ip.ToText());
  };
  for (const auto& listen : config.listen) add(listen.address);
  for (const auto& upstream : config.upstreams)
    std::for_each(upstream.servers.begin(), upstream.servers.end(), add);
  std::for_each(config.dns.servers.begin(), config.dns.servers.end(), add);
  add(config.redis.server);
  add(config.admin.address);
  return own;
}

base::Error CannotRead(const std::string& path) {
  return {fmt::format("cannot read {}: {}", path, std::strerror(errno)), base::ExitCode::kInputOutput};
}

}  // namespace

base::Status RetentionScan::LookAtRedisFiles() {
  PlaceReport& place = report_.at(Place::kRedisFiles);
  place.records = 0;
  for (size_t master = 0; master < client_.masters(); ++master) {
    const auto reply = client_.CommandAt(master, {"INFO", "persistence"});
    if (!reply) return reply.error();
    if ((*reply)->IsError()) {
      place.note = "Redis does not let us know (INFO)";
      return {};
    }
    if (InfoValue((*reply)->text, "aof_enabled") == "1") ++place.records;
  }
  if (place.records == 0) {
    place.note = "no append-only file";
    return {};
  }
  if (!config_.retention.rewrite || config_.retention.ledger.empty()) {
    place.note = "whoever switched retention.rewrite or the ledger off sees to it";
    return {};
  }
  // LookAtLedger has left here when that was last done, or when it should have begun to be.
  if (!place.oldest) {
    place.note = "not written anew yet: the running edge asks for it within a minute, then daily";
  } else if (*place.oldest + kRewriteSlack < clock_.SureNow()) {
    place.faults = 1;
    place.note = "not written anew for more than a day: is the edge running?";
  }
  return {};
}

base::Status RetentionScan::LookAtLedger() {
  PlaceReport& place = report_.at(Place::kLedger);
  if (config_.retention.ledger.empty()) {
    place.note = "none is kept (retention.ledger is empty)";
    return {};
  }
  const auto contents = RetentionLedger(config_.retention.ledger).Read();
  if (!contents) return contents.error();
  place.records = contents->lines.size();
  if (!contents->broken.empty()) {
    place.faults = 1;
    place.note = contents->broken;
  }
  PlaceReport& files = report_.at(Place::kRedisFiles);
  for (const LedgerLine& line : contents->lines) {
    place.SawOldest(line.time);
    // The oldest bytes in Redis's files are from the last time they were written anew.
    if (line.rewritten || !files.oldest) files.oldest = line.time;
  }
  if (options_.rewritten) files.oldest = options_.rewritten;
  return {};
}

base::Status RetentionScan::LookAtAudit() {
  PlaceReport& place = report_.at(Place::kAudit);
  const auto contents = AuditLog(config_.audit, clock_).Read();
  if (!contents) return contents.error();
  for (const AuditLine& line : contents->lines) {
    ++place.records;
    if (line.time == WallTime()) continue;  // a damaged one, which `broken` says
    place.SawOldest(line.time);
    place.SawNext(line.time + config_.audit.keep);
    if (line.time + config_.audit.keep + kAuditSlack < clock_.SureNow()) ++place.overdue;
  }
  if (!contents->broken.empty()) {
    place.faults = 1;
    place.note = contents->broken;
  } else if (place.overdue != 0) {
    place.note = "the running edge destroys what is over, once a day";
  }
  return {};
}

base::Status RetentionScan::LookAtJournal() {
  PlaceReport& place = report_.at(Place::kJournal);
  const WallTime now = clock_.SureNow();
  uint64_t released = 0;
  const auto scanned = logger::ScanJournal(config_.journal.directory, [&](const logger::JournalVisit& one) {
    // A clock that once stood in the future keeps nothing for longer than from when it was found out.
    const WallTime arrival = std::min(one.visit.arrival, report_.made);
    ++place.records;
    released += one.is_released ? 1 : 0;
    place.SawOldest(arrival);
    place.SawNext(arrival + config_.visit.retention);
    if (arrival + config_.visit.retention + kJournalSlack < now) ++place.overdue;
  });
  if (!scanned) return scanned;
  if (place.overdue != 0) {
    place.note =
        "the running edge erases what is over; a journal that no edge has open erases nothing: start "
        "gatebook, or delete the directory if the edge is retired";
  } else if (released != 0) {
    place.note = fmt::format("{} of them delivered, about to be erased", released);
  }
  return {};
}

base::Status RetentionScan::LookAtQuarantine() {
  PlaceReport& place = report_.at(Place::kQuarantine);
  const auto files = logger::ListQuarantine(config_.journal.directory);
  if (!files) return files.error();
  for (const logger::QuarantineFile& file : *files) {
    ++place.records;
    place.bytes += file.bytes;
    place.SawOldest(file.since);
    place.SawNext(file.since + config_.visit.retention);
    if (file.since + config_.visit.retention + kJournalSlack < clock_.SureNow()) ++place.overdue;
  }
  return {};
}

base::Status RetentionScan::LookAtErasures() {
  PlaceReport& place = report_.at(Place::kErasures);
  const logger::ErasureRegister erasures(config_.journal.directory, config_.visit.retention);
  const auto all = erasures.Load(WallTime{} - config_.visit.retention);
  if (!all) return all.error();
  for (const logger::Erasure& one : *all) {
    ++place.records;
    const WallTime end = one.until + config_.visit.retention;
    place.SawNext(end);
    if (end + kErasureSlack < clock_.SureNow()) ++place.overdue;
  }
  return {};
}

base::Status RetentionScan::LookAtObjections() {
  PlaceReport& place = report_.at(Place::kObjections);
  const auto all = logger::ObjectionRegister(config_.journal.directory).Load(clock_.SureNow());
  if (!all) return all.error();
  for (const logger::Objection& one : *all) {
    ++place.records;
    place.SawOldest(one.added);
  }
  return {};
}

base::Status RetentionScan::LookAtLog() {
  PlaceReport& place = report_.at(Place::kLog);
  if (config_.log.file.empty()) {
    place.note = "standard error: whoever keeps it sees to it; it names nobody";
    return {};
  }
  const base::UniqueFd file(::open(config_.log.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.IsValid() && errno == ENOENT) return {};
  struct stat info;
  if (!file.IsValid() || ::fstat(file.get(), &info) != 0) return CannotRead(config_.log.file);
  place.bytes = static_cast<uint64_t>(info.st_size);
  const off_t from = std::max<off_t>(0, info.st_size - kMostOfTheLog);
  std::string text(static_cast<size_t>(info.st_size - from), '\0');
  const ssize_t got = ::pread(file.get(), text.data(), text.size(), from);
  if (got < 0) return CannotRead(config_.log.file);
  text.resize(static_cast<size_t>(got));
  place.records = static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
  if (from == 0) {
    if (const auto first = base::ParseRfc3339(text.substr(0, text.find(' ')))) place.SawOldest(*first);
  }
  const auto own = OwnAddresses(config_);
  ForEachWord(text, IsPartOfAnId, [this](std::string_view word) {
    if (logger::ParseSessionId(word)) suspects_.emplace(word);
  });
  ForEachWord(text, IsPartOfAnAddress, [&](std::string_view word) {
    if (word.size() < 3) return;
    const auto ip = AddressIn(word);
    if (ip && !own.contains(ip->ToText())) suspects_.insert(ip->ToText());
  });
  return {};
}

void RetentionScan::LookAtNames() {
  PlaceReport& place = report_.at(Place::kNames);
  const auto names = options_.names ? options_.names() : std::nullopt;
  place.records = names.value_or(0);
  if (!names) place.note = "no edge runs here";
}

}  // namespace gatebook::review
