// What pages carry in themselves, as it was when gatebook was built: nothing is fetched when they are read.
//
// Thread: const; any. The texts are made into the program by cmake/embed.cmake.
#pragma once

#include <string_view>

namespace gatebook::review {

// Chart.js (MIT licence, stated in its first lines), as Debian packages it.
std::string_view ChartLibrary();
// review/statistics_page.css and .js.
std::string_view StatisticsPageStyle();
std::string_view StatisticsPageScript();

}  // namespace gatebook::review
