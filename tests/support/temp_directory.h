// TempDirectory: a directory of its own for a test, gone with it.
//
// Owns: the directory and all in it. Ends: removes it, unless GATEBOOK_KEEP is
// set in the environment (its path then stands on standard error).
#pragma once

#include <string>
#include <string_view>

namespace gatebook::support {

class TempDirectory {
 public:
  // kMemory: where the system has a place in memory; for tests that make thousands of files and no durable
  // one.
  enum class Where { kDisk, kMemory };
  explicit TempDirectory(Where where = Where::kDisk);
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }
  // The path of `name` inside.
  std::string Path(std::string_view name) const;
  // Writes a file inside and returns its path.
  std::string Write(std::string_view name, std::string_view content) const;

 private:
  std::string path_;
};

// The whole of a file; empty if it can't be read.
std::string ReadFile(const std::string& path);

}  // namespace gatebook::support
