#include "proxy/client_facts.h"

#include <fmt/format.h>

namespace gatebook::proxy {
namespace {

std::string TextOf(const base::IpAddress& ip) { return ip.IsUnspecified() ? "unknown" : ip.ToText(); }

std::string NodeOf(const base::IpAddress& ip) {
  if (ip.IsUnspecified() || ip.IsV4()) return TextOf(ip);
  return fmt::format("\"[{}]\"", ip.ToText());
}

}  // namespace

std::string MakeForwardingFields(const base::IpAddress& ip, bool https) {
  const char* proto = https ? "https" : "http";
  return fmt::format("X-Forwarded-For: {}\r\nX-Forwarded-Proto: {}\r\nForwarded: for={};proto={}", TextOf(ip),
                     proto, NodeOf(ip), proto);
}

std::string ProxyHeaderFor(const ClientFacts& client) {
  if (client.ip.IsUnspecified()) return http::MakeProxyHeader(std::nullopt);
  http::ProxiedAddresses ends = client.ends.value_or(http::ProxiedAddresses());
  if (ends.source != client.ip) {
    // Behind a trusted proxy, whose port is not the client's.
    ends.source = client.ip;
    ends.source_port = 0;
  }
  return http::MakeProxyHeader(ends);
}

std::optional<ClientFacts> FactsBehindProxies(const ClientFacts& peer, const http::RequestHead& head,
                                              const config::Edge& edge) {
  if (edge.trusted_proxies.IsEmpty() || !edge.trusted_proxies.Contains(peer.ip)) return std::nullopt;
  const auto source = edge.forwarded_field == config::ForwardedField::kForwarded
                          ? http::ForwardedSource::kForwarded
                          : http::ForwardedSource::kXForwardedFor;
  const http::ForwardedClient client =
      http::WalkForwarded(peer.ip, head.fields, edge.trusted_proxies, source);
  if (client.hops == 0 && !client.https) return std::nullopt;
  ClientFacts facts = peer;
  facts.ip = client.address;
  facts.secure = client.https.value_or(peer.secure);
  const char* proto = facts.secure ? "https" : "http";
  // Whom we believe, from the client to the peer; what stood left of that is a stranger's word.
  std::string chain;
  std::string nodes;
  for (size_t i = client.hops; i-- > 0;) {
    chain.append(TextOf(client.chain[i])).append(", ");
    nodes.append(fmt::format("for={}, ", NodeOf(client.chain[i])));
  }
  facts.forwarding_fields =
      fmt::format("X-Forwarded-For: {}{}\r\nX-Forwarded-Proto: {}\r\nForwarded: {}for={};proto={}", chain,
                  TextOf(peer.ip), proto, nodes, NodeOf(peer.ip), proto);
  return facts;
}

}  // namespace gatebook::proxy
