// What can be checked of the style by reading the files.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/architecture/source_tree.h"

namespace gatebook::architecture {
namespace {

constexpr size_t kMostLines = 450;

TEST(Style, NoFileOfCodeIsLongerThanItsBound) {
  for (const SourceFile& file : AllFiles()) {
    if (!IsCode(file)) continue;
    EXPECT_LE(file.lines.size(), kMostLines) << file.path;
  }
}

TEST(Style, AHeaderOpensWithItsContractAndGuardsItself) {
  for (const SourceFile& file : AllFiles()) {
    if (!file.path.ends_with(".h")) continue;
    ASSERT_FALSE(file.lines.empty()) << file.path;
    EXPECT_TRUE(file.lines[0].starts_with("// ")) << file.path;
    EXPECT_NE(std::find(file.lines.begin(), file.lines.end(), "#pragma once"), file.lines.end()) << file.path;
  }
}

TEST(Style, NoFolderIsADrawerForEverything) {
  const std::set<std::string> drawers = {"util",    "utils", "common", "core",    "helper",
                                         "helpers", "misc",  "src",    "include", "lib"};
  for (const SourceFile& file : AllFiles()) {
    for (const std::filesystem::path& part : std::filesystem::path(file.path).parent_path()) {
      EXPECT_FALSE(drawers.contains(part.string())) << file.path;
    }
  }
}

TEST(Style, FoldersOfCodeAreNotNested) {
  const auto floors = Floors();
  for (const SourceFile& file : AllFiles()) {
    if (!floors.contains(file.folder)) continue;
    EXPECT_EQ(file.path.find('/', file.folder.size() + 1), std::string::npos) << file.path;
  }
}

TEST(Style, NothingNamesAPlaceOutsideTheTree) {
  // Spelled in two parts, so that this file does not find itself.
  const std::vector<std::string> places = {std::string("../") + "shared", std::string("/wo") + "rk/",
                                           std::string("/ro") + "ot/", std::string("/ho") + "me/"};
  for (const SourceFile& file : AllFiles()) {
    for (size_t i = 0; i < file.lines.size(); ++i) {
      for (const std::string& place : places) {
        EXPECT_EQ(file.lines[i].find(place), std::string::npos)
            << file.path << ":" << i + 1 << " names " << place;
      }
    }
  }
}

TEST(Style, NothingIsLeftToDoInTheCode) {
  const std::vector<std::string> marks = {std::string("TO") + "DO", std::string("FIX") + "ME",
                                          std::string("XX") + "X:", std::string("GTEST_") + "SKIP",
                                          std::string("DISABLED") + "_"};
  for (const SourceFile& file : AllFiles()) {
    if (!IsCode(file)) continue;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      for (const std::string& mark : marks) {
        EXPECT_EQ(file.lines[i].find(mark), std::string::npos) << file.path << ":" << i + 1;
      }
    }
  }
}

TEST(Style, ATestDoesNotSleep) {
  const std::vector<std::string> naps = {std::string("sleep_") + "for", std::string("sleep_") + "until",
                                         std::string("usle") + "ep(", std::string("nanosle") + "ep("};
  for (const SourceFile& file : AllFiles()) {
    if (file.folder != "tests" || !IsCode(file)) continue;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      for (const std::string& nap : naps) {
        EXPECT_EQ(file.lines[i].find(nap), std::string::npos) << file.path << ":" << i + 1;
      }
    }
  }
}

}  // namespace
}  // namespace gatebook::architecture
