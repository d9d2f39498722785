// Connecting a stream socket without waiting: what plain and TLS streams begin with.
//
// Thread: any.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "net/socket_address.h"

namespace gatebook::net {

// A non-blocking socket (TCP: without Nagle's delay) that connects; the first edge tells that this
// is over. The error is a connect that failed at once, as those to Unix sockets do.
base::Result<base::UniqueFd> BeginConnect(const SocketAddress& address);

// After that edge: errno of the failure, 0: connected, and `preamble`, a few bytes, was sent.
int FinishConnect(int fd, std::string_view preamble);

}  // namespace gatebook::net
