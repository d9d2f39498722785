#include "review/told_visit.h"

#include "logger/erasures.h"

namespace gatebook::review {

bool ReadTold(const ToldVisit& told, std::string_view edge, logger::StoredVisit* visit) {
  visit->edge = edge;
  visit->id = told.id;
  if (!logger::ReadVisitFacts(told.visit_facts, visit) || !logger::ReadClientFacts(told.client_facts, visit))
    return false;
  return told.closing_facts.empty() || logger::ReadClosingFacts(told.closing_facts, visit);
}

bool IsErased(const ToldVisit& told, const logger::ErasureList& erasures) {
  logger::Visit visit;
  visit.arrival = told.arrival;
  visit.session = told.session;
  visit.ip = told.ip;
  return erasures.Contains(visit);
}

}  // namespace gatebook::review
