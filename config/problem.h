// Problem: one thing that is wrong with a configuration file, with its place.
//
// All text in a Problem is inert (config/inert.h) and secrets in the source line
// are covered, so that it may be printed, logged or put into JSON as it is.
//
// Thread: values; any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gatebook::config {

struct Problem {
  std::string file;
  uint32_t line = 0;        // from 1; 0: the file as a whole
  uint32_t column = 0;      // from 1, in code points
  std::string message;      // a clause without a full stop
  std::string source_line;  // at most 120 characters around the place; empty: none to show
  uint32_t caret = 0;       // from 0: where in source_line the place is
  uint32_t width = 1;       // characters that the place spans
  std::string hint;         // "did you mean …?", or empty
};

// Each as "file:line:column: error: message", the source line, a caret and the
// hint; the last line counts them. Empty for no problems. `color`: for terminals only.
// Limits: the first 100 are shown, and how many more there are.
std::string RenderProblems(const std::vector<Problem>& problems, bool color);

}  // namespace gatebook::config
