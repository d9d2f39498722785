#include "logger/journal_quarantine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace gatebook::logger {
namespace {

constexpr int kMostNames = 100;  // of one file that comes again and again

uint64_t InBlocks(uint64_t bytes) {
  constexpr uint64_t kBlock = JournalQuarantine::kBlock;
  return std::max(kBlock, (bytes + kBlock - 1) / kBlock * kBlock);
}

void SetTime(int directory, const std::string& name, base::WallTime time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
  const timespec changed{seconds.count(),
                         std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds).count()};
  const std::array<timespec, 2> times{changed, changed};
  ::utimensat(directory, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
}

// When a file was made, or where the file system does not know, last changed.
base::WallTime BirthOf(int directory, const std::string& name, const struct stat& info) {
  struct statx more;
  const bool known = ::statx(directory, name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BTIME, &more) == 0 &&
                     (more.stx_mask & STATX_BTIME) != 0;
  return base::WallTime(
      std::chrono::seconds(known ? std::min<int64_t>(more.stx_btime.tv_sec, info.st_mtime) : info.st_mtime));
}

}  // namespace

JournalQuarantine::JournalQuarantine(const std::string& directory, const JournalDisk& disk)
    : path_(directory + "/quarantine"), disk_(disk) {
  Count();
}

void JournalQuarantine::Count() {
  bytes_ = 0;
  const base::UniqueFd directory = OpenDirectory(/*make=*/false);
  if (!directory.IsValid()) return;
  disk_.List(directory.get(), [&](const std::string& name) {
    struct stat info;
    if (::fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
      bytes_ += InBlocks(static_cast<uint64_t>(info.st_size));
  });
}

bool JournalQuarantine::Keep(const std::string& name, std::string_view bytes, base::WallTime since) {
  const std::lock_guard lock(mutex_);
  if (bytes_ >= kMostBytes) return false;
  const std::string_view kept = bytes.substr(0, kMostBytes - bytes_);
  const base::UniqueFd directory = OpenDirectory(/*make=*/true);
  if (!directory.IsValid()) return false;
  const base::UniqueFd file = disk_.Open(directory.get(), name, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.IsValid()) return errno == EEXIST;
  // A part of it is worth as little as nothing, and would have to be told from the whole.
  if (!disk_.Write(file.get(), name, kept)) {
    disk_.Unlink(directory.get(), name);
    return false;
  }
  SetTime(directory.get(), name, since);
  bytes_ += InBlocks(kept.size());
  return true;
}

bool JournalQuarantine::TakeFile(int journal, const std::string& name) {
  const std::lock_guard lock(mutex_);
  struct stat info;
  if (::fstatat(journal, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return false;
  const uint64_t size = InBlocks(static_cast<uint64_t>(info.st_size));
  if (size > kMostBytes - std::min(kMostBytes, bytes_)) {
    disk_.Unlink(journal, name);
    return false;
  }
  const base::UniqueFd directory = OpenDirectory(/*make=*/true);
  if (!directory.IsValid()) return false;
  const base::WallTime born = BirthOf(journal, name, info);
  std::string to = name;
  for (int i = 1; !disk_.Rename(journal, name, directory.get(), to); ++i) {
    if (errno != EEXIST || i > kMostNames) return false;
    to = fmt::format("{}-again-{}", name, i);
  }
  SetTime(directory.get(), to, born);
  bytes_ += size;
  return true;
}

void JournalQuarantine::Purge(base::WallTime older_than) {
  const std::lock_guard lock(mutex_);
  const base::UniqueFd directory = OpenDirectory(/*make=*/false);
  if (!directory.IsValid()) return;
  const auto limit = std::chrono::duration_cast<std::chrono::seconds>(older_than.time_since_epoch()).count();
  disk_.List(directory.get(), [&](const std::string& name) {
    struct stat info;
    if (::fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(info.st_mode) &&
        info.st_mtime < limit) {
      disk_.Unlink(directory.get(), name);
    }
  });
  Count();  // also after people have removed files
}

base::UniqueFd JournalQuarantine::OpenDirectory(bool make) const {
  if (make && !disk_.MakeDirectory(path_, 0700)) return {};
  base::UniqueFd directory(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  return directory;
}

}  // namespace gatebook::logger
