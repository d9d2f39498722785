// Visits as CSV (RFC 4180), with a header line: the names and order of review/visit_fields.h.
//
// A spreadsheet takes a cell that begins with = + - @ for a formula, also in quotes, and a visitor may write
// one: a text that begins so gets an apostrophe before it. Every text is harmless besides (review/render.h),
// which leaves no tab or carriage return at its beginning either.
//
// Thread: any; pure.
#pragma once

#include <string>

#include "logger/visit_record.h"

namespace gatebook::review {

// Each one line, with its end, which is CR LF.
void AppendCsvHeader(std::string& to);
void AppendCsv(std::string& to, const logger::StoredVisit& visit);

}  // namespace gatebook::review
