// Of each dimension a partition is told: named groups, and all others in one. Sources are divided twice,
// channels into sites, since a site lies in one channel only: were they two dimensions, a channel less its
// sites would show the site that was kept back. For the same reason a channel's figure is the sum of its
// parts as they are told, not a figure of its own.
//
// Cells of pages, hours and statuses overlap, as a session has many. Then "other" are the sessions that have
// any of the others.

#include "review/disclosure_control.h"

#include <algorithm>
#include <map>

namespace gatebook::review {
namespace {

void Unite(SessionSet& sessions) {
  std::sort(sessions.begin(), sessions.end());
  sessions.erase(std::unique(sessions.begin(), sessions.end()), sessions.end());
}

void Append(SessionSet& to, const SessionSet& sessions) {
  to.insert(to.end(), sessions.begin(), sessions.end());
}

}  // namespace

void SortRows(std::vector<FigureRow>& rows) {
  std::sort(rows.begin(), rows.end(), [](const FigureRow& a, const FigureRow& b) {
    if (a.IsOther() != b.IsOther()) return b.IsOther();
    return a.sessions != b.sessions ? a.sessions > b.sessions : a.value < b.value;
  });
}

// What is told of as one: a parent with its parts, or a single cell.
struct DisclosureControl::Group {
  FigureRow row;
  SessionSet sessions;
};

bool DisclosureControl::IsEnough(const SessionSet& sessions) const {
  uint64_t key = 0;
  SessionSet networks;
  networks.reserve(sessions.size());
  for (const uint32_t session : sessions) {
    key ^= day_.hash_of[session];
    networks.push_back(day_.network_of[session]);
  }
  std::sort(networks.begin(), networks.end());
  const auto distinct = static_cast<size_t>(std::unique(networks.begin(), networks.end()) - networks.begin());
  // Session ids are random: nobody but who has them all knows the key.
  const uint64_t limit = k_ + (key >> 32) % (k_ / 2 + 1);
  return distinct >= limit && sessions.size() >= limit && Rounded(sessions) > 0;
}

uint64_t DisclosureControl::Rounded(const SessionSet& sessions) const {
  const uint64_t count = uint64_t{sessions.size()} * day_.scale;
  return (count + round_ / 2) / round_ * round_;
}

void DisclosureControl::Complete(SessionSet& other, std::vector<Group>& groups) const {
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return a.sessions.size() != b.sessions.size() ? a.sessions.size() > b.sessions.size()
                                                  : a.row.value < b.row.value;
  });
  while (!other.empty() && !groups.empty() && !IsEnough(other)) {
    Append(other, groups.back().sessions);
    Unite(other);
    groups.pop_back();
  }
}

DisclosureControl::Group DisclosureControl::MakeGroup(const std::string& parent,
                                                      const std::vector<const Cell*>& cells) const {
  SessionSet all;
  SessionSet other;
  std::vector<Group> named;
  for (const Cell* cell : cells) {
    Append(all, cell->sessions);
    if (!cell->value.empty() && IsEnough(cell->sessions)) {
      named.push_back({{cell->value, Rounded(cell->sessions)}, cell->sessions});
    } else {
      Append(other, cell->sessions);
    }
  }
  Unite(all);
  Unite(other);
  Complete(other, named);
  Group group{{parent, 0}, std::move(all)};
  if (named.empty()) {
    group.row.sessions = Rounded(group.sessions);
    return group;
  }
  for (Group& part : named) group.row.parts.push_back(std::move(part.row));
  if (!other.empty()) group.row.parts.push_back({"", Rounded(other)});
  SortRows(group.row.parts);
  for (const FigureRow& part : group.row.parts) group.row.sessions += part.sessions;
  return group;
}

std::vector<FigureRow> DisclosureControl::Rows(const std::vector<Cell>& cells) const {
  // Groups by their names; without parents, each cell is one.
  std::map<std::string, std::vector<const Cell*>> by_name;
  for (const Cell& cell : cells) by_name[cell.parent.empty() ? cell.value : cell.parent].push_back(&cell);
  SessionSet other;
  std::vector<Group> named;
  for (const auto& [name, members] : by_name) {
    const bool has_parts = !members.front()->parent.empty();
    Group group = has_parts ? MakeGroup(name, members) : Group{{name, 0}, members.front()->sessions};
    if (!has_parts) group.row.sessions = Rounded(group.sessions);
    if (!name.empty() && IsEnough(group.sessions)) {
      named.push_back(std::move(group));
    } else {
      Append(other, group.sessions);
    }
  }
  Unite(other);
  Complete(other, named);
  std::vector<FigureRow> rows;
  for (Group& group : named) rows.push_back(std::move(group.row));
  if (!other.empty() && IsEnough(other)) rows.push_back({"", Rounded(other)});
  SortRows(rows);
  return rows;
}

}  // namespace gatebook::review
