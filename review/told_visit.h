// ToldVisit: a visit on its way to the sinks.
//
// As the recorder tells of it, copied once for all sinks, in the texts in which it also goes to Redis
// (logger/visit_record.h): the cheapest form to make, and each sink reads it on its own thread.
//
// Thread: immutable once made; shared.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "logger/visit_record.h"

namespace gatebook::logger {
class ErasureList;
}

namespace gatebook::review {

struct ToldVisit {
  enum class Kind : uint8_t {
    kWhole,       // told once
    kOpening,     // still under way: a kCompletion or kGivenUp will follow
    kCompletion,  // of a kOpening: whole now
    kGivenUp      // likewise, but how it ended will not be told
  };
  Kind kind = Kind::kWhole;
  logger::VisitId id;
  // What an erasure goes by.
  base::WallTime arrival{};
  logger::SessionId session;
  base::IpAddress ip;
  std::string visit_facts, client_facts, closing_facts;  // the last one is empty without a closing
};
using ToldVisitPtr = std::shared_ptr<const ToldVisit>;

// False if the texts are damaged.
bool ReadTold(const ToldVisit& told, std::string_view edge, logger::StoredVisit* visit);
bool IsErased(const ToldVisit& told, const logger::ErasureList& erasures);

}  // namespace gatebook::review
