// ForgetfulDisk: a disk that forgets what was not flushed when the power goes.
//
// It watches the calls of a journal (JournalOptions::disk_fault) and remembers what each had brought to the
// disk: bytes by kSync, names by kSyncDirectory. Cut() makes a directory as it may be found after a power
// cut at this moment. Of what was not flushed everything is possible, and chance decides: a sector (512
// bytes, written whole or not at all) is as it was or as it is; a file that never was flushed may be short or
// zeros; a name that was made, changed or removed may be there as before or as after.
//
// Thread: the one that calls the journal. Owns a descriptor of each file it has seen.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>

#include "base/unique_fd.h"
#include "logger/journal_disk.h"

namespace gatebook::support {

class ForgetfulDisk {
 public:
  explicit ForgetfulDisk(std::string directory) : directory_(std::move(directory)) {}

  // To be called before each call is made; never changes it.
  void Note(const logger::DiskCall& call);
  // Writes what the disk holds now into `to`, which is made.
  void Cut(const std::string& to, std::mt19937_64& chance);

 private:
  struct File {
    base::UniqueFd fd;  // keeps its bytes and its number for as long as the test needs them
    bool flushed = false;
    std::string durable;
  };
  using Names = std::map<std::string, uint64_t>;  // to the number of the file

  Names NamesNow();
  File* FileOf(const std::string& name);
  std::string Survivor(const File& file, std::mt19937_64& chance) const;

  const std::string directory_;
  std::map<uint64_t, File> files_;
  Names durable_names_;
};

}  // namespace gatebook::support
