#include "logger/journal_scan.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/unique_fd.h"
#include "logger/journal_cursor.h"
#include "logger/journal_directory.h"
#include "logger/visit_codec.h"

namespace gatebook::logger {
namespace {

base::Error CannotRead(const std::string& path, int error) {
  return {fmt::format("cannot read {}: {}", path, std::strerror(error)), base::ExitCode::kInputOutput};
}

// Regular files of a directory by name; none if there is no directory.
base::Result<std::vector<std::string>> FilesOf(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    if (entries->is_regular_file(error)) names.push_back(entries->path().filename());
  }
  if (error) return CannotRead(directory, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

// The whole file; `gone` if it has been unlinked since it was listed.
base::Status ReadFile(const std::string& path, std::string* bytes, bool* gone) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  *gone = !file.IsValid() && errno == ENOENT;
  if (*gone) return {};
  struct stat info;
  if (!file.IsValid() || ::fstat(file.get(), &info) != 0) return CannotRead(path, errno);
  bytes->resize(static_cast<size_t>(info.st_size));
  size_t done = 0;
  while (done < bytes->size()) {
    const ssize_t got =
        ::pread(file.get(), bytes->data() + done, bytes->size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return CannotRead(path, errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  bytes->resize(done);
  return {};
}

void ScanSegment(std::string_view segment, const std::function<void(const JournalVisit&)>& visitor) {
  if (segment.size() < kSegmentHeaderBytes) return;
  const auto identity = ReadIdentity(segment);
  if (!identity) return;
  const uint64_t released = LoadReleased(segment.data(), identity->seed, segment.size());
  // Behind the last byte that is not zero nothing stands; in front of the first neither.
  const uint64_t end = segment.find_last_not_of('\0') + 1;
  const uint64_t first = segment.substr(0, end).find_first_not_of('\0', kSegmentHeaderBytes);
  if (first == std::string_view::npos) return;
  RecordCursor cursor(segment, identity->seed, first / kRecordAlignment * kRecordAlignment, 0);
  const uint64_t most = std::min<uint64_t>(segment.size(), RecordBytes(end));
  for (auto step = cursor.Next(most); step != RecordCursor::Step::kEnd; step = cursor.Next(most)) {
    if (step != RecordCursor::Step::kRecord) continue;
    const RecordView& record = cursor.record();
    JournalVisit found;
    if (record.head.type != RecordType::kVisit || !DecodeVisit(record.payload, &found.visit)) continue;
    found.id = {identity->worker, record.head.id.milliseconds, record.head.id.n};
    found.edge = identity->edge;
    found.is_released = record.end <= released;
    visitor(found);
  }
}

}  // namespace

base::Status ScanJournal(const std::string& directory,
                         const std::function<void(const JournalVisit&)>& visitor) {
  const auto names = FilesOf(directory);
  if (!names) return names.error();
  std::string bytes;
  for (const std::string& name : *names) {
    uint32_t worker;
    uint32_t sequence;
    if (!ParseSegmentName(name, &worker, &sequence)) continue;
    bool gone = false;
    if (auto read = ReadFile(directory + "/" + name, &bytes, &gone); !read) return read;
    if (!gone) ScanSegment(bytes, visitor);
  }
  return {};
}

base::Result<std::vector<QuarantineFile>> ListQuarantine(const std::string& directory) {
  const std::string quarantine = directory + "/quarantine";
  const auto names = FilesOf(quarantine);
  if (!names) return names.error();
  std::vector<QuarantineFile> files;
  for (const std::string& name : *names) {
    struct stat info;
    const std::string path = quarantine + "/" + name;
    if (::lstat(path.c_str(), &info) != 0) continue;
    const auto since =
        std::chrono::seconds(info.st_mtim.tv_sec) +
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(info.st_mtim.tv_nsec));
    files.push_back({path, base::WallTime(since), static_cast<uint64_t>(info.st_size)});
  }
  return files;
}

}  // namespace gatebook::logger
