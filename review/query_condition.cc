#include "review/query_condition.h"

#include <algorithm>

#include "review/discreet.h"

namespace gatebook::review {
namespace {

using logger::StoredVisit;
using namespace std::chrono_literals;

constexpr int kWholeAddress = 128;  // bits

template <typename Value>
bool InOrder(const Value& a, Order order, const Value& b) {
  switch (order) {
    case Order::kEqual:
      return a == b;
    case Order::kUnequal:
      return a != b;
    case Order::kLess:
      return a < b;
    case Order::kAtMost:
      return a <= b;
    case Order::kMore:
      return a > b;
    case Order::kAtLeast:
      return a >= b;
  }
  return false;
}

// Of two sets of which a visit must be in each, the smaller says more about where to look.
template <typename Set>
void Narrow(std::optional<Set>& set, std::optional<Set> other) {
  if (other && (!set || other->size() < set->size())) set = std::move(other);
}

template <typename Set>
void Widen(std::optional<Set>& set, const std::optional<Set>& other) {
  if (set && other) {
    set->insert(set->end(), other->begin(), other->end());
  } else {
    set.reset();
  }
}

}  // namespace

void QueryNeeds::And(QueryNeeds other) {
  since = std::max(since, other.since);
  until = std::min(until, other.until);
  Narrow(addresses, std::move(other.addresses));
  Narrow(sessions, std::move(other.sessions));
}

void QueryNeeds::Or(const QueryNeeds& other) {
  since = std::min(since, other.since);
  until = std::max(until, other.until);
  Widen(addresses, other.addresses);
  Widen(sessions, other.sessions);
}

bool AllOf::Holds(const StoredVisit& visit) const {
  return std::all_of(parts.begin(), parts.end(),
                     [&](const ConditionPtr& part) { return part->Holds(visit); });
}

QueryNeeds AllOf::Needs() const {
  QueryNeeds needs;
  for (const ConditionPtr& part : parts) needs.And(part->Needs());
  return needs;
}

bool AnyOf::Holds(const StoredVisit& visit) const {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const ConditionPtr& part) { return part->Holds(visit); });
}

QueryNeeds AnyOf::Needs() const {
  QueryNeeds needs = parts.front()->Needs();
  for (size_t i = 1; i < parts.size(); ++i) needs.Or(parts[i]->Needs());
  return needs;
}

std::string_view SeenText::Of(const StoredVisit& visit, std::string& scratch) const {
  if (!discreet || field != Field::kDns || visit.dns.empty()) return TextOf(visit, field, scratch);
  const auto address = base::IpAddress::Parse(visit.ip);
  if (address && address->IsLoopback()) return visit.dns;
  scratch = DomainOf(visit.dns);
  return scratch;
}

bool TextIs::Holds(const StoredVisit& visit) const {
  std::string scratch;
  return InOrder(text.Of(visit, scratch), order, std::string_view(value));
}

QueryNeeds TextIs::Needs() const {
  QueryNeeds needs;
  if (text.field != Field::kSession || order != Order::kEqual) return needs;
  if (const auto session = logger::ParseSessionId(value)) needs.sessions = {*session};
  return needs;
}

bool Pattern::Holds(const StoredVisit& visit) const {
  std::string scratch;
  const std::string_view in = text.Of(visit, scratch);
  return RE2::PartialMatch(re2::StringPiece(in.data(), in.size()), *expression);
}

bool NumberIs::Holds(const StoredVisit& visit) const { return InOrder(NumberOf(visit, field), order, value); }

bool TimeIs::Holds(const StoredVisit& visit) const { return InOrder(visit.arrival, order, value); }

QueryNeeds TimeIs::Needs() const {
  QueryNeeds needs;
  if (order == Order::kEqual || order == Order::kAtLeast) needs.since = value;
  if (order == Order::kMore) needs.since = value + 1ms;
  if (order == Order::kEqual || order == Order::kAtMost) needs.until = value + 1ms;
  if (order == Order::kLess) needs.until = value;
  return needs;
}

bool AddressIn::Holds(const StoredVisit& visit) const {
  const auto address = base::IpAddress::Parse(visit.ip);
  return address && network.Contains(*address);
}

QueryNeeds AddressIn::Needs() const {
  QueryNeeds needs;
  if (network.bits() == kWholeAddress) needs.addresses = {network.address()};
  return needs;
}

}  // namespace gatebook::review
