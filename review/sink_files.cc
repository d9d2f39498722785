#include "review/sink_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/rfc3339.h"

namespace gatebook::review {
namespace {

using base::WallTime;

// That are tried for a file whose oldest visit came in the same millisecond as another's.
constexpr int kMostNames = 1000;
constexpr std::string_view kRewritten = ".new";
constexpr size_t kStampSize = sizeof "20261123T215301.042Z" - 1;

// RFC 3339 without what is awkward in a file's name.
std::string StampOf(WallTime time) {
  std::string stamp = base::ToRfc3339(time);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return stamp;
}

std::optional<WallTime> ParseStamp(std::string_view stamp) {
  if (stamp.size() != kStampSize) return std::nullopt;
  std::string text(stamp);
  for (const size_t at : {4U, 7U}) text.insert(at, 1, '-');
  for (const size_t at : {13U, 16U}) text.insert(at, 1, ':');
  return base::ParseRfc3339(text);
}

std::optional<WallTime> ParseNanoseconds(std::string_view text) {
  uint64_t nanoseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), nanoseconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return WallTime(std::chrono::milliseconds(nanoseconds / 1'000'000));
}

// "23/Nov/2026:21:53:01 +0000"
std::optional<WallTime> ParseCombinedTime(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 26 || text.substr(20) != " +0000") return std::nullopt;
  const size_t month = kMonths.find(text.substr(3, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  return base::ParseRfc3339(fmt::format("{}-{:02}-{}T{}Z", text.substr(7, 4), month / 3 + 1,
                                        text.substr(0, 2), text.substr(12, 8)));
}

// The value of a line's first name.
std::optional<std::string_view> FirstValue(std::string_view line, std::string_view begin) {
  if (!line.starts_with(begin)) return std::nullopt;
  line.remove_prefix(begin.size());
  const size_t end = line.find('"');
  if (end == std::string_view::npos) return std::nullopt;
  return line.substr(0, end);
}

base::Error CannotRead(const std::string& path) {
  return {fmt::format("cannot read {}: {}", path, std::strerror(errno)), base::ExitCode::kInputOutput};
}

}  // namespace

std::string ClosedSinkFileName(const std::string& path, WallTime oldest) {
  return path + "." + StampOf(oldest);
}

base::Result<std::string> CloseSinkFile(const std::string& path, WallTime oldest) {
  int failed = EEXIST;
  for (int i = 0; i < kMostNames && failed == EEXIST; ++i, oldest -= std::chrono::milliseconds(1)) {
    std::string name = ClosedSinkFileName(path, oldest);
    if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) return name;
    failed = errno;
  }
  return base::Error{fmt::format("{}: cannot rename it: {}", path, std::strerror(failed)),
                     base::ExitCode::kCannotCreate};
}

base::Result<std::vector<ClosedSinkFile>> ListClosedSinkFiles(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path of(path);
  const fs::path directory = of.has_parent_path() ? of.parent_path() : fs::path(".");
  const std::string prefix = of.filename().string() + ".";
  std::vector<ClosedSinkFile> files;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string whole = at->path().filename().string();
    std::string_view name = whole;
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    if (name.ends_with(kRewritten)) name.remove_suffix(kRewritten.size());
    if (const auto oldest = ParseStamp(name)) files.push_back({at->path().string(), *oldest});
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return base::Error{fmt::format("cannot read {}: {}", directory.string(), error.message()),
                       base::ExitCode::kInputOutput};
  }
  std::sort(files.begin(), files.end(),
            [](const ClosedSinkFile& a, const ClosedSinkFile& b) { return a.oldest < b.oldest; });
  return files;
}

std::optional<WallTime> ArrivalOfLine(std::string_view line) {
  if (const auto ecs = FirstValue(line, R"({"@timestamp":")")) return base::ParseRfc3339(*ecs);
  if (const auto otel = FirstValue(line, R"({"Timestamp":")")) return ParseNanoseconds(*otel);
  const size_t begin = line.find(" - - [");
  if (begin == std::string_view::npos) return std::nullopt;
  line.remove_prefix(begin + 6);
  return ParseCombinedTime(line.substr(0, line.find(']')));
}

base::Result<std::optional<SinkFileTimes>> ReadSinkFile(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return std::optional<SinkFileTimes>();
    return CannotRead(path);
  }
  if (!S_ISREG(info.st_mode)) return std::optional<SinkFileTimes>();
  std::ifstream in(path, std::ios::binary);
  if (!in) return CannotRead(path);
  SinkFileTimes times;
  for (std::string line; std::getline(in, line);) {
    ++times.lines;
    times.bytes += line.size() + 1;
    times.ends_whole = !in.eof();
    const auto arrival = ArrivalOfLine(line);
    if (!arrival) continue;
    times.oldest = std::min(times.oldest.value_or(*arrival), *arrival);
    times.youngest = std::max(times.youngest.value_or(*arrival), *arrival);
  }
  if (!times.ends_whole) --times.bytes;
  if (times.lines != 0 && !times.oldest) {
    times.oldest = times.youngest = WallTime(std::chrono::seconds(info.st_mtime));
  }
  return std::optional(times);
}

std::chrono::milliseconds KeepOf(const config::Sink& sink, const config::Config& config) {
  return sink.keep.count() == 0 ? config.visit.retention : std::min(sink.keep, config.visit.retention);
}

}  // namespace gatebook::review
