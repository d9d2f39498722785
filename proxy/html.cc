#include "proxy/html.h"

#include <fmt/format.h>

#include "base/html.h"

namespace gatebook::proxy {
namespace {

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;--ink:#1d2329;--quiet:#5b6670;--line:#d5dbe0;--link:#0b5cad;--paper:#fff}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e8eb;--quiet:#a0abb5;--line:#3a434b;--link:#7db7f0;--"
    "paper:#14181c}}"
    "body{max-width:44rem;margin:2.5rem auto;padding:0 1.25rem;background:var(--paper);color:var(--ink);"
    "font:1rem/1.6 system-ui,sans-serif;overflow-wrap:break-word}"
    "h1{font-size:1.7rem;line-height:1.25}h2{font-size:1.25rem;margin-top:2.2rem}h3{font-size:1.05rem}"
    "a{color:var(--link)}table{border-collapse:collapse;width:100%;display:block;overflow-x:auto}"
    "th,td{text-align:left;vertical-align:top;padding:.4rem .8rem .4rem 0;border-bottom:1px solid "
    "var(--line)}"
    "code{font-size:.92em}button{font:inherit;padding:.5rem 1rem;border:1px solid "
    "var(--line);border-radius:.4rem;"
    "background:var(--link);color:var(--paper);cursor:pointer}footer{margin-top:3rem;color:var(--quiet);font-"
    "size:.9rem}";

}  // namespace

std::string WholePage(std::string_view title, std::string_view body, std::string_view head) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n{}<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      base::EscapeHtml(title), head, kStyle, body);
}

}  // namespace gatebook::proxy
