// DeskQuestion: what a reader of the desk wants to see, taken from the parameters of a request and checked.
//
// Thread: values; pure functions. Limits: 500 visits a page, 10,000 an export.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "review/query.h"
#include "review/render.h"
#include "review/visits.h"

namespace gatebook::review {

struct DeskQuestion {
  enum class Kind : uint8_t { kVisits, kFigures, kSession, kAddress, kExport };
  // The last visit of the page before; without an edge: the moment up to which it was read.
  struct Cursor {
    base::WallTime arrival{};
    std::string edge;
    logger::VisitId id;
    auto operator<=>(const Cursor&) const = default;
  };

  Kind kind = Kind::kVisits;
  base::WallTime since{};
  base::WallTime until{};
  std::shared_ptr<const Query> where;  // null: everything
  std::string where_text;
  bool newest_first = true;
  std::optional<Cursor> cursor;
  size_t limit = 0;
  std::string session;           // kSession
  std::optional<base::Cidr> ip;  // kAddress
  Form format = Form::kJson;     // kExport
  bool is_whole = false;         // with a reason in the audit log: addresses and names are shown in full

  VisitsWanted Wanted() const;
  // For the audit log.
  std::string ToText() const;
};

using DeskParameters = std::map<std::string, std::string, std::less<>>;

// "visits", "figures", "session", "address", "export".
std::optional<DeskQuestion::Kind> DeskKindOf(std::string_view name);
// `since` and `until` as the commands take them; by default the last hour. An error is a reader's slip, and
// says it; of `where` in three lines (review/query.h).
base::Result<DeskQuestion> ParseDeskQuestion(DeskQuestion::Kind kind, const DeskParameters& parameters,
                                             bool is_whole, base::WallTime now,
                                             std::chrono::milliseconds retention);

DeskQuestion::Cursor CursorOf(const logger::StoredVisit& visit);
std::string ToText(const DeskQuestion::Cursor& cursor);

}  // namespace gatebook::review
