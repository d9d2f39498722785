// SourceTree: the project's own files, for the tests about how it is built.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace gatebook::architecture {

struct SourceFile {
  std::string path;    // from the root: "net/loop.h"
  std::string folder;  // its first part: "net"; empty for files in the root
  std::vector<std::string> lines;
  std::vector<std::string> includes;  // without quotes and brackets
};

inline bool IsCode(const SourceFile& file) { return file.path.ends_with(".cc") || file.path.ends_with(".h"); }

inline SourceFile ReadSource(const std::filesystem::path& root, const std::filesystem::path& path) {
  static const std::regex include_line(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"])re");
  SourceFile file;
  file.path = std::filesystem::relative(path, root).string();
  const size_t slash = file.path.find('/');
  if (slash != std::string::npos) file.folder = file.path.substr(0, slash);
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    std::smatch match;
    if (IsCode(file) && std::regex_search(line, match, include_line)) file.includes.push_back(match[1]);
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
  static const std::regex row(R"re(^gatebook_floor\((\w+)\s+"([^"]*)")re");
  std::map<std::string, std::set<std::string>> floors;
  for (const SourceFile& file : AllFiles()) {
    if (file.path != "CMakeLists.txt") continue;
    for (const std::string& line : file.lines) {
      std::smatch match;
      if (!std::regex_search(line, match, row)) continue;
      std::set<std::string>& may = floors[match[1]];
      std::istringstream list(match[2]);
      for (std::string floor; std::getline(list, floor, ';');) may.insert(floor);
    }
  }
  return floors;
}

}  // namespace gatebook::architecture
