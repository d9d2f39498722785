// The desk's own files: the page, its script in parts, its style, the chart library.
//
// Thread: const; any.
#pragma once

#include <string_view>

#include "review/desk_http.h"

namespace gatebook::review {

// What stands at a path under /desk/; 404 where nothing does.
DeskAnswer DeskFile(std::string_view path);

}  // namespace gatebook::review
