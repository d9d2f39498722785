#include "review/top_values.h"

#include <algorithm>

namespace gatebook::review {

void TopValues::Count(std::string_view value, uint64_t session) {
  auto found = cells_.find(value);
  if (found == cells_.end()) {
    if (cells_.size() >= bound_) LetHalfGo();
    found = cells_.try_emplace(std::string(value)).first;
    found->second.missed = let_go_;
  }
  ++found->second.visits;
  found->second.sessions.Add(session);
}

void TopValues::LetHalfGo() {
  std::vector<uint64_t> most;  // how often each may have come
  most.reserve(cells_.size());
  for (const auto& [value, cell] : cells_) most.push_back(cell.visits + cell.missed);
  const auto middle = most.begin() + static_cast<ptrdiff_t>((most.size() - 1) / 2);
  std::nth_element(most.begin(), middle, most.end());
  // Of those that came as often as the middle one, some go and some stay: at least one goes.
  size_t to_go = cells_.size() - bound_ / 2;
  for (const bool equal : {false, true}) {
    for (auto cell = cells_.begin(); cell != cells_.end() && to_go > 0;) {
      const uint64_t came = cell->second.visits + cell->second.missed;
      if (equal ? came == *middle : came < *middle) {
        let_go_ = std::max(let_go_, came);
        cell = cells_.erase(cell);
        --to_go;
      } else {
        ++cell;
      }
    }
  }
}

std::vector<TopValues::Row> TopValues::Rows(size_t most) const {
  std::vector<const std::pair<const std::string, Cell>*> order;
  order.reserve(cells_.size());
  for (const auto& cell : cells_) order.push_back(&cell);
  const size_t rows = std::min(most, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(rows), order.end(),
                    [](const auto* a, const auto* b) {
                      return a->second.visits != b->second.visits ? a->second.visits > b->second.visits
                                                                  : a->first < b->first;
                    });
  std::vector<Row> result;
  result.reserve(rows);
  for (size_t i = 0; i < rows; ++i) {
    const auto& [value, cell] = *order[i];
    result.push_back({value, cell.visits, cell.missed, cell.sessions.Count(), cell.sessions.StandardError()});
  }
  return result;
}

}  // namespace gatebook::review
