#include "review/journal_checkup.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/rfc3339.h"
#include "logger/journal_scan.h"

namespace gatebook::review {
namespace {

// Where a journal doesn't do what it promises (linux/magic.h; zfs is not in there).
struct FileSystem {
  unsigned long magic;
  Severity severity;
  const char* says;
};
constexpr FileSystem kFileSystems[] = {
    {0x01021994, Severity::kWarning, "tmpfs: what waits there is gone with the next boot or power cut"},
    {0x858458f6, Severity::kWarning, "ramfs: what waits there is gone with the next boot or power cut"},
    {0x6969, Severity::kError, "NFS: locks and mapped files over a network keep no promise"},
    {0xff534d42, Severity::kError, "CIFS: locks and mapped files over a network keep no promise"},
    {0xfe534d42, Severity::kError, "SMB: locks and mapped files over a network keep no promise"},
    {0x65735546, Severity::kWarning, "a file system in user space: what it promises is its own"},
    {0x9123683e, Severity::kWarning,
     "btrfs writes to new blocks, so that allocated files may meet a full disk"},
    {0x2fc12fc1, Severity::kWarning,
     "zfs writes to new blocks, so that allocated files may meet a full disk"},
};

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

uint64_t BytesOf(const std::string& directory) {
  uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".segment") bytes += entry->file_size(error);
  }
  return bytes;
}

// The nearest directory above that is there.
std::string NearestOf(const std::string& directory) {
  std::filesystem::path path = std::filesystem::absolute(directory);
  std::error_code error;
  while (!std::filesystem::exists(path, error) && path.has_relative_path()) path = path.parent_path();
  return path;
}

bool IsOwnedByEdge(const config::Config& config, const struct stat& info) {
  if (config.edge.user.empty()) return true;  // whoever starts it
  const passwd* const user = ::getpwnam(config.edge.user.c_str());
  return user != nullptr && user->pw_uid == info.st_uid;
}

void ExamineDirectory(const config::Config& config, Checkup& checkup) {
  const std::string& directory = config.journal.directory;
  struct stat info;
  if (::stat(directory.c_str(), &info) != 0) {
    if (errno == ENOENT)
      return checkup.Ok(Check::kJournal, fmt::format("{} is not there yet; the edge makes it", directory));
    return checkup.Fail(Check::kJournal,
                        fmt::format("{} can't be looked at: {}", directory, std::strerror(errno)));
  }
  if (!S_ISDIR(info.st_mode))
    return checkup.Fail(Check::kJournal, fmt::format("{} is not a directory", directory));
  if ((info.st_mode & 077) != 0) {
    return checkup.Fail(Check::kJournal, fmt::format("{} is open to others (mode {:04o}): visits may be read",
                                                     directory, info.st_mode & 07777u));
  }
  if (!IsOwnedByEdge(config, info)) {
    return checkup.Fail(Check::kJournal,
                        fmt::format("{} does not belong to the edge's user {}", directory, config.edge.user));
  }
  struct statvfs disk;
  if (::statvfs(directory.c_str(), &disk) == 0 && (disk.f_flag & ST_RDONLY) != 0)
    return checkup.Fail(Check::kJournal, fmt::format("{} is on a disk that is mounted read-only", directory));
  if (!std::filesystem::exists(directory + "/instance"))
    return checkup.Ok(Check::kJournal, fmt::format("{} is new", directory));
  if (InstanceOf(directory).empty())
    return checkup.Fail(
        Check::kJournal,
        fmt::format("{}/instance is damaged or can't be read: the edge won't start", directory));
  checkup.Ok(Check::kJournal, fmt::format("{}, 0700", directory));
}

void ExamineDisk(const config::Config& config, Checkup& checkup) {
  const std::string place = NearestOf(config.journal.directory);
  struct statvfs disk;
  struct statfs kind;
  if (::statvfs(place.c_str(), &disk) != 0 || ::statfs(place.c_str(), &kind) != 0) {
    return checkup.Fail(Check::kJournalDisk,
                        fmt::format("{} can't be looked at: {}", place, std::strerror(errno)));
  }
  const auto* const known = std::find_if(
      std::begin(kFileSystems), std::end(kFileSystems),
      [&](const FileSystem& one) { return one.magic == static_cast<unsigned long>(kind.f_type); });
  if (known != std::end(kFileSystems)) checkup.Add(Check::kJournalDisk, known->severity, known->says);

  const uint64_t free = uint64_t{disk.f_bavail} * disk.f_frsize;
  const uint64_t used = BytesOf(config.journal.directory);
  const uint64_t wanted = config.journal.max_size - std::min(config.journal.max_size, used);
  const std::string says =
      fmt::format("{} are free, and the journal may take {} more", InBytes(free), InBytes(wanted));
  // A worker needs its segment, a spare, and one that is being read.
  if (free < 3 * config.journal.segment_size)
    return checkup.Fail(Check::kJournalDisk, says + ": not even enough for the next segments");
  if (free < wanted) return checkup.Warn(Check::kJournalDisk, says);
  checkup.Ok(Check::kJournalDisk, says);
}

void ExamineBacklog(const config::Config& config, base::WallTime now, Checkup& checkup) {
  uint64_t waiting = 0;
  base::WallTime oldest = now;
  const base::Status read =
      logger::ScanJournal(config.journal.directory, [&](const logger::JournalVisit& visit) {
        if (visit.is_released) return;
        ++waiting;
        oldest = std::min(oldest, visit.visit.arrival);
      });
  if (!read) return checkup.Fail(Check::kJournalBacklog, read.error().message);
  if (waiting == 0) return checkup.Ok(Check::kJournalBacklog, "nothing waits");
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - oldest).count();
  checkup.Warn(
      Check::kJournalBacklog,
      fmt::format("{} visits wait for an edge to deliver them, the oldest for {}; those beyond {} are "
                  "destroyed when it starts",
                  waiting, InDays(age),
                  InDays(std::chrono::duration_cast<std::chrono::seconds>(config.visit.retention).count())));
}

void ExamineQuarantine(const config::Config& config, Checkup& checkup) {
  const auto files = logger::ListQuarantine(config.journal.directory);
  if (!files.ok()) return checkup.Fail(Check::kQuarantine, files.error().message);
  if (files->empty()) return checkup.Ok(Check::kQuarantine, "empty");
  uint64_t bytes = 0;
  base::WallTime last{};
  for (const logger::QuarantineFile& file : *files) {
    bytes += file.bytes;
    last = std::max(last, file.since);
  }
  checkup.Warn(Check::kQuarantine,
               fmt::format("{} damaged regions, {}; the edge destroys the last of them at {}", files->size(),
                           InBytes(bytes), base::ToRfc3339(last + config.visit.retention)));
}

}  // namespace

std::string InstanceOf(const std::string& directory) {
  const std::string text = FirstLine(directory + "/instance");
  const bool is_whole = text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_whole ? text : std::string();
}

void ExamineJournal(const config::Config& config, bool edge_runs, const base::Clock& clock,
                    Checkup& checkup) {
  ExamineDirectory(config, checkup);
  ExamineDisk(config, checkup);
  if (!edge_runs) ExamineBacklog(config, clock.WallNow(), checkup);
  ExamineQuarantine(config, checkup);
}

}  // namespace gatebook::review
