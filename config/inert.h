// Text of unknown origin made harmless for a terminal, a log line and JSON.
//
// Control characters (C0, DEL, C1), line and paragraph separators and the
// characters that turn the direction of writing become \u{…}; bytes that are not
// UTF-8 become \x…. What comes out is valid UTF-8 and one line.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gatebook::config {

// One code point (or one bad byte) taken off the front of `text`, in inert form.
// Requires: `text` is not empty.
std::string TakeInert(std::string_view& text);

// At most `most` characters of `text`; "…" stands for what was cut off.
std::string Inert(std::string_view text, size_t most);

// Where the first byte stands that is not part of valid UTF-8, if there is one.
std::optional<size_t> FindNotUtf8(std::string_view text);

// The number of code points in text that is valid UTF-8.
size_t CountCharacters(std::string_view text);

}  // namespace gatebook::config
