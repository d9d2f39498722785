// DisclosureControl: which figures of a counted day may be told, and how.
//
//   - A figure stands for at least k sessions of at least k networks. What has fewer is added to "other";
//     if that is then still too small, the smallest named figures follow until it is not. So nothing that is
//     kept back can be computed as what is missing from a sum.
//   - The limit is not sharp: it lies between k and 1.5 k, by the sessions themselves, so that a figure which
//     is missing tells nobody that there were k - 1.
//   - Figures are multiples of `round`. With as few sessions of a network as DaySample takes, fewer than k
//     networks never make up one step, and no difference of two figures shows them.
//
// Thread: const; any. Borrows: the day.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "review/day_sample.h"

namespace gatebook::review {

struct FigureRow {
  std::string value;  // empty: all others
  uint64_t sessions = 0;
  std::vector<FigureRow> parts = {};  // their figures add up to this one's

  bool IsOther() const { return value.empty(); }
  bool operator==(const FigureRow&) const = default;
};

// Greatest first, all others last.
void SortRows(std::vector<FigureRow>& rows);

class DisclosureControl {
 public:
  // Requires: k of at least 2, round of at least 2 k.
  DisclosureControl(const CountedDay& day, uint32_t k, uint32_t round) : day_(day), k_(k), round_(round) {}

  // Whether it is large enough to be told.
  bool IsEnough(const SessionSet& sessions) const;
  uint64_t Rounded(const SessionSet& sessions) const;

  // The figures of one dimension, greatest first, all others last; empty if not even all together are enough.
  std::vector<FigureRow> Rows(const std::vector<Cell>& cells) const;

 private:
  struct Group;
  Group MakeGroup(const std::string& parent, const std::vector<const Cell*>& cells) const;
  // Adds the smallest of `groups` to `other` until that is enough or empty.
  void Complete(SessionSet& other, std::vector<Group>& groups) const;

  const CountedDay& day_;
  const uint32_t k_;
  const uint32_t round_;
};

}  // namespace gatebook::review
