// A question to the running process: GET on its admin address, for `gatebook status`.
//
// Thread: blocks its caller; for commands only. Limits: 5 s, 4 MiB.
#pragma once

#include <string>

#include "base/result.h"
#include "config/config.h"

namespace gatebook::proxy {

// The body of a 200 answer. Errors carry kUnavailable.
base::Result<std::string> AskAdmin(const config::Endpoint& address, const std::string& path);

}  // namespace gatebook::proxy
