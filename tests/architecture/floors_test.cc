// The house stands as CMakeLists.txt says: arrows of inclusion point down only.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/architecture/source_tree.h"

namespace gatebook::architecture {
namespace {

std::string FolderOf(const std::string& include) {
  const size_t slash = include.find('/');
  return slash == std::string::npos ? "" : include.substr(0, slash);
}

TEST(Floors, TheTableIsReadAsItStands) {
  const auto floors = Floors();
  ASSERT_EQ(floors.size(), 9u);
  EXPECT_TRUE(floors.at("base").empty());
  EXPECT_TRUE(floors.at("proxy").contains("tls"));
}

TEST(Floors, AFloorIncludesOnlyWhatTheTableAllows) {
  const auto floors = Floors();
  for (const SourceFile& file : AllFiles()) {
    const auto own = floors.find(file.folder);
    if (own == floors.end()) continue;
    for (const std::string& include : file.includes) {
      const std::string folder = FolderOf(include);
      if (folder == "tests" || folder == "bench") ADD_FAILURE() << file.path << " includes " << include;
      if (!floors.contains(folder) || folder == file.folder) continue;
      EXPECT_TRUE(own->second.contains(folder)) << file.path << " includes " << include;
    }
  }
}

TEST(Floors, NoTwoFloorsMayIncludeEachOther) {
  const auto floors = Floors();
  for (const auto& [floor, may] : floors) {
    for (const std::string& other : may) {
      ASSERT_TRUE(floors.contains(other)) << floor << " names " << other << ", which is no floor";
      EXPECT_FALSE(floors.at(other).contains(floor)) << floor << " and " << other;
    }
  }
}

TEST(Floors, AFloorMayIncludeAllThatItsFloorsMay) {
  const auto floors = Floors();
  for (const auto& [floor, may] : floors) {
    for (const std::string& other : may) {
      for (const std::string& below : floors.at(other)) {
        EXPECT_TRUE(may.contains(below)) << floor << " includes " << other << " but not " << below;
      }
    }
  }
}

TEST(Floors, AHeaderIsIncludedByItsPathFromTheRoot) {
  const auto floors = Floors();
  for (const SourceFile& file : AllFiles()) {
    for (const std::string& line : file.lines) {
      if (!IsCode(file) || !line.starts_with("#include \"")) continue;
      const std::string include = line.substr(10, line.find('"', 10) - 10);
      EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(GATEBOOK_SOURCE_DIR) / include))
          << file.path << ": " << line;
    }
  }
}

struct Home {
  const char* library;
  std::vector<std::string> prefixes;  // of includes
  std::set<std::string> folders;
};

TEST(Floors, ALibraryHasOneHome) {
  const std::vector<Home> homes = {
      {"OpenSSL's SSL API", {"openssl/ssl.h"}, {"tls"}},
      {"libevent", {"event.h", "event2/"}, {"net"}},
      {"c-ares", {"ares"}, {"net"}},
      {"hiredis", {"hiredis"}, {"logger"}},
      {"libmaxminddb", {"maxminddb"}, {"logger"}},
      {"toml++", {"toml"}, {"config"}},
      {"nghttp2", {"nghttp2/"}, {"http"}},
      {"cmark", {"cmark"}, {"proxy"}},
      {"libpsl", {"libpsl"}, {"review"}},
  };
  for (const SourceFile& file : AllFiles()) {
    if (file.folder == "tests" || file.folder == "bench") continue;
    for (const std::string& include : file.includes) {
      for (const Home& home : homes) {
        const bool uses = std::any_of(home.prefixes.begin(), home.prefixes.end(),
                                      [&](const std::string& prefix) { return include.starts_with(prefix); });
        if (uses) {
          EXPECT_TRUE(home.folders.contains(file.folder)) << file.path << " includes " << home.library;
        }
      }
    }
  }
}

}  // namespace
}  // namespace gatebook::architecture
