#include "review/desk_page.h"

#include <algorithm>

#include "review/assets.h"

namespace gatebook::review {
namespace {

constexpr std::string_view kScript = "text/javascript; charset=utf-8";

struct File {
  std::string_view path;
  std::string_view content_type;
  std::string_view (*text)();
};
constexpr File kFiles[] = {
    {"/desk/", "text/html; charset=utf-8", DeskPage},
    {"/desk/icon.svg", "image/svg+xml", DeskIcon},
    {"/desk/style.css", "text/css; charset=utf-8", DeskStyle},
    {"/desk/chart.js", kScript, ChartLibrary},
    {"/desk/app.js", kScript, DeskApp},
    {"/desk/charts.js", kScript, DeskCharts},
    {"/desk/dom.js", kScript, DeskDom},
    {"/desk/health.js", kScript, DeskHealth},
    {"/desk/overview.js", kScript, DeskOverview},
    {"/desk/requests.js", kScript, DeskRequests},
    {"/desk/stories.js", kScript, DeskStories},
    {"/desk/view.js", kScript, DeskView},
    {"/desk/visits.js", kScript, DeskVisits},
};

}  // namespace

DeskAnswer DeskFile(std::string_view path) {
  const auto found = std::find_if(std::begin(kFiles), std::end(kFiles),
                                  [path](const File& file) { return file.path == path; });
  if (found == std::end(kFiles)) return DeskError(404, "nothing is here; the desk is at /desk/");
  return {200, std::string(found->content_type), std::string(found->text())};
}

}  // namespace gatebook::review
