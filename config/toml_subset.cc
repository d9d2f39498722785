#include "config/toml_subset.h"

#include <optional>

#include "config/inert.h"

namespace gatebook::config {
namespace {

constexpr size_t kMostDotsInLine = 512;

struct Fault {
  size_t at;  // byte of the line
  const char* message;
};

// Where the string that opens at `open` ends: behind its closing quote, or at the
// end of the line when there is none (which the library tells).
size_t EndOfString(std::string_view line, size_t open) {
  const char quote = line[open];
  for (size_t at = open + 1; at < line.size(); ++at) {
    if (line[at] == quote) return at + 1;
    if (line[at] == '\\' && quote == '"') ++at;
  }
  return line.size();
}

// Elsewhere the library takes what begins with a quotation mark for the rest of a bare word.
bool MayComeBeforeString(char c) { return std::string_view(" \t=[,{.").find(c) != std::string_view::npos; }

std::optional<Fault> FaultOf(std::string_view line) {
  if (const auto bad = FindNotUtf8(line)) return Fault{*bad, "a byte that is not UTF-8"};
  size_t dots = 0;
  for (size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (c == '#') return std::nullopt;
    if (c == '"' || c == '\'') {
      if (at > 0 && !MayComeBeforeString(line[at - 1])) {
        return Fault{at, "a quotation mark in the middle of a word"};
      }
      if (at + 2 < line.size() && line[at + 1] == c && line[at + 2] == c) {
        return Fault{at, "a string stands on one line: it opens with one quotation mark, not with three"};
      }
      at = EndOfString(line, at) - 1;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      return Fault{at, "other than ASCII stands in strings and comments only"};
    } else if (c == '.' && ++dots > kMostDotsInLine) {
      return Fault{at, "more than 512 dots in one line"};
    }
  }
  return std::nullopt;
}

}  // namespace

bool IsTomlSubset(std::string_view text, ProblemList& problems) {
  for (uint32_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (const auto fault = FaultOf(line)) {
      Place place;
      place.line = number;
      place.column = 1 + static_cast<uint32_t>(CountCharacters(line.substr(0, fault->at)));
      problems.Add(place, fault->message);
      return false;
    }
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
  }
  return true;
}

}  // namespace gatebook::config
