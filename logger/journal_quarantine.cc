#include "logger/journal_quarantine.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/unique_fd.h"

namespace gatebook::logger {
namespace {

// Calls visit(name, info) for each file of the directory.
template <typename Visitor>
void ForEachFile(const std::string& path, Visitor visit) {
  DIR* const entries = ::opendir(path.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = ::readdir(entries)) {
    struct stat info;
    if (::fstatat(::dirfd(entries), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
      continue;
    visit(::dirfd(entries), entry->d_name, info);
  }
  ::closedir(entries);
}

}  // namespace

JournalQuarantine::JournalQuarantine(const std::string& directory)
    : journal_(directory), path_(directory + "/quarantine") {
  uint64_t bytes = 0;
  ForEachFile(path_, [&](int, const char*, const struct stat& info) {
    bytes += static_cast<uint64_t>(info.st_size);
  });
  bytes_.store(bytes, std::memory_order_relaxed);
}

bool JournalQuarantine::Keep(const std::string& name, std::string_view bytes) {
  const uint64_t room = Reserve(bytes.size());
  if (room == 0 || !MakeDirectory()) {
    bytes_.fetch_sub(room, std::memory_order_relaxed);
    return false;
  }
  const base::UniqueFd file(
      ::open((path_ + "/" + name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  std::string_view left = bytes.substr(0, room);
  while (file.IsValid() && !left.empty()) {
    const ssize_t written = ::write(file.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    left.remove_prefix(static_cast<size_t>(written));
  }
  bytes_.fetch_sub(left.size(), std::memory_order_relaxed);
  return left.size() < room;
}

void JournalQuarantine::TakeFile(const std::string& name) {
  const std::string from = journal_ + "/" + name;
  struct stat info;
  if (::lstat(from.c_str(), &info) != 0) return;
  const auto size = static_cast<uint64_t>(info.st_size);
  const uint64_t room = Reserve(size);
  if (room == size && MakeDirectory() && ::rename(from.c_str(), (path_ + "/" + name).c_str()) == 0) return;
  bytes_.fetch_sub(room, std::memory_order_relaxed);
  ::unlink(from.c_str());
}

void JournalQuarantine::Purge(base::WallTime older_than) {
  const auto limit = std::chrono::duration_cast<std::chrono::seconds>(older_than.time_since_epoch()).count();
  ForEachFile(path_, [&](int directory, const char* name, const struct stat& info) {
    if (info.st_mtime >= limit || ::unlinkat(directory, name, 0) != 0) return;
    const auto size = static_cast<uint64_t>(info.st_size);
    uint64_t bytes = bytes_.load(std::memory_order_relaxed);
    while (!bytes_.compare_exchange_weak(bytes, bytes - std::min(bytes, size), std::memory_order_relaxed)) {
    }
  });
}

bool JournalQuarantine::MakeDirectory() { return ::mkdir(path_.c_str(), 0700) == 0 || errno == EEXIST; }

uint64_t JournalQuarantine::Reserve(uint64_t wanted) {
  uint64_t bytes = bytes_.load(std::memory_order_relaxed);
  uint64_t taken;
  do {
    taken = std::min(wanted, kMostBytes - std::min(kMostBytes, bytes));
  } while (!bytes_.compare_exchange_weak(bytes, bytes + taken, std::memory_order_relaxed));
  return taken;
}

}  // namespace gatebook::logger
