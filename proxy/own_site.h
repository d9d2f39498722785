// The edge's own site: which documents it shows, by configuration.
#pragma once

#include "base/result.h"
#include "config/config.h"
#include "proxy/own_paths.h"
#include "review/rights_desk.h"

namespace gatebook::proxy {

// Reads what files it needs, or says which cannot be used. `desk`: who answers visitors about their visits.
base::Result<OwnPaths> MakeOwnPaths(const config::Config& config, review::RightsDesk& desk);

}  // namespace gatebook::proxy
