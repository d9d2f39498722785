// What is recorded of a visit, in words for visitors, made from the configuration in force
// (config/visit_field.h): nobody writes it, so it can't be wrong.
//
// Thread: any; pure.
#pragma once

#include <string>

#include "config/config.h"

namespace gatebook::proxy {

std::string WhatWeRecordPage(const config::Config& config);  // a whole page
std::string WhatWeRecordText(const config::Config& config);  // for people at a terminal
std::string WhatWeRecordJson(const config::Config& config);

}  // namespace gatebook::proxy
