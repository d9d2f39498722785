// ProblemList: collects what is wrong with one text, so that all is told at once.
//
// Makes each message inert, cuts the source line around its place, and covers
// what looks like a secret in it: a password in a URL, the value of a key that
// is called like one.
//
// Thread: one. Borrows: the text, which must outlive the list.
// Limits: 1,000 problems; more are not kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "config/problem.h"

namespace gatebook::config {

class ProblemList {
 public:
  ProblemList(std::string path, std::string_view text);

  // A place whose line is 0 concerns the file as a whole. `hint` may be empty.
  void Add(const Place& place, std::string_view message, std::string_view hint = {});

  bool IsEmpty() const { return problems_.empty(); }
  bool IsFull() const;
  // In the order of the text. The list is empty afterwards.
  std::vector<Problem> Take();

 private:
  std::string_view LineAt(uint32_t line) const;

  std::string path_;
  std::string_view text_;
  std::vector<size_t> line_starts_;
  std::vector<Problem> problems_;
};

}  // namespace gatebook::config
