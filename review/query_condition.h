// Conditions: the nodes of a parsed query.
//
// Thread: const; any.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <vector>

#include "review/query.h"
#include "review/visit_fields.h"

namespace gatebook::review {

class Query::Condition {
 public:
  virtual ~Condition() = default;
  virtual bool Holds(const logger::StoredVisit& visit) const = 0;
  virtual QueryNeeds Needs() const { return {}; }
};
using ConditionPtr = std::unique_ptr<Query::Condition>;

struct AllOf final : Query::Condition {
  std::vector<ConditionPtr> parts;
  bool Holds(const logger::StoredVisit& visit) const override;
  QueryNeeds Needs() const override;
};

struct AnyOf final : Query::Condition {
  std::vector<ConditionPtr> parts;
  bool Holds(const logger::StoredVisit& visit) const override;
  QueryNeeds Needs() const override;
};

struct Not final : Query::Condition {
  ConditionPtr part;
  bool Holds(const logger::StoredVisit& visit) const override { return !part->Holds(visit); }
};

enum class Order { kEqual, kUnequal, kLess, kAtMost, kMore, kAtLeast };

// A text of a visit, as a query sees it.
struct SeenText {
  Field field{};
  bool discreet = false;  // of a name only the domain

  std::string_view Of(const logger::StoredVisit& visit, std::string& scratch) const;
};

struct TextIs final : Query::Condition {
  SeenText text;
  Order order{};
  std::string value;
  bool Holds(const logger::StoredVisit& visit) const override;
  QueryNeeds Needs() const override;
};

struct Pattern final : Query::Condition {
  SeenText text;
  std::unique_ptr<RE2> expression;
  bool Holds(const logger::StoredVisit& visit) const override;
};

struct NumberIs final : Query::Condition {
  Field field{};
  Order order{};
  uint64_t value = 0;
  bool Holds(const logger::StoredVisit& visit) const override;
};

struct TimeIs final : Query::Condition {
  Order order{};
  base::WallTime value;
  bool Holds(const logger::StoredVisit& visit) const override;
  QueryNeeds Needs() const override;
};

struct FlagIs final : Query::Condition {
  Field field{};
  bool value = true;
  bool Holds(const logger::StoredVisit& visit) const override { return FlagOf(visit, field) == value; }
};

struct AddressIn final : Query::Condition {
  base::Cidr network;
  bool Holds(const logger::StoredVisit& visit) const override;
  QueryNeeds Needs() const override;
};

}  // namespace gatebook::review
