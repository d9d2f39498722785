// What both Redis clients do alike: find the address, open a socket, read the password, greet.
//
// Thread: any; ResolveRedis may wait for a DNS server, the others never wait.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "config/config.h"
#include "net/socket_address.h"

namespace gatebook::logger {

// Where [redis] url leads, if that needs no look-up: a Unix socket or an address. An error where a
// socket's path is too long or rediss:// is wanted.
base::Result<net::SocketAddress> AddressOfRedis(const config::Redis& config);
// The same with look-up: all addresses of a host name. Waits for it.
base::Result<std::vector<net::SocketAddress>> ResolveRedis(const config::Redis& config);

// A non-blocking socket whose connect has begun.
base::Result<base::UniqueFd> BeginRedisConnect(const net::SocketAddress& address);

// The first line of password_file; empty when none is configured. Read at every
// connect, so that a changed password needs no restart.
base::Result<std::string> ReadRedisPassword(const config::Redis& config);

// Appends AUTH and SELECT as far as needed and a PING, which a server that is
// still loading, or wants a password, refuses. How many replies will come.
size_t AppendRedisGreeting(std::string& to, const config::Redis& config, const std::string& password);

// "redis://127.0.0.1:6379/0" for messages: never with a password.
std::string RedisName(const config::Redis& config);

}  // namespace gatebook::logger
