// The page that visitors see of ours, whatever stands in it.
//
// Thread: any; pure.
#pragma once

#include <string>
#include <string_view>

namespace gatebook::proxy {

// A page with our style, which is light or dark as the reader's system is. `title`: plain text; `body`: HTML.
// `head`: more for the head, HTML.
std::string WholePage(std::string_view title, std::string_view body, std::string_view head = {});

}  // namespace gatebook::proxy
