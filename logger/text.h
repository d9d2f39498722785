// CleanText: bytes from strangers, made harmless to keep and to print.
//
// What comes out is valid UTF-8 without control characters and without the
// format characters that hide or reorder text (bidi overrides, zero-width
// marks, tags), so that it is inert in a terminal, a log line and a page.
// What is taken away stays visible: \x1b for a control character or a byte that is
// not UTF-8, \u202e for a hidden character. The backslash itself is not escaped: the
// result is for reading, not for getting the bytes back. Quotes, < and & are
// text; whoever writes JSON, CSV or HTML escapes for that format.
//
// Thread: any; pure. Cost: some 10 ns for 100 bytes of printable ASCII.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace gatebook::logger {

// Returns a prefix of `raw` itself when nothing has to be changed, else a view of `out`.
// At most `most` octets, and at most out.size() once `out` is needed; cut at a character's
// border (an escape is never cut). `out` must not overlap `raw`.
std::string_view CleanText(std::string_view raw, size_t most, std::span<char> out);

// One UTF-8 character (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF).
struct Utf8Character {
  uint32_t code = 0;
  size_t size = 0;  // octets; 0: `text` does not begin with a whole character
};
// Requires: !text.empty().
Utf8Character ReadUtf8(std::string_view text);

}  // namespace gatebook::logger
