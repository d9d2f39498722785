#include "proxy/upstream_target.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/socket_stream.h"
#include "tls/tls_client_stream.h"
#include "tls/trust_store.h"

namespace gatebook::proxy {

using config::Endpoint;

std::vector<net::SocketAddress> UpstreamTarget::Addresses(const UpstreamNames& names) const {
  std::vector<net::SocketAddress> addresses;
  switch (endpoint.kind) {
    case Endpoint::Kind::kIp:
      addresses.push_back(net::SocketAddress::FromIp(endpoint.ip, endpoint.port));
      break;
    case Endpoint::Kind::kUnix:
      if (const auto path = net::SocketAddress::FromUnixPath(endpoint.path)) addresses.push_back(*path);
      break;
    case Endpoint::Kind::kHostname:
      for (const base::IpAddress& ip : names.Find(endpoint.hostname)) {
        addresses.push_back(net::SocketAddress::FromIp(ip, endpoint.port));
      }
      break;
  }
  return addresses;
}

base::Result<std::unique_ptr<net::Stream>> UpstreamTarget::Connect(net::Loop& loop,
                                                                   const net::SocketAddress& address,
                                                                   net::StreamHandler& handler,
                                                                   const std::string& preamble) const {
  if (endpoint.tls) {
    auto stream = tls::TlsClientStream::Connect(loop, address, tls, number, handler, preamble);
    if (!stream.ok()) return stream.error();
    return std::unique_ptr<net::Stream>(std::move(stream).value());
  }
  auto stream = net::SocketStream::Connect(loop, address, handler, preamble);
  if (!stream.ok()) return stream.error();
  return std::unique_ptr<net::Stream>(std::move(stream).value());
}

base::Result<std::vector<UpstreamTls>> MakeUpstreamTls(const config::Config& config, size_t threads) {
  std::vector<UpstreamTls> contexts(threads);
  std::shared_ptr<const tls::TrustStore> system;  // read once, if at all
  for (const config::Upstream& upstream : config.upstreams) {
    const bool any_tls = std::any_of(upstream.servers.begin(), upstream.servers.end(),
                                     [](const Endpoint& server) { return server.tls; });
    std::shared_ptr<const tls::TrustStore> trust;
    if (any_tls && upstream.tls_verify) {
      if (!upstream.tls_ca.empty()) {
        auto loaded = tls::TrustStore::Load(upstream.tls_ca);
        if (!loaded.ok()) return loaded.error();
        trust = std::move(loaded).value();
      } else {
        if (!system) system = tls::TrustStore::System();
        trust = system;
      }
    }
    for (UpstreamTls& of_thread : contexts) {
      of_thread.emplace_back();
      if (!any_tls) continue;
      auto context = tls::TlsClientContext::Make(
          upstream, upstream.servers, upstream.protocol == config::UpstreamProtocol::kH2 ? "h2" : "http/1.1",
          trust);
      if (!context.ok()) {
        return base::Error{fmt::format("upstream {}: {}", upstream.name, context.error().message),
                           base::ExitCode::kConfig};
      }
      of_thread.back() = std::move(context).value();
    }
  }
  return contexts;
}

}  // namespace gatebook::proxy
