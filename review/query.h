// Query: the language of --where (docs/querying.md).
//
//   status >= 400 and country = FI and not path ~ "^/health"
//   ip in (10.0.0.0/8, 2001:db8::/32) or dns_check != confirmed
//   session_new and duration_us > 500ms and time >= -90m
//
// Fields are those of review/visit_fields.h. Operators: = != < <= > >= ~ !~, in (…),
// not in (…), and, or, not, parentheses. Values are bare words or in single or double
// quotes, in which a backslash makes the next quote or backslash itself. An address is compared
// as a network (10.0.0.0/8), a time as RFC 3339, "now" or so long before it (-90m), bytes and durations also
// with units (1MiB, 500ms). ~ is a regular expression, found anywhere in the text, matched in time linear
// to it (RE2): a search must not become a way to stop the searcher.
//
// A discreet query asks no more than what is shown without a reason (review/discreet.h): conditions on
// addresses that are finer are refused, and those on names see the domain.
//
// Thread: a parsed query may be used by any. Limits: 4,096 bytes, 32 levels, 16 regular expressions of
// 256 KiB each.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "logger/visit_record.h"

namespace gatebook::review {

// How a query is read.
struct QueryReading {
  base::WallTime now = base::Clock::System().WallNow();
  bool discreet = false;
  // Of a discreet one: how what it may not ask could be asked, for the error.
  std::string_view instead = "--reveal --reason TEXT";
  std::string_view called = "--where";  // where the text stands, for the error
};

struct QueryProblem {
  std::string what;  // a clause
  size_t place = 0;  // in the text, in bytes
};

// What a visit must be like for the query to hold, as far as it says where to look for it.
struct QueryNeeds {
  base::WallTime since = base::WallTime::min();  // of the arrival: since <= arrival < until
  base::WallTime until = base::WallTime::max();
  // One of these; nothing: any.
  std::optional<std::vector<base::IpAddress>> addresses = {};
  std::optional<std::vector<logger::SessionId>> sessions = {};

  // Of both together, and of one or the other.
  void And(QueryNeeds other);
  void Or(const QueryNeeds& other);
};

class Query {
 public:
  // Empty text matches everything. An error has three lines: what is wrong, the text around the place, and a
  // caret under it; its exit code is ExitCode::kUsage.
  static base::Result<Query> Parse(std::string_view text, const QueryReading& reading = {});
  // Likewise, for who shows problems in another way.
  static std::optional<Query> Parse(std::string_view text, const QueryReading& reading,
                                    QueryProblem* problem);
  // Holds where both hold.
  static Query Both(Query a, Query b);

  Query(Query&&) noexcept;
  Query& operator=(Query&&) noexcept;
  ~Query();

  // Wants the visit as it is stored, also if the query is discreet.
  bool Matches(const logger::StoredVisit& visit) const;
  QueryNeeds Needs() const;

  class Condition;

 private:
  explicit Query(std::unique_ptr<Condition> condition);
  std::unique_ptr<Condition> condition_;  // null: everything
};

}  // namespace gatebook::review
