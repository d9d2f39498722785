// JournalDirectory: the directory that one process alone may use.
//
// Holds, all 0600 in a directory 0700:
//   lock                    locked by the process that runs
//   instance                128 random bits in hexadecimal, made once: who this journal is
//   <worker>-<n>.segment    segments; <name>.new while they are being made
//   erasures                logger/erasures.h
//   quarantine/             logger/journal_quarantine.h
//
// Thread: Open and later the keeper's thread; instance() and path() any.
// Ends: closing gives the lock free.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace gatebook::logger {

// What can fail on the disk. Tests fail each, the first time, the second, ...
enum class DiskStep { kCreate, kAllocate, kMap, kSync, kRename, kUnlink };
using DiskFault = std::function<int(DiskStep)>;  // the errno to fail with; 0: go on

class JournalDirectory {
 public:
  // Makes it, with missing parents, if it isn't there. Refused while another process has it (exit code 74).
  static base::Result<std::unique_ptr<JournalDirectory>> Open(const std::string& path, DiskFault fault);

  const std::string& path() const { return path_; }
  const std::string& instance() const { return instance_; }
  int fd() const { return fd_.get(); }

  // Names of the segments there are; files that were never finished are removed.
  std::vector<std::string> ListSegments();
  // False, with errno, if it could not be removed. One that isn't there is removed.
  bool Remove(const std::string& name);
  bool Sync();

  // Whether the path still leads to the directory that was opened, and making it anew if it doesn't.
  bool HasVanished() const;
  base::Status MakeAgain();

  // True, with errno set, if a test wants this step to fail.
  bool Fails(DiskStep step) const;

 private:
  JournalDirectory(std::string path, DiskFault fault) : path_(std::move(path)), fault_(std::move(fault)) {}
  base::Status OpenAndLock();
  base::Status LoadInstance();
  base::Status WriteInstance();

  const std::string path_;
  const DiskFault fault_;
  base::UniqueFd fd_;
  base::UniqueFd lock_;
  std::string instance_;
};

std::string SegmentName(uint32_t worker, uint32_t sequence);
// False unless `name` is SegmentName of some worker and sequence.
bool ParseSegmentName(std::string_view name, uint32_t* worker, uint32_t* sequence);

// Random bits from the system.
void FillRandom(void* bytes, size_t size);

}  // namespace gatebook::logger
