#include "review/sink_erasure.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "base/unique_fd.h"
#include "config/sink_path.h"
#include "review/sink_files.h"
#include "review/sink_line.h"

namespace gatebook::review {
namespace {

using logger::StoredVisit;

constexpr size_t kBlock = 1 << 20;

// Of a line of JSON; texts of strangers hold no quote that is not escaped.
std::optional<std::string_view> ValueOf(std::string_view line, std::string_view name) {
  const std::string begin = fmt::format("\"{}\":\"", name);
  const size_t at = line.find(begin);
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + begin.size());
  return line.substr(0, line.find('"'));
}

base::Error CannotWrite(const std::string& path) {
  return {fmt::format("cannot write {}: {}", path, std::strerror(errno)), base::ExitCode::kCannotCreate};
}

// Invalid: it is not there, no regular file, or somebody has it.
base::UniqueFd Lock(const std::string& path) {
  base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info;
  if (file.IsValid() && (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) ||
                         ::flock(file.get(), LOCK_EX | LOCK_NB) != 0))
    file.Reset();
  return file;
}

// The file at a sink's path, if no process writes it.
base::Status CloseUnused(const std::string& path) {
  const base::UniqueFd file = Lock(path);
  if (!file.IsValid()) return {};
  const auto times = ReadSinkFile(path);
  if (!times.ok()) return times.error();
  if (!*times || !(*times)->oldest) return {};
  const auto closed = CloseSinkFile(path, *(*times)->oldest);
  return closed.ok() ? base::Status() : base::Status(closed.error());
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

SinkErasure::SinkErasure(const config::Config& config, const Subject& subject,
                         const std::vector<StoredVisit>& visits)
    : config_(config), subject_(subject), visits_(visits), from_(subject.since) {
  for (const StoredVisit& visit : visits) ids_.insert(logger::ToText(visit.id, visit.edge));
  if (subject.session) session_ = logger::ToText(*subject.session);
  // Of a session nothing is further from any visit than it lives.
  if (subject.session && !visits.empty()) {
    const auto earliest = [](const StoredVisit& a, const StoredVisit& b) { return a.arrival < b.arrival; };
    const base::WallTime first = std::min_element(visits.begin(), visits.end(), earliest)->arrival;
    from_ = std::max(from_, first - config.session.lifetime - config.session.idle);
  }
  if (subject.ip) ip_ = subject.ip->ToText();
}

std::unordered_set<std::string> SinkErasure::LinesOf(const config::Sink& sink) const {
  std::unordered_set<std::string> lines;
  if (sink.format != config::SinkFormat::kCombined) return lines;
  for (StoredVisit visit : visits_) {
    MaskFor(sink, &visit);
    std::string line;
    AppendLine(line, visit, sink.format);
    line.pop_back();
    lines.insert(std::move(line));
  }
  return lines;
}

bool SinkErasure::MayHold(const std::string& path, base::WallTime oldest) const {
  struct stat info;
  if (oldest >= subject_.until || ::stat(path.c_str(), &info) != 0) return false;
  // The last second of its writing may have been counted off.
  return base::WallTime(std::chrono::seconds(info.st_mtime + 1)) >= from_;
}

bool SinkErasure::IsOfSubject(std::string_view line, const std::unordered_set<std::string>& combined) const {
  if (!line.starts_with('{')) {
    if (combined.contains(std::string(line))) return true;
    if (ip_.empty() || !line.starts_with(ip_ + " ")) return false;
    const auto arrival = ArrivalOfLine(line);
    // Such a line knows its second only.
    return arrival && *arrival + std::chrono::seconds(1) > subject_.since && *arrival < subject_.until;
  }
  const bool is_ecs = line.starts_with(R"({"@)");
  const auto id = ValueOf(line, is_ecs ? "event.id" : "gatebook.id");
  if (id && ids_.contains(std::string(*id))) return true;
  const auto arrival = ArrivalOfLine(line);
  if (!arrival || *arrival < subject_.since || *arrival >= subject_.until) return false;
  if (!session_.empty()) return ValueOf(line, is_ecs ? "gatebook.session" : "session.id") == session_;
  return ValueOf(line, is_ecs ? "client.ip" : "client.address") == ip_;
}

base::Result<uint64_t> SinkErasure::CountIn(const std::string& path,
                                            const std::unordered_set<std::string>& combined) const {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return base::Error{fmt::format("cannot read {}: {}", path, std::strerror(errno)),
                       base::ExitCode::kInputOutput};
  }
  uint64_t lines = 0;
  for (std::string line; std::getline(in, line);) lines += IsOfSubject(line, combined) ? 1 : 0;
  return lines;
}

base::Status SinkErasure::Rewrite(const std::string& path, const std::unordered_set<std::string>& combined,
                                  SinkErasureResult* result) const {
  const base::UniqueFd file = Lock(path);
  struct stat info;
  // Gone, or being destroyed just now.
  if (!file.IsValid() || ::fstat(file.get(), &info) != 0) return {};
  const auto lines = CountIn(path, combined);
  if (!lines.ok() || *lines == 0) return lines.ok() ? base::Status() : base::Status(lines.error());
  const std::string rewritten = path + ".new";
  ::unlink(rewritten.c_str());
  const base::UniqueFd out(
      ::open(rewritten.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, info.st_mode & 0777));
  if (!out.IsValid()) return CannotWrite(rewritten);
  if (::fchown(out.get(), info.st_uid, info.st_gid) != 0 && errno != EPERM) return CannotWrite(rewritten);
  std::ifstream in(path, std::ios::binary);
  std::string kept;
  for (std::string line; std::getline(in, line);) {
    if (IsOfSubject(line, combined)) continue;
    kept.append(line).append("\n");
    if (kept.size() < kBlock) continue;
    if (!WriteAll(out.get(), kept)) return CannotWrite(rewritten);
    kept.clear();
  }
  if (!WriteAll(out.get(), kept) || ::fsync(out.get()) != 0 || ::rename(rewritten.c_str(), path.c_str()) != 0)
    return CannotWrite(rewritten);
  result->lines += *lines;
  ++result->files;
  return {};
}

base::Status SinkErasure::Look(bool only_count, SinkErasureResult* result) const {
  for (const config::Sink& sink : config_.sinks) {
    if (sink.kind != config::SinkKind::kFile) {
      result->out_of_reach.push_back(sink.name);
      continue;
    }
    const std::string path = SinkPath(sink);
    const auto combined = LinesOf(sink);
    if (!only_count) {
      if (auto closed = CloseUnused(path); !closed.ok()) return closed;
    }
    const auto files = ListClosedSinkFiles(path);
    if (!files.ok()) return files.error();
    for (const ClosedSinkFile& file : *files) {
      if (!MayHold(file.path, file.oldest)) continue;
      if (only_count) {
        const auto lines = CountIn(file.path, combined);
        if (!lines.ok()) return lines.error();
        result->lines += *lines;
      } else if (auto done = Rewrite(file.path, combined, result); !done.ok()) {
        return done;
      }
    }
    if (!only_count) continue;
    const auto lines = CountIn(path, combined);
    if (!lines.ok()) return lines.error();
    result->lines += *lines;
  }
  return {};
}

base::Result<uint64_t> SinkErasure::Count() const {
  SinkErasureResult result;
  if (auto looked = Look(true, &result); !looked.ok()) return looked.error();
  return result.lines;
}

base::Result<SinkErasureResult> SinkErasure::Run() const {
  SinkErasureResult result;
  if (auto looked = Look(false, &result); !looked.ok()) return looked.error();
  return result;
}

}  // namespace gatebook::review
