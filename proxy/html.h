// Html: the few things that pages of ours have in common.
//
// Thread: any; pure.
#pragma once

#include <string>
#include <string_view>

namespace gatebook::proxy {

// For text and quoted attributes; also right in XML.
std::string EscapeHtml(std::string_view text);

// A page with our style, which is light or dark as the reader's system is. `title`: plain text; `body`: HTML.
// `head`: more for the head, HTML.
std::string WholePage(std::string_view title, std::string_view body, std::string_view head = {});

}  // namespace gatebook::proxy
