#include "config/problem.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/inert.h"

namespace gatebook::config {
namespace {

constexpr size_t kMostShown = 100;

struct Palette {
  const char* bold = "";
  const char* red = "";
  const char* green = "";
  const char* reset = "";
};
constexpr Palette kPlain;
constexpr Palette kColors = {"\x1b[1m", "\x1b[1;31m", "\x1b[1;32m", "\x1b[0m"};

std::string Place(const Problem& problem) {
  if (problem.line == 0) return problem.file;
  return fmt::format("{}:{}:{}", problem.file, problem.line, problem.column);
}

std::string Render(const Problem& problem, const Palette& palette) {
  std::string text = fmt::format("{}{}:{} {}error:{} {}\n", palette.bold, Place(problem), palette.reset,
                                 palette.red, palette.reset, problem.message);
  const std::string number = std::to_string(problem.line);
  if (!problem.source_line.empty()) {
    const size_t after = CountCharacters(problem.source_line) -
                         std::min<size_t>(CountCharacters(problem.source_line), problem.caret);
    const size_t width = std::clamp<size_t>(problem.width, 1, std::max<size_t>(after, 1));
    text += fmt::format(" {} | {}\n", number, problem.source_line);
    text += fmt::format(" {:{}} | {:{}}{}^{:~<{}}{}\n", "", number.size(), "", problem.caret, palette.green,
                        "", width - 1, palette.reset);
  }
  if (!problem.hint.empty()) {
    const size_t indent = problem.source_line.empty() ? 1 : number.size() + 4;
    text += fmt::format("{:{}}{}\n", "", indent, problem.hint);
  }
  return text;
}

}  // namespace

std::string RenderProblems(const std::vector<Problem>& problems, bool color) {
  if (problems.empty()) return "";
  std::string text;
  const size_t shown = std::min(problems.size(), kMostShown);
  for (size_t i = 0; i < shown; ++i) text += Render(problems[i], color ? kColors : kPlain);
  if (shown < problems.size()) text += fmt::format("… and {} more\n", problems.size() - shown);
  text +=
      fmt::format("{} error{} in {}\n", problems.size(), problems.size() == 1 ? "" : "s", problems[0].file);
  return text;
}

}  // namespace gatebook::config
