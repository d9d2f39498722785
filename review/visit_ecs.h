// A visit as a line of JSON with the names of the Elastic Common Schema (8.x).
//
// One flat object ("client.ip", not {"client":{"ip"}}), as collectors that know ECS take it; what the schema
// has no name for is under "gatebook.". What is empty is left out. An address that was shortened is no
// address for a field of type ip: it is in client.address instead of client.ip.
//
// A visit that is still under way has "gatebook.open":true; when it is over it is written once more, with the
// same event.id and without it.
//
// Thread: any; pure.
#pragma once

#include <string>

#include "logger/visit_record.h"

namespace gatebook::review {

// One line, with its end.
void AppendEcs(std::string& line, const logger::StoredVisit& visit);

}  // namespace gatebook::review
