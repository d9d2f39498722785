#include "logger/journal_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <span>

#include "base/check.h"
#include "base/hex.h"

namespace gatebook::logger {
namespace {

using base::Error;
using base::ExitCode;
using base::Status;

constexpr char kLockName[] = "lock";
constexpr char kInstanceName[] = "instance";
constexpr char kInstanceTemporary[] = "instance.new";
constexpr std::string_view kSegmentSuffix = ".segment";
constexpr std::string_view kTemporarySuffix = ".segment.new";
constexpr size_t kInstanceBytes = 16;

bool MakeDirectories(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (::mkdir(path.substr(0, slash).c_str(), 0750) != 0 && errno != EEXIST) return false;
  }
  return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

std::string ReadSmall(int fd) {
  std::array<char, 128> buffer;
  const ssize_t size = ::pread(fd, buffer.data(), buffer.size(), 0);
  return std::string(buffer.data(), size > 0 ? static_cast<size_t>(size) : 0);
}

std::string_view TrimNewline(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

}  // namespace

base::Result<std::unique_ptr<JournalDirectory>> JournalDirectory::Open(const std::string& path,
                                                                       DiskFault fault) {
  std::unique_ptr<JournalDirectory> directory(new JournalDirectory(path, std::move(fault)));
  if (Status status = directory->OpenAndLock(); !status) return status.error();
  if (Status status = directory->LoadInstance(); !status) return status.error();
  return directory;
}

Status JournalDirectory::OpenAndLock() {
  if (!MakeDirectories(path_)) {
    return Error{fmt::format("cannot create the journal directory {}: {}", path_, std::strerror(errno)),
                 ExitCode::kCannotCreate};
  }
  base::UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.IsValid()) {
    return Error{fmt::format("cannot open the journal directory {}: {}", path_, std::strerror(errno)),
                 ExitCode::kInputOutput};
  }
  struct stat info;
  if (::fstat(fd.get(), &info) != 0 || ((info.st_mode & 077) != 0 && ::fchmod(fd.get(), 0700) != 0)) {
    return Error{fmt::format("the journal directory {} is open to others and cannot be closed to them: {}",
                             path_, std::strerror(errno)),
                 ExitCode::kInputOutput};
  }
  base::UniqueFd lock(::openat(fd.get(), kLockName, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.IsValid()) {
    return Error{fmt::format("cannot create {}/{}: {}", path_, kLockName, std::strerror(errno)),
                 ExitCode::kCannotCreate};
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return Error{fmt::format("cannot lock {}/{}: {}", path_, kLockName, std::strerror(errno)),
                   ExitCode::kInputOutput};
    }
    const std::string text = ReadSmall(lock.get());
    const std::string_view holder = TrimNewline(text);
    const bool is_number =
        !holder.empty() && holder.find_first_not_of("0123456789") == std::string_view::npos;
    return Error{fmt::format("the journal directory {} is in use by another gatebook{}; each needs its own "
                             "[journal] directory",
                             path_, is_number ? fmt::format(" (process {})", holder) : std::string()),
                 ExitCode::kInputOutput};
  }
  // The number is a help for people; the lock is what counts, so a failure here is none.
  [[maybe_unused]] const bool noted = ::ftruncate(lock.get(), 0) == 0 &&
                                      ::lseek(lock.get(), 0, SEEK_SET) == 0 &&
                                      WriteAll(lock.get(), fmt::format("{}\n", ::getpid()));
  fd_ = std::move(fd);
  lock_ = std::move(lock);
  return {};
}

Status JournalDirectory::LoadInstance() {
  const base::UniqueFd file(::openat(fd_.get(), kInstanceName, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.IsValid() && errno == ENOENT) {
    std::array<uint8_t, kInstanceBytes> bits;
    FillRandom(bits.data(), bits.size());
    instance_ = base::ToHex(bits);
    return WriteInstance();
  }
  if (!file.IsValid()) {
    return Error{fmt::format("cannot read {}/{}: {}", path_, kInstanceName, std::strerror(errno)),
                 ExitCode::kInputOutput};
  }
  const std::string text = ReadSmall(file.get());
  std::array<uint8_t, kInstanceBytes> bits;
  if (!base::FromHex(TrimNewline(text), bits)) {
    return Error{
        fmt::format("{}/{} is damaged: it should hold 32 hexadecimal digits; remove it to get a new one, "
                    "and with it a new claim on the edge's name",
                    path_, kInstanceName),
        ExitCode::kInputOutput};
  }
  instance_ = base::ToHex(bits);
  return {};
}

Status JournalDirectory::WriteInstance() {
  const base::UniqueFd file(
      ::openat(fd_.get(), kInstanceTemporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.IsValid() || !WriteAll(file.get(), instance_ + "\n") || ::fsync(file.get()) != 0 ||
      ::renameat(fd_.get(), kInstanceTemporary, fd_.get(), kInstanceName) != 0 || ::fsync(fd_.get()) != 0) {
    return Error{fmt::format("cannot write {}/{}: {}", path_, kInstanceName, std::strerror(errno)),
                 ExitCode::kCannotCreate};
  }
  return {};
}

std::vector<std::string> JournalDirectory::ListSegments() {
  std::vector<std::string> names;
  const int copy = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return names;
  DIR* const entries = ::fdopendir(copy);
  if (entries == nullptr) {
    ::close(copy);
    return names;
  }
  while (const dirent* entry = ::readdir(entries)) {
    const std::string_view name = entry->d_name;
    uint32_t worker;
    uint32_t sequence;
    if (name.ends_with(kTemporarySuffix)) {
      ::unlinkat(fd_.get(), entry->d_name, 0);
    } else if (ParseSegmentName(name, &worker, &sequence)) {
      names.emplace_back(name);
    }
  }
  ::closedir(entries);
  std::sort(names.begin(), names.end());
  return names;
}

bool JournalDirectory::Remove(const std::string& name) {
  if (Fails(DiskStep::kUnlink)) return false;
  return ::unlinkat(fd_.get(), name.c_str(), 0) == 0 || errno == ENOENT;
}

bool JournalDirectory::Sync() { return !Fails(DiskStep::kSync) && ::fsync(fd_.get()) == 0; }

bool JournalDirectory::HasVanished() const {
  struct stat opened;
  struct stat named;
  return ::fstat(fd_.get(), &opened) != 0 || ::stat(path_.c_str(), &named) != 0 ||
         opened.st_ino != named.st_ino || opened.st_dev != named.st_dev;
}

Status JournalDirectory::MakeAgain() {
  if (Status status = OpenAndLock(); !status) return status;
  return WriteInstance();
}

bool JournalDirectory::Fails(DiskStep step) const {
  const int error = fault_ ? fault_(step) : 0;
  if (error != 0) errno = error;
  return error != 0;
}

std::string SegmentName(uint32_t worker, uint32_t sequence) {
  return fmt::format("{:02}-{:010}{}", worker, sequence, kSegmentSuffix);
}

bool ParseSegmentName(std::string_view name, uint32_t* worker, uint32_t* sequence) {
  if (!name.ends_with(kSegmentSuffix)) return false;
  const char* const end = name.data() + name.size() - kSegmentSuffix.size();
  const auto first = std::from_chars(name.data(), end, *worker);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return false;
  const auto second = std::from_chars(first.ptr + 1, end, *sequence);
  return second.ec == std::errc() && second.ptr == end && SegmentName(*worker, *sequence) == name;
}

void FillRandom(void* bytes, size_t size) {
  // Up to 256 bytes come whole or, before the system has gathered entropy, after a wait (getrandom(2)).
  CHECK(size <= 256);
  ssize_t filled;
  do {
    filled = ::getrandom(bytes, size, 0);
  } while (filled < 0 && errno == EINTR);
  CHECK(filled == static_cast<ssize_t>(size));
}

}  // namespace gatebook::logger
