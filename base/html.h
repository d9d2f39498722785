// Html: text of anybody's in pages of ours.
//
// Thread: any; pure.
#pragma once

#include <string>
#include <string_view>

namespace gatebook::base {

// For text and quoted attributes; also right in XML.
std::string EscapeHtml(std::string_view text);

}  // namespace gatebook::base
