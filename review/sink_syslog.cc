#include "review/sink_syslog.h"

#include <utility>

#include "review/sink_datagram.h"
#include "review/sink_stream.h"

namespace gatebook::review {
namespace {

constexpr std::chrono::seconds kMostForName{5};

}  // namespace

void SinkSyslog::Begin() {
  const config::Endpoint& server = parts_.config.server;
  addresses_.clear();
  switch (server.kind) {
    case config::Endpoint::Kind::kIp:
      addresses_.push_back(net::SocketAddress::FromIp(server.ip, server.port));
      break;
    case config::Endpoint::Kind::kUnix:
      if (const auto path = net::SocketAddress::FromUnixPath(server.path)) addresses_.push_back(*path);
      break;
    case config::Endpoint::Kind::kHostname:
      if (resolver_ == nullptr) {
        auto made = net::Resolver::Make(parts_.loop, {.servers = {}, .timeout = kMostForName});
        if (!made.ok()) return Fail(made.error().message);
        resolver_ = std::move(made).value();
      }
      query_ = resolver_->ResolveAddresses(server.hostname, [this](const net::DnsAnswer& answer) {
        for (const base::IpAddress& ip : answer.addresses)
          addresses_.push_back(net::SocketAddress::FromIp(ip, parts_.config.server.port));
        OpenNext();
      });
      return;
  }
  OpenNext();
}

void SinkSyslog::OpenNext() {
  if (addresses_.empty()) return Fail(parts_.config.server.text + ": has no address, or DNS does not say");
  Open(addresses_[next_++ % addresses_.size()]);
}

base::Result<std::unique_ptr<SinkWriter>> MakeSinkSyslog(const SinkWriter::Parts& parts) {
  switch (parts.config.transport) {
    case config::SyslogTransport::kUnix:
    case config::SyslogTransport::kUdp:
      return std::unique_ptr<SinkWriter>(std::make_unique<SinkDatagram>(parts));
    case config::SyslogTransport::kTcp:
    case config::SyslogTransport::kTls:
      return SinkStream::Make(parts);
  }
  return base::Error{"no such transport", base::ExitCode::kConfig};
}

}  // namespace gatebook::review
