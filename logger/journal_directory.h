// JournalDirectory: the directory that one process alone may use.
//
// Holds, all 0600 in a directory 0700:
//   lock                    locked by the process that runs
//   instance                128 random bits in hexadecimal, made once: who this journal is
//   <worker>-<n>.segment    segments; <name>.new while they are being made
//   erasures, objections    logger/erasures.h, logger/objections.h
//   policy                  versions of the privacy policy (proxy/policy_log.h)
//   quarantine/             logger/journal_quarantine.h
//
// Thread: Open and later the keeper's thread; instance(), path() and disk() any.
// Ends: closing gives the lock free.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "logger/journal_disk.h"

namespace gatebook::logger {

// An opened directory. Segments hold the one they were made in, so that they are removed from there also
// when the path leads elsewhere by then.
using JournalHome = std::shared_ptr<const base::UniqueFd>;

// A file, whatever it is called.
struct FileKey {
  uint64_t device = 0;
  uint64_t inode = 0;
  bool operator==(const FileKey&) const = default;
};
// Nothing, with errno, if the system does not say.
std::optional<FileKey> KeyOf(int fd);

class JournalDirectory {
 public:
  // Makes it, with missing parents, if it isn't there. Refused while another process has it (exit code 74).
  static base::Result<std::unique_ptr<JournalDirectory>> Open(const std::string& path, DiskFault fault);

  const std::string& path() const { return path_; }
  const std::string& instance() const { return instance_; }
  int fd() const { return home_->get(); }
  const JournalHome& home() const { return home_; }
  const JournalDisk& disk() const { return disk_; }

  // Names of the segments there are; files that were never finished are removed. False, with errno, if
  // the directory can't be read.
  bool ListSegments(std::vector<std::string>* names) const;
  // Whether `name` here is still that file.
  bool Holds(const std::string& name, const FileKey& file) const;

  // Whether the path no more leads to the directory that was opened, or its lock has been removed.
  bool HasVanished() const;
  // Opens what the path leads to now, and makes it where nothing is there. An error: it can't be made, or
  // holds another's journal, which is then left alone.
  base::Status MakeAgain();

 private:
  struct Opened {
    JournalHome home;
    base::UniqueFd lock;
  };
  JournalDirectory(std::string path, DiskFault fault) : path_(std::move(path)), disk_(std::move(fault)) {}
  base::Result<Opened> OpenAndLock() const;
  // Of the directory's journal; empty if there is none.
  base::Result<std::string> ReadInstance(int directory) const;
  base::Status WriteInstance(int directory) const;

  const std::string path_;
  const JournalDisk disk_;
  JournalHome home_;
  base::UniqueFd lock_;
  std::string instance_;
};

std::string SegmentName(uint32_t worker, uint32_t sequence);
// False unless `name` is SegmentName of some worker and sequence.
bool ParseSegmentName(std::string_view name, uint32_t* worker, uint32_t* sequence);

// Random bits from the system.
void FillRandom(void* bytes, size_t size);

}  // namespace gatebook::logger
