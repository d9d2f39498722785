#include "config/problem_list.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/ascii.h"
#include "config/inert.h"

namespace gatebook::config {
namespace {

constexpr size_t kMostProblems = 1000;
constexpr size_t kLongestPath = 400;     // characters
constexpr size_t kLongestMessage = 400;  // characters
constexpr uint32_t kWindow = 120;        // characters of a source line that are shown
constexpr uint32_t kBefore = 60;         // of them before the place, when the line is cut

bool NamesSecret(std::string_view key) {
  std::string lower = base::ToAsciiLower(key);
  while (!lower.empty() && (lower.back() == ' ' || lower.back() == '\t' || lower.back() == '"'))
    lower.pop_back();
  if (lower.ends_with("_file") || lower.ends_with("_files")) return false;
  for (std::string_view word : {"pass", "secret", "auth", "token", "credential"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

// One star a byte that begins a character, so that columns stay where they were.
void Cover(std::string& line, size_t begin, size_t end) {
  std::string covered;
  for (size_t i = begin; i < end; ++i) {
    if ((static_cast<uint8_t>(line[i]) & 0xC0) != 0x80) covered += '*';
  }
  line.replace(begin, end - begin, covered);
}

std::string CoverSecrets(std::string_view source) {
  std::string line(source);
  // key = value, also inside of an inline table: from the value to the end of the line.
  size_t key_begin = 0;
  for (size_t equals = line.find('='); equals != std::string::npos; equals = line.find('=', equals + 1)) {
    if (NamesSecret(std::string_view(line).substr(key_begin, equals - key_begin))) {
      const size_t value = line.find_first_not_of(' ', equals + 1);
      if (value != std::string::npos) Cover(line, value, line.size());
      return line;
    }
    key_begin = equals + 1;
  }
  // "set NAME: VALUE" of a header rule.
  for (const std::string_view action : {"set ", "add "}) {
    for (size_t at = line.find(action); at != std::string::npos; at = line.find(action, at + 1)) {
      const size_t colon = line.find(':', at);
      if (colon == std::string::npos) break;
      const std::string_view name = std::string_view(line).substr(at, colon - at);
      if (!NamesSecret(name) && base::ToAsciiLower(name).find("cookie") == std::string::npos) continue;
      Cover(line, colon + 1, line.size());
      return line;
    }
  }
  // scheme://user:password@host, where the last @ ends the password.
  const size_t scheme = line.find("://");
  if (scheme == std::string::npos) return line;
  const size_t colon = line.find(':', scheme + 3);
  const size_t at = line.rfind('@');
  if (colon != std::string::npos && at != std::string::npos && colon < at) Cover(line, colon + 1, at);
  return line;
}

// Fills source_line, caret and width of `problem` from the line it stands in.
void ShowLine(std::string_view source, uint32_t width, Problem& problem) {
  const std::string covered = CoverSecrets(source);
  std::string_view rest = covered;
  const uint32_t first = problem.column > kWindow - 20 ? problem.column - kBefore : 1;
  uint32_t shown = 0;
  if (first > 1) {
    problem.source_line = "…";
    shown = 1;
  }
  problem.width = 0;
  for (uint32_t column = 1; !rest.empty(); ++column) {
    const std::string next = TakeInert(rest);
    if (column < first) continue;
    if (shown >= kWindow) {
      problem.source_line += "…";
      break;
    }
    const auto characters = static_cast<uint32_t>(CountCharacters(next));
    if (column < problem.column) problem.caret = shown + characters;
    if (column >= problem.column && column < problem.column + width) problem.width += characters;
    problem.source_line += next;
    shown += characters;
  }
  problem.caret = std::max(problem.caret, first > 1 ? 1U : 0U);
  problem.width = std::max(problem.width, 1U);
}

}  // namespace

ProblemList::ProblemList(std::string path, std::string_view text)
    : path_(Inert(path, kLongestPath)), text_(text), line_starts_{0} {
  for (size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
  }
}

bool ProblemList::IsFull() const { return problems_.size() >= kMostProblems; }

void ProblemList::Add(const Place& place, std::string_view message, std::string_view hint) {
  if (IsFull()) return;
  Problem problem;
  problem.file = path_;
  problem.line = place.line;
  problem.column = place.column;
  problem.message = Inert(message, kLongestMessage);
  problem.hint = Inert(hint, kLongestMessage);
  ShowLine(LineAt(place.line), place.width, problem);
  problems_.push_back(std::move(problem));
}

std::vector<Problem> ProblemList::Take() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return std::exchange(problems_, {});
}

std::string_view ProblemList::LineAt(uint32_t line) const {
  if (line == 0 || line > line_starts_.size()) return {};
  const size_t begin = line_starts_[line - 1];
  const size_t end = line < line_starts_.size() ? line_starts_[line] - 1 : text_.size();
  std::string_view text = text_.substr(begin, end - begin);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace gatebook::config
