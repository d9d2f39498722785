// Markdown: CommonMark text to HTML that can't act: raw HTML in it and links to scripts are left out.
//
// Thread: any; pure.
#pragma once

#include <string>
#include <string_view>

namespace gatebook::proxy {

struct Markdown {
  std::string html;
  std::string title;  // text of the first heading; empty: there is none
};

// Invalid UTF-8 becomes U+FFFD.
Markdown RenderMarkdown(std::string_view text);

}  // namespace gatebook::proxy
