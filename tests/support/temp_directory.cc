#include "tests/support/temp_directory.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/check.h"

namespace gatebook::support {

TempDirectory::TempDirectory(Where where) {
  // Short, since the path of a Unix socket has 107 bytes at most.
  std::string pattern = "/dev/shm/gb.XXXXXX";
  if (where == Where::kDisk || mkdtemp(pattern.data()) == nullptr) {
    pattern = (std::filesystem::temp_directory_path() / "gb.XXXXXX").string();
    CHECK(mkdtemp(pattern.data()) != nullptr);
  }
  path_ = pattern;
}

TempDirectory::~TempDirectory() {
  if (std::getenv("GATEBOOK_KEEP")) {
    std::fprintf(stderr, "kept: %s\n", path_.c_str());
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDirectory::Path(std::string_view name) const { return path_ + "/" + std::string(name); }

std::string TempDirectory::Write(std::string_view name, std::string_view content) const {
  std::string path = Path(name);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  CHECK(file.good());
  // Some of them are keys, which gatebook wants to itself.
  std::filesystem::permissions(path,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return path;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace gatebook::support
