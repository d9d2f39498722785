// What must hold between the values of a config, when each is in order by itself.
//
// Thread: any.
#pragma once

#include "config/config.h"
#include "config/place_map.h"
#include "config/problem_list.h"

namespace gatebook::config {

// Something to listen on and to forward to; certificates where TLS is; names used
// once; settings that contradict each other.
void CheckConsistency(const Config& config, const PlaceMap& places, ProblemList& problems);

// Its part for [statistics], which also holds for those who only look: they may publish.
void CheckStatistics(const Config& config, const PlaceMap& places, ProblemList& problems);

}  // namespace gatebook::config
