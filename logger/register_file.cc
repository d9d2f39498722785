#include "logger/register_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/unique_fd.h"

namespace gatebook::logger {
namespace {

using base::ExitCode;

std::optional<std::string> ReadAll(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::pread(fd, buffer, sizeof buffer, static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
  }
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

}  // namespace

RegisterFile::RegisterFile(const std::string& directory, std::string_view name)
    : directory_(directory), path_(fmt::format("{}/{}", directory, name)) {}

base::Error RegisterFile::Failure(const char* what, ExitCode code) const {
  return base::Error{fmt::format("cannot {} {}: {}", what, path_, std::strerror(errno)), code};
}

base::Result<std::string> RegisterFile::Read() const {
  const base::UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.IsValid() && errno == ENOENT) return std::string();
  auto text = file.IsValid() ? ReadAll(file.get()) : std::nullopt;
  if (!text) return Failure("read", ExitCode::kInputOutput);
  return *std::move(text);
}

base::Status RegisterFile::Change(const Next& next) const {
  const base::UniqueFd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.IsValid()) return Failure("write", ExitCode::kCannotCreate);
  // The directory is what is locked, as the file is replaced.
  if (::flock(directory.get(), LOCK_EX) != 0) return Failure("lock", ExitCode::kInputOutput);
  auto before = Read();
  if (!before) return before.error();
  const auto text = next(std::move(before).value());
  if (!text) return text.error();

  const std::string beside = path_ + ".new";
  const base::UniqueFd file(
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.IsValid()) return Failure("write", ExitCode::kCannotCreate);
  struct stat owner;
  const bool theirs = ::geteuid() != 0 || (::fstat(directory.get(), &owner) == 0 &&
                                           ::fchown(file.get(), owner.st_uid, owner.st_gid) == 0);
  if (!theirs || !WriteAll(file.get(), *text) || ::fsync(file.get()) != 0 ||
      ::rename(beside.c_str(), path_.c_str()) != 0 || ::fsync(directory.get()) != 0) {
    return Failure("write", ExitCode::kInputOutput);
  }
  return {};
}

std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(text.size(), end + 1));
  return line;
}

}  // namespace gatebook::logger
