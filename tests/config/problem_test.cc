// Golden outputs: tests/golden/config/<name>.toml gives <name>.txt, byte for byte.
#include "config/problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "config/loader.h"

namespace gatebook::config {
namespace {

const std::filesystem::path kGolden = std::filesystem::path(GATEBOOK_SOURCE_DIR) / "tests/golden/config";

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

std::vector<std::filesystem::path> Inputs() {
  std::vector<std::filesystem::path> inputs;
  for (const auto& entry : std::filesystem::directory_iterator(kGolden)) {
    if (entry.path().extension() == ".toml") inputs.push_back(entry.path());
  }
  std::sort(inputs.begin(), inputs.end());
  return inputs;
}

std::string Render(const std::filesystem::path& input, bool color) {
  return RenderProblems(LoadText(ReadFile(input), input.filename(), FileChecks::kOff).problems, color);
}

TEST(Problem, EveryGoldenInputIsToldAsWritten) {
  const char* regenerate = std::getenv("GATEBOOK_REGENERATE");
  ASSERT_FALSE(Inputs().empty());
  for (auto path : Inputs()) {
    const std::string told = Render(path, false);
    path.replace_extension(".txt");
    if (regenerate != nullptr && std::string(regenerate) == "1")
      std::ofstream(path, std::ios::binary) << told;
    EXPECT_EQ(told, ReadFile(path))
        << path << "\nwrite it anew with\n"
        << "  GATEBOOK_REGENERATE=1 gatebook_config_tests --gtest_filter='Problem.*'";
  }
}

TEST(Problem, WhatIsToldIsInertOnATerminal) {
  for (const auto& path : Inputs()) {
    for (char c : Render(path, false)) {
      ASSERT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << path;
      ASSERT_NE(c, 0x7f) << path;
    }
  }
}

TEST(Problem, ColorsSayTheSame) {
  for (const auto& path : Inputs()) {
    std::string plain;
    const std::string colored = Render(path, true);
    EXPECT_NE(colored, Render(path, false));
    for (size_t i = 0; i < colored.size(); ++i) {
      if (colored[i] == '\x1b') {
        i = colored.find('m', i);
      } else {
        plain += colored[i];
      }
    }
    EXPECT_EQ(plain, Render(path, false));
  }
}

TEST(Problem, TheFirstHundredAreShownAndTheRestCounted) {
  std::vector<Problem> problems(130);
  for (Problem& problem : problems) problem = {"f", 1, 1, "m", "", 0, 1, ""};
  const std::string text = RenderProblems(problems, false);
  EXPECT_NE(text.find("… and 30 more\n130 errors in f\n"), std::string::npos);
  EXPECT_EQ(RenderProblems({}, false), "");
}

}  // namespace
}  // namespace gatebook::config
