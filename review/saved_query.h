// Saved queries: [[query]] of the config, by name; and whether the queries in a config can be read.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "config/place_map.h"
#include "config/problem_list.h"
#include "review/query.h"

namespace gatebook::review {

// An error (2) says the nearest name, or what is wrong with the query.
base::Result<Query> ParseSavedQuery(const config::Config& config, std::string_view name,
                                    QueryReading reading);

// Of [[query]] and [[sink]]: each `where` must be one, and the names of [[query]] differ.
void CheckQueries(const config::Config& config, const config::PlaceMap& places,
                  config::ProblemList& problems);

}  // namespace gatebook::review
