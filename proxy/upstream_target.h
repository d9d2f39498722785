// UpstreamTarget: one server of an upstream as something to connect to.
//
// Thread: one. Borrows: the endpoint (config). Owns: a share in the TLS context.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "net/loop.h"
#include "net/socket_address.h"
#include "net/stream.h"
#include "proxy/upstream_names.h"
#include "tls/tls_client_context.h"

namespace gatebook::proxy {

struct UpstreamTarget {
  const config::Endpoint& endpoint;
  size_t number;                               // in upstream.servers
  std::shared_ptr<tls::TlsClientContext> tls;  // used where endpoint.tls

  // Where it is now, the best first; none: its name has no address yet.
  std::vector<net::SocketAddress> Addresses(const UpstreamNames& names) const;
  // Begins to connect, to send `preamble` and to agree on TLS. An error: it failed at once, the handler was
  // not and will not be called.
  base::Result<std::unique_ptr<net::Stream>> Connect(net::Loop& loop, const net::SocketAddress& address,
                                                     net::StreamHandler& handler,
                                                     const std::string& preamble = {}) const;
};

// The TLS contexts of one thread, by index in config.upstreams; null where no server has TLS.
using UpstreamTls = std::vector<std::shared_ptr<tls::TlsClientContext>>;
// For `threads` threads. Reads the files; an error names the upstream and the file that cannot be used.
base::Result<std::vector<UpstreamTls>> MakeUpstreamTls(const config::Config& config, size_t threads);

}  // namespace gatebook::proxy
