#include "config/syslog_facility.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace gatebook::config {
namespace {

constexpr std::pair<std::string_view, unsigned> kFacilities[] = {
    {"user", 1},    {"daemon", 3},  {"auth", 4},    {"authpriv", 10}, {"local0", 16}, {"local1", 17},
    {"local2", 18}, {"local3", 19}, {"local4", 20}, {"local5", 21},   {"local6", 22}, {"local7", 23},
};

}  // namespace

std::optional<unsigned> SyslogFacility(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kFacilities), std::end(kFacilities),
                                         [&](const auto& row) { return row.first == name; });
  if (found == std::end(kFacilities)) return std::nullopt;
  return found->second;
}

}  // namespace gatebook::config
