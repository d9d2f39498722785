// Query: the language of --where.
//
//   status >= 400 and country = FI and not path ~ "^/health"
//   ip in (10.0.0.0/8, 2001:db8::/32) or dns_check != confirmed
//   session_new and duration_us > 500ms
//
// Fields are those of review/visit_fields.h. Operators: = != < <= > >= ~ !~, in (…),
// not in (…), and, or, not, parentheses. Values are bare words or in single or double
// quotes, in which a backslash makes the next character itself. An address is compared
// as a network (10.0.0.0/8), a time as RFC 3339, bytes and durations also with units
// (1MiB, 500ms). ~ is a regular expression, found anywhere in the text, matched in time linear
// to it (RE2): a search must not become a way to stop the searcher.
//
// Thread: a parsed query may be used by any. Limits: 4,096 bytes, 32 levels, 1 MiB a regular expression.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "logger/visit_record.h"

namespace gatebook::review {

class Query {
 public:
  // Empty text matches everything. An error has three lines: what is wrong, the text, and a caret
  // under the place; its exit code is ExitCode::kUsage.
  static base::Result<Query> Parse(std::string_view text);

  Query(Query&&) noexcept;
  Query& operator=(Query&&) noexcept;
  ~Query();

  bool Matches(const logger::StoredVisit& visit) const;

  class Condition;

 private:
  Query();
  std::unique_ptr<Condition> condition_;  // null: everything
};

}  // namespace gatebook::review
