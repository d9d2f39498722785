#include "tests/support/forgetful_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

namespace gatebook::support {
namespace {

using logger::DiskStep;

constexpr size_t kSector = 512;

std::string ReadAll(int fd) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return {};
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), 0);
  bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return bytes;
}

}  // namespace

ForgetfulDisk::File* ForgetfulDisk::FileOf(const std::string& name) {
  base::UniqueFd fd(::open((directory_ + "/" + name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info;
  if (!fd.IsValid() || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return nullptr;
  File& file = files_[info.st_ino];
  if (!file.fd.IsValid()) file.fd = std::move(fd);
  return &file;
}

ForgetfulDisk::Names ForgetfulDisk::NamesNow() {
  Names names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file() || FileOf(name) == nullptr) continue;
    struct stat info;
    if (::stat(entry.path().c_str(), &info) == 0) names[name] = info.st_ino;
  }
  return names;
}

void ForgetfulDisk::Note(const logger::DiskCall& call) {
  if (call.step == DiskStep::kSyncDirectory) durable_names_ = NamesNow();
  if (call.step == DiskStep::kUnlink) FileOf(std::string(call.name));
  if (call.step != DiskStep::kSync) return;
  File* const file = FileOf(std::string(call.name));
  if (file == nullptr) return;
  const std::string now = ReadAll(file->fd.get());
  file->durable.resize(now.size());
  const uint64_t end = call.size < now.size() - call.from ? call.from + call.size : now.size();
  constexpr uint64_t kPage = 4096;
  const uint64_t from = call.from / kPage * kPage;
  const uint64_t to = std::min<uint64_t>(now.size(), (end + kPage - 1) / kPage * kPage);
  std::copy(now.begin() + static_cast<ptrdiff_t>(from), now.begin() + static_cast<ptrdiff_t>(to),
            file->durable.begin() + static_cast<ptrdiff_t>(from));
  file->flushed = true;
}

std::string ForgetfulDisk::Survivor(const File& file, std::mt19937_64& chance) const {
  const std::string now = ReadAll(file.fd.get());
  std::string bytes = file.durable;
  if (!file.flushed) bytes.assign(chance() % 2 == 0 ? now.size() : chance() % (now.size() + 1), '\0');
  bytes.resize(std::max(bytes.size(), file.flushed ? now.size() : bytes.size()));
  // All old, all new, a prefix new as a disk that was writing in order, or any.
  const uint64_t how = chance() % 4;
  const size_t prefix = chance() % (bytes.size() / kSector + 1);
  for (size_t sector = 0; sector * kSector < bytes.size(); ++sector) {
    const bool is_new = how == 1 || (how == 2 && sector < prefix) || (how == 3 && chance() % 2 == 0);
    if (!is_new) continue;
    const size_t from = sector * kSector;
    if (from >= now.size()) break;
    const size_t size = std::min({kSector, now.size() - from, bytes.size() - from});
    bytes.replace(from, size, now, from, size);
  }
  return bytes;
}

void ForgetfulDisk::Cut(const std::string& to, std::mt19937_64& chance) {
  std::filesystem::create_directories(to);
  const Names now = NamesNow();
  std::set<std::string> names;
  for (const auto& [name, file] : now) names.insert(name);
  for (const auto& [name, file] : durable_names_) names.insert(name);
  for (const std::string& name : names) {
    const auto before = durable_names_.find(name);
    const auto after = now.find(name);
    const bool take_after =
        before != durable_names_.end() && after != now.end() && before->second == after->second
            ? true
            : chance() % 2 == 0;
    const auto chosen = take_after ? after : before;
    if (chosen == (take_after ? now.end() : durable_names_.end())) continue;
    std::ofstream(to + "/" + name, std::ios::binary) << Survivor(files_.at(chosen->second), chance);
  }
}

}  // namespace gatebook::support
