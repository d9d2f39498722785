#include "config/file_checks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include "base/unique_fd.h"

namespace gatebook::config {
namespace {

// Why the file can't be read, or nothing. Opened without waiting: it may be a FIFO.
std::optional<std::string> Obstacle(const std::string& path) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.IsValid()) return std::generic_category().message(errno);
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) return std::generic_category().message(errno);
  if (S_ISDIR(status.st_mode)) return "it is a directory";
  if (!S_ISREG(status.st_mode)) return "it is not a regular file";
  return std::nullopt;
}

void CheckReadable(const Option& option, const std::string& path, const Place& place, ProblemList& problems) {
  if (path.empty()) return;
  if (const auto obstacle = Obstacle(path)) {
    problems.Add(place, fmt::format("{}: cannot read {}: {}", option.key, path, *obstacle));
  }
}

bool IsUser(const std::string& name) {
  std::array<char, 16384> buffer;
  passwd entry = {};
  passwd* found = nullptr;
  return ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
}

}  // namespace

void CheckFiles(const Config& config, const PlaceMap& places, ProblemList& problems) {
  for (const Option& option : Options()) {
    if (option.type != OptionType::kFile && option.type != OptionType::kFiles) continue;
    const Section& section = SectionOf(option);
    const size_t count = section.IsRepeated() ? section.count(config) : 1;
    for (size_t i = 0; i < count; ++i) {
      const Place place = places.Of(option.section, i, option.key);
      if (option.type == OptionType::kFile) {
        CheckReadable(option, std::get<Access<std::string>>(option.field).look(config, i), place, problems);
        continue;
      }
      for (const std::string& path :
           std::get<Access<std::vector<std::string>>>(option.field).look(config, i)) {
        CheckReadable(option, path, place, problems);
      }
    }
  }
  if (!config.edge.user.empty() && !IsUser(config.edge.user)) {
    problems.Add(places.Of(SectionId::kEdge, 0, "user"), "user: this machine has no such user");
  }
}

}  // namespace gatebook::config
