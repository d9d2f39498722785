// SourceTree: the project's own files, for the tests about how it is built.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace gatebook::architecture {

struct SourceFile {
  std::string path;    // from the root: "net/loop.h"
  std::string folder;  // its first part: "net"; empty for files in the root
  std::vector<std::string> lines;
  std::vector<std::string> includes;  // without quotes and brackets
};

inline bool IsCode(const SourceFile& file) { return file.path.ends_with(".cc") || file.path.ends_with(".h"); }

// What an #include line names; empty for every other line.
inline std::string IncludeOf(std::string_view line) {
  const auto skip = [&line](std::string_view word) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with(word)) return false;
    line.remove_prefix(word.size());
    return true;
  };
  if (!skip("#") || !skip("include") || (!skip("\"") && !skip("<"))) return {};
  return std::string(line.substr(0, line.find_first_of("\">")));
}

inline SourceFile ReadSource(const std::filesystem::path& root, const std::filesystem::path& path) {
  SourceFile file;
  file.path = std::filesystem::relative(path, root).string();
  const size_t slash = file.path.find('/');
  if (slash != std::string::npos) file.folder = file.path.substr(0, slash);
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    if (IsCode(file)) {
      if (std::string include = IncludeOf(line); !include.empty())
        file.includes.push_back(std::move(include));
    }
    file.lines.push_back(std::move(line));
  }
  return file;
}

// Every file of the project, without what is built and what git keeps.
inline const std::vector<SourceFile>& AllFiles() {
  static const std::vector<SourceFile> files = [] {
    const std::filesystem::path root = GATEBOOK_SOURCE_DIR;
    std::vector<SourceFile> found;
    for (auto entry = std::filesystem::recursive_directory_iterator(root); entry != end(entry); ++entry) {
      const std::string name = entry->path().filename().string();
      const bool top = entry.depth() == 0;
      if (entry->is_directory() && ((top && (name == "build" || name == ".git" || name == ".cache")) ||
                                    name == "seeds" || name == "__pycache__")) {
        entry.disable_recursion_pending();
      } else if (entry->is_regular_file() && name != ".git") {
        found.push_back(ReadSource(root, entry->path()));
      }
    }
    return found;
  }();
  return files;
}

// The floors table of CMakeLists.txt: a floor and the floors that it may include.
inline std::map<std::string, std::set<std::string>> Floors() {
  constexpr std::string_view kRow = "gatebook_floor(";
  std::map<std::string, std::set<std::string>> floors;
  for (const SourceFile& file : AllFiles()) {
    if (file.path != "CMakeLists.txt") continue;
    for (const std::string& line : file.lines) {
      if (!line.starts_with(kRow)) continue;
      const size_t name_end = line.find(' ');
      const size_t list_begin = line.find('"') + 1;
      std::set<std::string>& may = floors[line.substr(kRow.size(), name_end - kRow.size())];
      std::istringstream list(line.substr(list_begin, line.find('"', list_begin) - list_begin));
      for (std::string floor; std::getline(list, floor, ';');) may.insert(floor);
    }
  }
  return floors;
}

}  // namespace gatebook::architecture
