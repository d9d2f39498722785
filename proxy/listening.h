// The sockets of [[listen]]: bound by the main thread, one set a worker.
//
// Thread: main.
#pragma once

#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "config/config.h"

namespace gatebook::proxy {

// A listening socket made before the worker's thread and, perhaps, under another user.
struct BoundListener {
  base::UniqueFd fd;
  config::Listen listen;
};

// One socket; a Unix path gets `unix_mode`.
base::Result<base::UniqueFd> BindEndpoint(const config::Endpoint& endpoint, int unix_mode);

// By worker, those of `listen` whose address is not among `open`. All are bound or none.
base::Result<std::vector<std::vector<BoundListener>>> BindListeners(const std::vector<config::Listen>& listen,
                                                                    const std::vector<config::Listen>& open,
                                                                    uint32_t workers);

// Whether both are the same socket, whatever else is said of it.
bool HaveSameAddress(const config::Endpoint& one, const config::Endpoint& other);
// The one of `listen` with this address; null if there is none.
const config::Listen* FindListen(const std::vector<config::Listen>& listen, const config::Endpoint& address);

}  // namespace gatebook::proxy
