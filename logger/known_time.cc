#include "logger/known_time.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "base/unique_fd.h"

namespace gatebook::logger {
namespace {

std::string PathOf(const std::string& journal_directory) { return journal_directory + "/clock"; }

}  // namespace

std::optional<base::KnownTime> LoadKnownTime(const std::string& journal_directory) {
  const base::UniqueFd file(::open(PathOf(journal_directory).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.IsValid()) return std::nullopt;
  std::array<char, 256> buffer;
  const ssize_t got = ::pread(file.get(), buffer.data(), buffer.size(), 0);
  std::istringstream line(std::string(buffer.data(), got > 0 ? static_cast<size_t>(got) : 0));
  std::string boot;
  int64_t since = 0;
  int64_t wall = 0;
  if (!(line >> boot >> since >> wall) || since < 0 || wall < 0) return std::nullopt;
  return base::KnownTime{boot == "-" ? std::string() : boot,
                         base::SteadyTime(std::chrono::milliseconds(since)),
                         base::WallTime(std::chrono::milliseconds(wall))};
}

base::Status SaveKnownTime(const std::string& journal_directory, const base::KnownTime& known) {
  const std::string path = PathOf(journal_directory);
  const std::string beside = path + ".new";
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(known.since.time_since_epoch());
  const std::string text = fmt::format("{} {} {}\n", known.boot.empty() ? "-" : known.boot, since.count(),
                                       known.wall.time_since_epoch().count());
  const base::UniqueFd file(
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.IsValid() || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::rename(beside.c_str(), path.c_str()) != 0) {
    return base::Error{fmt::format("cannot write {}: {}", path, std::strerror(errno)),
                       base::ExitCode::kInputOutput};
  }
  return {};
}

}  // namespace gatebook::logger
