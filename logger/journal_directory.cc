#include "logger/journal_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
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

bool MakeDirectories(const JournalDisk& disk, const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (!disk.MakeDirectory(path.substr(0, slash), 0750)) return false;
  }
  return disk.MakeDirectory(path, 0700);
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

std::optional<FileKey> KeyOf(int fd) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return std::nullopt;
  return FileKey{info.st_dev, info.st_ino};
}

base::Result<std::unique_ptr<JournalDirectory>> JournalDirectory::Open(const std::string& path,
                                                                       DiskFault fault) {
  std::unique_ptr<JournalDirectory> directory(new JournalDirectory(path, std::move(fault)));
  auto opened = directory->OpenAndLock();
  if (!opened) return opened.error();
  directory->home_ = std::move(opened->home);
  directory->lock_ = std::move(opened->lock);
  auto instance = directory->ReadInstance(directory->fd());
  if (!instance) return instance.error();
  directory->instance_ = std::move(instance).value();
  if (!directory->instance_.empty()) return directory;
  std::array<uint8_t, kInstanceBytes> bits;
  FillRandom(bits.data(), bits.size());
  directory->instance_ = base::ToHex(bits);
  if (Status written = directory->WriteInstance(directory->fd()); !written) return written.error();
  return directory;
}

base::Result<JournalDirectory::Opened> JournalDirectory::OpenAndLock() const {
  if (!MakeDirectories(disk_, path_)) {
    return Error{fmt::format("cannot create the journal directory {}: {}", path_, std::strerror(errno)),
                 ExitCode::kCannotCreate};
  }
  base::UniqueFd fd = disk_.OpenDirectory(path_);
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
  base::UniqueFd lock = disk_.Open(fd.get(), kLockName, O_RDWR | O_CREAT);
  if (!lock.IsValid()) {
    return Error{fmt::format("cannot create {}/{}: {}", path_, kLockName, std::strerror(errno)),
                 ExitCode::kCannotCreate};
  }
  if (!disk_.Lock(lock.get(), kLockName)) {
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
                                      disk_.Write(lock.get(), kLockName, fmt::format("{}\n", ::getpid()));
  return Opened{std::make_shared<const base::UniqueFd>(std::move(fd)), std::move(lock)};
}

base::Result<std::string> JournalDirectory::ReadInstance(int directory) const {
  const base::UniqueFd file = disk_.Open(directory, kInstanceName, O_RDONLY);
  if (!file.IsValid() && errno == ENOENT) return std::string();
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
  return base::ToHex(bits);
}

Status JournalDirectory::WriteInstance(int directory) const {
  const base::UniqueFd file = disk_.Open(directory, kInstanceTemporary, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.IsValid() || !disk_.Write(file.get(), kInstanceTemporary, instance_ + "\n") ||
      !disk_.SyncFile(file.get(), kInstanceTemporary) ||
      !disk_.Rename(directory, kInstanceTemporary, directory, kInstanceName) ||
      !disk_.SyncDirectory(directory)) {
    return Error{fmt::format("cannot write {}/{}: {}", path_, kInstanceName, std::strerror(errno)),
                 ExitCode::kCannotCreate};
  }
  return {};
}

bool JournalDirectory::ListSegments(std::vector<std::string>* names) const {
  const bool listed = disk_.List(fd(), [&](const std::string& name) {
    uint32_t worker = 0;
    uint32_t sequence = 0;
    if (name.ends_with(kTemporarySuffix)) {
      disk_.Unlink(fd(), name);  // else at the next start, or overwritten
    } else if (ParseSegmentName(name, &worker, &sequence)) {
      names->push_back(name);
    }
  });
  std::sort(names->begin(), names->end());
  return listed;
}

bool JournalDirectory::Holds(const std::string& name, const FileKey& file) const {
  struct stat info;
  return ::fstatat(fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
         FileKey{info.st_dev, info.st_ino} == file;
}

bool JournalDirectory::HasVanished() const {
  const auto opened = KeyOf(fd());
  const auto lock = KeyOf(lock_.get());
  struct stat named;
  return !opened || !lock || ::stat(path_.c_str(), &named) != 0 ||
         *opened != FileKey{named.st_dev, named.st_ino} || !Holds(kLockName, *lock);
}

Status JournalDirectory::MakeAgain() {
  auto opened = OpenAndLock();
  if (!opened) return opened.error();
  const auto instance = ReadInstance(opened->home->get());
  if (!instance) return instance.error();
  if (!instance->empty() && *instance != instance_) {
    return Error{fmt::format("another journal than the one that was opened stands at {} now (was a file "
                             "system mounted there?); restart gatebook to use it",
                             path_),
                 ExitCode::kInputOutput};
  }
  if (instance->empty()) {
    if (Status written = WriteInstance(opened->home->get()); !written) return written;
  }
  home_ = std::move(opened->home);
  lock_ = std::move(opened->lock);
  return {};
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
