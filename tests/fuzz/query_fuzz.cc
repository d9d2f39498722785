// Queries of any text: each is read or refused with one place in it, and means the same however it is put.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/rfc3339.h"
#include "logger/text.h"
#include "review/discreet.h"
#include "review/query.h"

namespace {

using namespace gatebook;

logger::StoredVisit SomeVisit() {
  logger::StoredVisit visit;
  visit.edge = "edge1";
  visit.id = {2, 1'795'435'200'000, 5};
  visit.arrival = *base::ParseRfc3339("2026-11-23T12:00:00Z");
  visit.session = "AQIDAAAAAAAAAAAAAAAAAA";
  visit.ip = "203.0.113.9";
  visit.dns = "host.example.net";
  visit.country = "FI";
  visit.path = "/cart/items";
  visit.status = 404;
  return visit;
}

// What the index leaves out must not be what the query wants.
void CheckNeeds(const review::Query& query, const logger::StoredVisit& visit) {
  if (!query.Matches(visit)) return;
  const review::QueryNeeds needs = query.Needs();
  CHECK(needs.since <= visit.arrival && visit.arrival < needs.until);
  const auto has = [](const auto& set, const auto& one) {
    return !set || std::find(set->begin(), set->end(), one) != set->end();
  };
  CHECK(has(needs.addresses, *base::IpAddress::Parse(visit.ip)));
  CHECK(has(needs.sessions, *logger::ParseSessionId(visit.session)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static const logger::StoredVisit visit = SomeVisit();
  const review::QueryReading reading{.now = visit.arrival};

  review::QueryProblem problem;
  const auto query = review::Query::Parse(input, reading, &problem);
  const auto said = review::Query::Parse(input, reading);
  CHECK(query.has_value() == said.ok());
  if (!query) {
    CHECK(!problem.what.empty() && problem.place <= input.size());
    // The error is for a terminal: three lines, whatever was typed.
    std::string text = said.error().message;
    CHECK(std::count(text.begin(), text.end(), '\n') == 2);
    std::replace(text.begin(), text.end(), '\n', ' ');
    std::string out(text.size() * 8, '\0');
    CHECK(logger::CleanText(text, out.size(), out) == text);
    return 0;
  }
  CheckNeeds(*query, visit);
  const std::string twice = "not (not (" + std::string(input) + "))";
  if (input.find_first_not_of(" \t\r\n") != std::string_view::npos) {
    const auto again = review::Query::Parse(twice, reading, &problem);
    if (again) CHECK(again->Matches(visit) == query->Matches(visit));
  }
  // A discreet query never tells two visits of one network apart, nor two names of one domain.
  const auto discreet = review::Query::Parse(input, {.now = visit.arrival, .discreet = true}, &problem);
  if (!discreet) return 0;
  logger::StoredVisit neighbour = visit;
  neighbour.ip = "203.0.113.200";
  neighbour.dns = "another.example.net";
  CHECK(discreet->Matches(visit) == discreet->Matches(neighbour));
  return 0;
}
