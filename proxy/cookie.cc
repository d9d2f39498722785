#include "proxy/cookie.h"

#include <algorithm>

#include "base/ascii.h"

namespace gatebook::proxy {
namespace {

// Cuts the next pair off the front, without its ';'.
std::string_view NextPair(std::string_view& rest) {
  const size_t end = rest.find(';');
  const std::string_view pair = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return pair;
}

bool HasName(std::string_view pair, std::string_view name) {
  return base::TrimOws(pair.substr(0, pair.find('='))) == name;
}

}  // namespace

CookieMatch FindCookie(std::string_view field_value, std::string_view name) {
  CookieMatch match;
  // Hardly any pair is worth cutting out if the name stands nowhere.
  if (field_value.find(name) == std::string_view::npos) return match;
  while (!field_value.empty()) {
    const std::string_view pair = NextPair(field_value);
    if (!HasName(pair, name)) continue;
    const size_t equals = pair.find('=');
    if (match.count++ == 0 && equals != std::string_view::npos)
      match.value = base::TrimOws(pair.substr(equals + 1));
  }
  return match;
}

bool AppendWithoutCookie(base::Buffer& out, std::string_view field_value, std::string_view name) {
  if (FindCookie(field_value, name).count == 0) {
    out.Append(field_value);
    return !field_value.empty();
  }
  bool something = false;
  for (bool more = true; more;) {
    more = field_value.find(';') != std::string_view::npos;
    std::string_view pair = NextPair(field_value);
    if (HasName(pair, name)) continue;
    if (something) {
      out.Append(";");
    } else {
      // White space in front of the first pair belonged to what stood before it.
      pair.remove_prefix(std::min(pair.find_first_not_of(" \t"), pair.size()));
      if (pair.empty()) continue;
    }
    out.Append(pair);
    something = true;
  }
  return something;
}

}  // namespace gatebook::proxy
