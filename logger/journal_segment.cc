#include "logger/journal_segment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"

namespace gatebook::logger {
namespace {

using base::Error;
using base::ExitCode;

constexpr uint64_t kPage = 4096;

// Maps a whole file for reading and writing; nullptr, with errno. Never part of
// a core: the pages hold visits.
char* Map(int fd, uint64_t size) {
  void* const data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return nullptr;
  ::madvise(data, size, MADV_DONTDUMP);
  return static_cast<char*>(data);
}

// True also where the kernel (before 5.14) does not know the advice.
bool Populate(char* data, uint64_t size, int advice) {
  return ::madvise(data, size, advice) == 0 || errno == EINVAL;
}

}  // namespace

JournalSegment::JournalSegment(std::string name, SegmentIdentity identity, char* data, uint64_t size)
    : name_(std::move(name)), identity_(std::move(identity)), data_(data), size_(size) {}

JournalSegment::~JournalSegment() { ::munmap(data_, size_); }

base::Result<std::unique_ptr<JournalSegment>> JournalSegment::Create(JournalDirectory& directory,
                                                                     const SegmentIdentity& identity,
                                                                     uint64_t size, const RecordId& last,
                                                                     bool durable) {
  const std::string name = SegmentName(identity.worker, identity.sequence);
  const std::string temporary = name + ".new";
  const auto fail = [&](const char* what) {
    const int error = errno;
    ::unlinkat(directory.fd(), temporary.c_str(), 0);
    return Error{fmt::format("cannot {} a journal segment of {} bytes in {}: {}", what, size,
                             directory.path(), std::strerror(error)),
                 ExitCode::kInputOutput};
  };
  if (directory.Fails(DiskStep::kCreate)) return fail("create");
  const base::UniqueFd file(
      ::openat(directory.fd(), temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.IsValid()) return fail("create");
  if (directory.Fails(DiskStep::kAllocate)) return fail("allocate");
  if (const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(size)); error != 0) {
    errno = error;
    return fail("allocate");
  }
  if (directory.Fails(DiskStep::kMap)) return fail("map");
  char* const data = Map(file.get(), size);
  if (data == nullptr) return fail("map");
  std::unique_ptr<JournalSegment> segment(new JournalSegment(name, identity, data, size));
  // Its zeros are written, so that a later flush of records changes no metadata (durable below).
  if (!Populate(data, size, MADV_POPULATE_WRITE)) return fail("populate");
  WriteIdentity(data, identity);
  WriteOpening(data, identity.seed, last);
  StoreReleased(data, identity.seed, kSegmentHeaderBytes);
  if (durable && (directory.Fails(DiskStep::kSync) || ::fdatasync(file.get()) != 0)) return fail("write");
  // Writing them out has protected the pages again; without this, the worker's first store to each would
  // be a fault that goes through the file system (measured: 280 instead of 95 ns an append).
  if (durable && !Populate(data, size, MADV_POPULATE_WRITE)) return fail("populate");
  if (directory.Fails(DiskStep::kRename) ||
      ::renameat(directory.fd(), temporary.c_str(), directory.fd(), name.c_str()) != 0) {
    return fail("name");
  }
  if (durable && !directory.Sync()) {
    const int error = errno;
    ::unlinkat(directory.fd(), name.c_str(), 0);
    errno = error;
    return fail("name");
  }
  return segment;
}

base::Result<std::unique_ptr<JournalSegment>> JournalSegment::Open(JournalDirectory& directory,
                                                                   const std::string& name) {
  const auto fail = [&](std::string_view why) {
    return Error{fmt::format("the journal segment {}/{} {}", directory.path(), name, why),
                 ExitCode::kInputOutput};
  };
  const base::UniqueFd file(
      ::openat(directory.fd(), name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info;
  if (!file.IsValid() || ::fstat(file.get(), &info) != 0) return fail(std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return fail("is not a file");
  const uint64_t size = static_cast<uint64_t>(info.st_size) & ~uint64_t{kRecordAlignment - 1};
  if (size < kSegmentHeaderBytes) return fail("is shorter than its header");
  if (size > kMostSegment) return fail("is longer than any segment may be");
  char* const data = Map(file.get(), size);
  if (data == nullptr) return fail(std::strerror(errno));
  const auto unmap_and_fail = [&](std::string_view why) {
    ::munmap(data, size);
    return fail(why);
  };
  if (!Populate(data, kSegmentHeaderBytes, MADV_POPULATE_READ)) return unmap_and_fail(std::strerror(errno));
  const auto identity = ReadIdentity({data, size});
  if (!identity) return unmap_and_fail("has a damaged header");
  if (SegmentName(identity->worker, identity->sequence) != name)
    return unmap_and_fail("has another's header");
  std::unique_ptr<JournalSegment> segment(new JournalSegment(name, *identity, data, size));
  segment->recovered_ = true;
  return segment;
}

void JournalSegment::SetFound(uint64_t end, uint32_t visits, uint64_t start, uint32_t start_visits) {
  start_ = start;
  start_visits_ = start_visits;
  flushed_ = end;
  Publish(end, visits);
}

bool JournalSegment::IsReadable() const { return !recovered_ || Populate(data_, size_, MADV_POPULATE_READ); }

bool JournalSegment::Flush(const JournalDirectory& directory, uint64_t end) {
  const uint64_t from = flushed_ & ~(kPage - 1);
  if (flush_failed_) {
    // A failed flush leaves the pages marked clean: the next would call them written. An atomic add of
    // nothing to a published word of each page marks it again, without a race with who writes behind it.
    for (uint64_t page = from; page < end; page += kPage) {
      std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(data_ + page))
          .fetch_add(0, std::memory_order_relaxed);
    }
  }
  flush_failed_ = directory.Fails(DiskStep::kSync) || ::msync(data_ + from, end - from, MS_SYNC) != 0;
  if (!flush_failed_) flushed_ = end;
  return !flush_failed_;
}

bool JournalSegment::AllowErasing(const JournalDirectory& directory) {
  const uint64_t asked = erase_asked();
  if (directory.Fails(DiskStep::kSync) || ::msync(data_, kSegmentHeaderBytes, MS_SYNC) != 0) return false;
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
