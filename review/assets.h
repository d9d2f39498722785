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
// review/desk_page.html and .css, desk_icon.svg, and the desk's script: review/desk_*.js.
std::string_view DeskPage();
std::string_view DeskIcon();
std::string_view DeskStyle();
std::string_view DeskApp();
std::string_view DeskCharts();
std::string_view DeskDom();
std::string_view DeskHealth();
std::string_view DeskOverview();
std::string_view DeskRequests();
std::string_view DeskStories();
std::string_view DeskView();
std::string_view DeskVisits();

}  // namespace gatebook::review
