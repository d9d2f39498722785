// What both Redis clients do alike: open a socket, read the password, greet.
//
// Thread: any; OpenRedisSocket may wait for a DNS server when [redis] url holds
//   a host name, which is why names are for the recorder and the commands only.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "config/config.h"

namespace gatebook::logger {

// A non-blocking socket whose connect has begun.
base::Result<base::UniqueFd> OpenRedisSocket(const config::Redis& config);

// The first line of password_file; empty when none is configured. Read at every
// connect, so that a changed password needs no restart.
base::Result<std::string> ReadRedisPassword(const config::Redis& config);

// Appends AUTH and SELECT as far as needed and a PING, which a server that is
// still loading, or wants a password, refuses. How many replies will come.
size_t AppendRedisGreeting(std::string& to, const config::Redis& config, const std::string& password);

// "redis://127.0.0.1:6379/0" for messages: never with a password.
std::string RedisName(const config::Redis& config);

}  // namespace gatebook::logger
