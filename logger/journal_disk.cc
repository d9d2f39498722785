#include "logger/journal_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace gatebook::logger {

bool JournalDisk::FailsOrChanges(DiskCall& call) const {
  const int error = fault_ ? fault_(call) : 0;
  if (error != 0) errno = error;
  return error != 0;
}

std::optional<int> JournalDisk::Decide(DiskCall call) const {
  const int error = fault_ ? fault_(call) : 0;
  if (error == kTakenAsDone) return 0;
  if (error == 0) return std::nullopt;
  errno = error;
  return -1;
}

base::UniqueFd JournalDisk::Open(int directory, const std::string& name, int flags) const {
  if (Fails({(flags & O_CREAT) != 0 ? DiskStep::kCreate : DiskStep::kOpen, name})) return {};
  return base::UniqueFd(::openat(directory, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
}

base::UniqueFd JournalDisk::OpenDirectory(const std::string& path) const {
  if (Fails({DiskStep::kOpen, "."})) return {};
  return base::UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

bool JournalDisk::MakeDirectory(const std::string& path, unsigned mode) const {
  if (Fails({DiskStep::kMakeDirectory, "."})) return false;
  return ::mkdir(path.c_str(), mode) == 0 || errno == EEXIST;
}

bool JournalDisk::List(int directory, const std::function<void(const std::string& name)>& visitor) const {
  if (Fails({DiskStep::kList, "."})) return false;
  // Of its own, so that its place in the directory is as well.
  const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const entries = fd >= 0 ? ::fdopendir(fd) : nullptr;
  if (entries == nullptr) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    errno = error;
    return false;
  }
  errno = 0;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string name(entry->d_name);
    if (name != "." && name != "..") visitor(name);
    errno = 0;
  }
  const int error = errno;
  ::closedir(entries);
  errno = error;
  return error == 0;
}

bool JournalDisk::Lock(int fd, const std::string& name) const {
  return !Fails({DiskStep::kLock, name}) && ::flock(fd, LOCK_EX | LOCK_NB) == 0;
}

bool JournalDisk::Allocate(int fd, const std::string& name, uint64_t size) const {
  if (Fails({DiskStep::kAllocate, name})) return false;
  const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
  if (error != 0) errno = error;
  return error == 0;
}

char* JournalDisk::Map(int fd, const std::string& name, uint64_t size) const {
  if (Fails({DiskStep::kMap, name})) return nullptr;
  void* const data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return nullptr;
  ::madvise(data, size, MADV_DONTDUMP);
  return static_cast<char*>(data);
}

bool JournalDisk::Populate(char* data, const std::string& name, uint64_t size, bool to_write) const {
  if (Fails({DiskStep::kRead, name})) return false;
  // True also where the kernel (before 5.14) does not know the advice.
  return ::madvise(data, size, to_write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) == 0 || errno == EINVAL;
}

bool JournalDisk::Blank(char* data, uint64_t size) const {
  return ::mmap(data, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == data;
}

bool JournalDisk::Write(int fd, const std::string& name, std::string_view bytes) const {
  while (!bytes.empty()) {
    DiskCall call{DiskStep::kWrite, name, 0, bytes.size()};
    if (FailsOrChanges(call)) return false;
    const ssize_t written = ::write(fd, bytes.data(), std::min<uint64_t>(call.size, bytes.size()));
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = EIO;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

bool JournalDisk::SyncFile(int fd, const std::string& name) const {
  const auto decided = Decide({DiskStep::kSync, name});
  return (decided ? *decided : ::fdatasync(fd)) == 0;
}

bool JournalDisk::SyncRange(char* data, const std::string& name, uint64_t from, uint64_t end) const {
  const auto decided = Decide({DiskStep::kSync, name, from, end - from});
  return (decided ? *decided : ::msync(data + from, end - from, MS_SYNC)) == 0;
}

bool JournalDisk::SyncDirectory(int directory) const {
  const auto decided = Decide({DiskStep::kSyncDirectory, "."});
  return (decided ? *decided : ::fsync(directory)) == 0;
}

bool JournalDisk::Rename(int from_directory, const std::string& from, int to_directory,
                         const std::string& to) const {
  DiskCall call{DiskStep::kRename, from};
  call.to = to;
  if (FailsOrChanges(call)) return false;
  if (::renameat2(from_directory, from.c_str(), to_directory, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  // A file system that does not know the flag: the lock keeps all others from making the name.
  if (errno != EINVAL && errno != ENOSYS) return false;
  struct stat info;
  if (::fstatat(to_directory, to.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = EEXIST;
    return false;
  }
  return ::renameat(from_directory, from.c_str(), to_directory, to.c_str()) == 0;
}

bool JournalDisk::Unlink(int directory, const std::string& name) const {
  return !Fails({DiskStep::kUnlink, name}) &&
         (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT);
}

bool IsUnreadable(int error) {
  // A page that can't be brought in is EFAULT; a file that is a link, a device or not there any more is none.
  constexpr int kErrors[] = {EIO, EFAULT, EHWPOISON, ELOOP, ENXIO, ENODEV, ENOENT, EUCLEAN, EBADMSG, EISDIR};
  return std::find(std::begin(kErrors), std::end(kErrors), error) != std::end(kErrors);
}

}  // namespace gatebook::logger
