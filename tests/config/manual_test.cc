#include "config/manual.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "config/loader.h"

namespace gatebook::config {
namespace {

// The file in the tree holds `text`; with GATEBOOK_REGENERATE=1 it is written first.
void ExpectInTree(const std::string& name, const std::string& text) {
  const std::string path = std::string(GATEBOOK_SOURCE_DIR) + "/" + name;
  const char* regenerate = std::getenv("GATEBOOK_REGENERATE");
  if (regenerate != nullptr && std::string(regenerate) == "1") std::ofstream(path, std::ios::binary) << text;
  std::ifstream file(path, std::ios::binary);
  const std::string found((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_TRUE(found == text) << name
                             << " differs from config/option_table.cc; write it anew with\n"
                                "  GATEBOOK_REGENERATE=1 gatebook_config_tests --gtest_filter='Manual.*'";
}

TEST(Manual, TheDocumentationIsMadeFromTheTable) { ExpectInTree("docs/configuration.md", ManualMarkdown()); }

TEST(Manual, TheManPageIsMadeFromTheTable) { ExpectInTree("packaging/man/gatebook.toml.5", ManualPage()); }

TEST(Manual, TheExampleFileIsMadeFromTheTable) { ExpectInTree("packaging/gatebook.toml", ExampleFile()); }

TEST(Manual, TheExampleFileLoads) {
  const auto outcome = LoadText(ExampleFile(), "gatebook.toml", FileChecks::kOff);
  EXPECT_TRUE(outcome.ok()) << RenderProblems(outcome.problems, false);
}

TEST(Manual, TheExampleFileLoadsWithAllItsCommentsTakenIn) {
  std::string text;
  const std::string example = ExampleFile();
  for (size_t i = 0; i < example.size(); ++i) {
    const bool begins_line = i == 0 || example[i - 1] == '\n';
    if (begins_line && example[i] == '#' && example[i + 1] != ' ') continue;
    text += example[i];
  }
  const auto outcome = LoadText(text, "gatebook.toml", FileChecks::kOff);
  EXPECT_TRUE(outcome.ok()) << RenderProblems(outcome.problems, false);
}

}  // namespace
}  // namespace gatebook::config
