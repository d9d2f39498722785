#include "config/nearest.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace gatebook::config {
namespace {

constexpr size_t kLongestName = 64;

// Optimal string alignment distance. Requires: both at most kLongestName long.
size_t Distance(std::string_view a, std::string_view b) {
  using Row = std::array<size_t, kLongestName + 1>;
  Row before{};  // row i - 2
  Row above{};   // row i - 1
  Row row{};
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = above;
    above = row;
  }
  return above[b.size()];
}

}  // namespace

std::optional<std::string_view> Nearest(std::string_view name, std::span<const std::string_view> known) {
  if (name.empty() || name.size() > kLongestName) return std::nullopt;
  std::optional<std::string_view> nearest;
  size_t least = SIZE_MAX;
  for (std::string_view candidate : known) {
    if (candidate.size() > kLongestName) continue;
    const size_t distance = Distance(name, candidate);
    const size_t allowed = std::max<size_t>(1, std::max(name.size(), candidate.size()) / 3);
    if (distance > allowed || distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace gatebook::config
