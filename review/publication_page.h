// The page of a publication: one file of HTML that needs nothing else, and asks nobody for anything.
//
// Charts are drawn by Chart.js, which stands in the page; without JavaScript there are tables of the same
// figures. Its Content-Security-Policy allows the page's own scripts and style by their digests, and no
// connection at all.
//
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "review/publication.h"

namespace gatebook::review {

// `title`: of whom the statistics are, as plain text. `json_name`: the name of the file beside it.
std::string ToHtml(const Publication& publication, std::string_view title, std::string_view json_name);

// A list of the periods that stand in a directory, as "2026-11-27", "2026-W48", "2026-11".
std::string IndexHtml(const std::vector<Period>& periods, std::string_view title);

}  // namespace gatebook::review
