// The part of TOML that a configuration may be written in.
//
// The TOML library is shown nothing that it can't take: it recurses once for each
// part of a dotted key, and its test for white space is undefined for other than
// ASCII (3.3). Both matter outside of strings and comments only. So:
// - the text is UTF-8, and other than ASCII stands in strings and comments;
// - a string stands on one line ("""…""" and '''…''' are refused: no option takes
//   a line break, and without them every line can be judged by itself) and begins
//   where a word could;
// - a line has at most 512 dots outside of strings and comments.
//
// Thread: any.
#pragma once

#include <string_view>

#include "config/problem_list.h"

namespace gatebook::config {

// False when the text goes beyond that; the first such place is then in `problems`.
bool IsTomlSubset(std::string_view text, ProblemList& problems);

}  // namespace gatebook::config
