#include "logger/journal_segment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"

namespace gatebook::logger {
namespace {

using base::Error;
using base::ExitCode;

constexpr uint64_t kPage = 4096;

}  // namespace

JournalSegment::JournalSegment(const JournalDirectory& directory, std::string name, const FileKey& file,
                               SegmentIdentity identity, char* data, uint64_t size)
    : home_(directory.home()),
      name_(std::move(name)),
      file_(file),
      identity_(std::move(identity)),
      data_(data),
      size_(size) {
  guard_.emplace(data_, size_, abandoned_);
}

JournalSegment::~JournalSegment() {
  guard_.reset();
  ::munmap(data_, size_);
}

base::Result<std::unique_ptr<JournalSegment>> JournalSegment::Create(JournalDirectory& directory,
                                                                     const SegmentIdentity& identity,
                                                                     uint64_t size, const RecordId& last,
                                                                     bool durable) {
  const JournalDisk& disk = directory.disk();
  const std::string name = SegmentName(identity.worker, identity.sequence);
  const std::string temporary = name + ".new";
  const auto fail = [&](const char* what) {
    const int error = errno;
    disk.Unlink(directory.fd(), temporary);
    return Error{fmt::format("cannot {} a journal segment of {} bytes in {}: {}", what, size,
                             directory.path(), std::strerror(error)),
                 ExitCode::kInputOutput};
  };
  const base::UniqueFd file = disk.Open(directory.fd(), temporary, O_RDWR | O_CREAT | O_TRUNC);
  if (!file.IsValid()) return fail("create");
  const auto key = KeyOf(file.get());
  if (!key || !disk.Allocate(file.get(), temporary, size)) return fail("allocate");
  char* const data = disk.Map(file.get(), temporary, size);
  if (data == nullptr) return fail("map");
  std::unique_ptr<JournalSegment> segment(new JournalSegment(directory, name, *key, identity, data, size));
  // Its zeros are written, so that a later flush of records changes no metadata (durable below).
  if (!disk.Populate(data, temporary, size, /*to_write=*/true)) return fail("populate");
  WriteIdentity(data, identity);
  WriteOpening(data, identity.seed, last);
  StoreReleased(data, identity.seed, kSegmentHeaderBytes);
  if (durable && !disk.SyncFile(file.get(), temporary)) return fail("write");
  // Writing them out has protected the pages again; without this, the worker's first store to each would
  // be a fault that goes through the file system (measured: 280 instead of 95 ns an append).
  if (durable && !disk.Populate(data, temporary, size, /*to_write=*/true)) return fail("populate");
  if (!disk.Rename(directory.fd(), temporary, directory.fd(), name)) return fail("name");
  if (durable && !disk.SyncDirectory(directory.fd())) {
    const int error = errno;
    disk.Unlink(directory.fd(), name);
    errno = error;
    return fail("name");
  }
  return segment;
}

base::Result<std::unique_ptr<JournalSegment>> JournalSegment::Open(JournalDirectory& directory,
                                                                   const std::string& name) {
  // What is wrong with the file, and not around it, is told by kNegative: the journal goes on without it.
  const auto fail = [&](std::string_view why, ExitCode code = ExitCode::kNegative) {
    return Error{fmt::format("the journal segment {}/{} {}", directory.path(), name, why), code};
  };
  const auto cannot_read = [&](int error) {
    return fail(fmt::format("cannot be read: {}", std::strerror(error)),
                IsUnreadable(error) ? ExitCode::kNegative : ExitCode::kInputOutput);
  };
  const JournalDisk& disk = directory.disk();
  const base::UniqueFd file = disk.Open(directory.fd(), name, O_RDWR);
  struct stat info;
  if (!file.IsValid() || ::fstat(file.get(), &info) != 0) return cannot_read(errno);
  if (!S_ISREG(info.st_mode)) return fail("is not a file");
  const uint64_t size = static_cast<uint64_t>(info.st_size) & ~uint64_t{kRecordAlignment - 1};
  if (size < kSegmentHeaderBytes) return fail("is shorter than its header");
  if (size > kMostSegment) return fail("is longer than any segment may be");
  char* const data = disk.Map(file.get(), name, size);
  if (data == nullptr) return cannot_read(errno);
  const auto unmap = [&](Error error) {
    ::munmap(data, size);
    return error;
  };
  if (!disk.Populate(data, name, kSegmentHeaderBytes, /*to_write=*/false)) return unmap(cannot_read(errno));
  const auto identity = ReadIdentity({data, size});
  if (!identity) return unmap(fail("has a damaged header"));
  if (SegmentName(identity->worker, identity->sequence) != name) return unmap(fail("has another's header"));
  std::unique_ptr<JournalSegment> segment(
      new JournalSegment(directory, name, {info.st_dev, info.st_ino}, *identity, data, size));
  segment->recovered_ = true;
  return segment;
}

void JournalSegment::SetFound(uint64_t end, uint32_t visits, uint64_t start, uint32_t start_visits) {
  start_ = start;
  start_visits_ = start_visits;
  flushed_ = end;
  Publish(end, visits);
}

uint64_t JournalSegment::BlankUnreadable(const JournalDisk& disk) {
  // What fails for want of memory is read later, a page at a time.
  if (!recovered_ || disk.Populate(data_, name_, size_, /*to_write=*/false) || !IsUnreadable(errno)) return 0;
  uint64_t blanked = 0;
  for (uint64_t page = 0; page < size_; page += kPage) {
    if (disk.Populate(data_ + page, name_, std::min(kPage, size_ - page), /*to_write=*/false)) continue;
    if (IsUnreadable(errno) && disk.Blank(data_ + page, kPage)) ++blanked;
  }
  return blanked;
}

bool JournalSegment::Flush(const JournalDisk& disk, uint64_t end) {
  const uint64_t from = opening_flushed_ ? flushed_ & ~(kPage - 1) : 0;
  if (flush_failed_) {
    // A failed flush leaves the pages marked clean: the next would call them written. An atomic add of
    // nothing to a published word of each page marks it again, without a race with who writes behind it.
    for (uint64_t page = std::max<uint64_t>(from, kPage); page < end; page += kPage) {
      std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(data_ + page))
          .fetch_add(0, std::memory_order_relaxed);
    }
    if (from == 0) MarkReleased(data_);
  }
  flush_failed_ = !disk.SyncRange(data_, name_, from, end);
  if (!flush_failed_) {
    flushed_ = end;
    opening_flushed_ = true;
  }
  return !flush_failed_;
}

bool JournalSegment::FlushOpening(const JournalDisk& disk) {
  if (opening_flushed_) return true;
  MarkReleased(data_);  // it may have failed before
  opening_flushed_ = disk.SyncRange(data_, name_, 0, kSegmentHeaderBytes);
  return opening_flushed_;
}

bool JournalSegment::AllowErasing(const JournalDisk& disk) {
  const uint64_t asked = erase_asked();
  MarkReleased(data_);  // it may have failed before
  if (!disk.SyncRange(data_, name_, 0, kSegmentHeaderBytes)) return false;
  erase_allowed_.store(asked, std::memory_order_release);
  return true;
}

void JournalSegment::Erase() noexcept {
  // Word by word: the keeper may be marking pages (Flush) at the same time.
  for (const uint64_t allowed = erase_allowed(); erased_ < allowed; erased_ += sizeof(uint64_t)) {
    std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(data_ + erased_))
        .store(0, std::memory_order_relaxed);
  }
}

}  // namespace gatebook::logger
