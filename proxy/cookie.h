// Cookies in a Cookie field's value (RFC 6265 §4.2, §5.4): finding one, and taking one out.
//
// A value is read as servers read it: split at every ';', also inside quotes,
// white space around each pair ignored, name before the first '='. Names are
// case-sensitive.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/buffer.h"

namespace gatebook::proxy {

struct CookieMatch {
  size_t count = 0;        // pairs of that name
  std::string_view value;  // of the first
};
CookieMatch FindCookie(std::string_view field_value, std::string_view name);

// Appends the field's value without the cookies of that name, all else byte for byte. False, and
// nothing appended, if nothing is left: the field is to be dropped.
bool AppendWithoutCookie(base::Buffer& out, std::string_view field_value, std::string_view name);

}  // namespace gatebook::proxy
