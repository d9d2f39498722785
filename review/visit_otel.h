// A visit as a log record of OpenTelemetry: a line of JSON in the shape of its Logs Data Model (Timestamp,
// SeverityText, SeverityNumber, EventName, Body, Resource, Attributes), with the names of its semantic
// conventions (1.27) as attributes.
//
// What the conventions have no name for is under "gatebook.". What is empty is left out. Severity: INFO; WARN
// for what was refused and for faults of ours or of the upstream (status 500 and above).
//
// A visit that is still under way has "gatebook.open":true; when it is over it is written once more, with the
// same gatebook.id and without it.
//
// Thread: any; pure.
#pragma once

#include <string>

#include "logger/visit_record.h"

namespace gatebook::review {

// One line, with its end.
void AppendOtel(std::string& line, const logger::StoredVisit& visit);

}  // namespace gatebook::review
