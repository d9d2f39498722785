// JournalDisk: every call by which a journal asks something of the disk.
//
// In one place, so that tests can fail each of them (the first, the second, ...), shorten a write, and
// know what had been brought to the disk when the power went: they are asked before each call.
//
// Thread: any, as far as the given fault may be called from there. Owns nothing but the fault.
// Failure: false, nullptr or an invalid descriptor, with errno.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace gatebook::logger {

enum class DiskStep : uint8_t {
  kOpen,
  kCreate,
  kMakeDirectory,
  kList,
  kLock,
  kAllocate,
  kMap,
  kRead,  // also bringing a mapping's pages in
  kWrite,
  kSync,
  kSyncDirectory,
  kRename,
  kUnlink,
  kCount
};

struct DiskCall {
  DiskStep step;
  std::string_view name;     // within the journal's directory; of a directory: "."
  uint64_t from = 0;         // kSync: of the bytes
  uint64_t size = ~0ULL;     // kSync: how many; kWrite: may be made less, for a short write
  std::string_view to = {};  // kRename
};
// The errno to fail with; 0: go on; kTakenAsDone: say that it is done, and don't (of a flush: tests that
// need no disk need not wait for one).
using DiskFault = std::function<int(DiskCall&)>;
inline constexpr int kTakenAsDone = -1;

class JournalDisk {
 public:
  explicit JournalDisk(DiskFault fault = {}) : fault_(std::move(fault)) {}

  // A file of `directory`, for reading (O_RDONLY) and more by `flags`; 0600 where it is made.
  base::UniqueFd Open(int directory, const std::string& name, int flags) const;
  base::UniqueFd OpenDirectory(const std::string& path) const;
  // True where it is there already.
  bool MakeDirectory(const std::string& path, unsigned mode) const;
  // Names of all but "." and ".."; false if not all could be read.
  bool List(int directory, const std::function<void(const std::string& name)>& visitor) const;
  bool Lock(int fd, const std::string& name) const;
  bool Allocate(int fd, const std::string& name, uint64_t size) const;
  // Never part of a core: the pages hold visits.
  char* Map(int fd, const std::string& name, uint64_t size) const;
  // Brings the pages of a mapping in, to be read, or to be written without a fault.
  bool Populate(char* data, const std::string& name, uint64_t size, bool to_write) const;
  // Puts zeros that are no file's in the place of pages that can't be read.
  bool Blank(char* data, uint64_t size) const;
  // All of it.
  bool Write(int fd, const std::string& name, std::string_view bytes) const;
  bool SyncFile(int fd, const std::string& name) const;
  bool SyncRange(char* data, const std::string& name, uint64_t from, uint64_t end) const;
  bool SyncDirectory(int directory) const;
  // Replaces nothing: false, with EEXIST, where the name is taken.
  bool Rename(int from_directory, const std::string& from, int to_directory, const std::string& to) const;
  // True where it isn't there.
  bool Unlink(int directory, const std::string& name) const;

 private:
  bool Fails(DiskCall call) const { return FailsOrChanges(call); }
  bool FailsOrChanges(DiskCall& call) const;
  // Whether it has failed (-1, with errno) or is taken as done (0); nothing: it has to be made.
  std::optional<int> Decide(DiskCall call) const;

  const DiskFault fault_;
};

// Whether a disk that says this can't give the bytes, now or ever: the file is at fault. Else something
// around it is (descriptors, memory, rights), and what it holds is well.
bool IsUnreadable(int error);

}  // namespace gatebook::logger
