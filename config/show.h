// Show: the effective config, defaults included, as TOML with comments.
//
// What Show prints loads again as an equal Config.
//
// Thread: any.
#pragma once

#include <string>

#include "config/config.h"

namespace gatebook::config {

std::string Show(const Config& config);

}  // namespace gatebook::config
