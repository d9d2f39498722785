// What a reload cannot change: parts that are built once, at start.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace gatebook::proxy {

// Keys and sections in which `next` differs from what the process was started with and which need a restart,
// in the order of the manual. Empty: a reload can take `next`.
std::vector<std::string> KeysThatNeedRestart(const config::Config& started, const config::Config& next);

}  // namespace gatebook::proxy
