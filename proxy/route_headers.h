// From a route's header rules as configured to those that head writers use.
#pragma once

#include <vector>

#include "config/header_rule.h"
#include "http/header_rules.h"

namespace gatebook::proxy {

// Requires: rules that the configuration has accepted.
http::HeaderRules MakeHeaderRules(const std::vector<config::HeaderRule>& rules);

}  // namespace gatebook::proxy
