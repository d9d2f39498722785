// SinkSyslog: visits as messages of RFC 5424 to a syslog server: over a Unix or UDP socket a datagram a
// message, over TCP (RFC 6587) and TLS (RFC 5425) with their octets counted.
//
// A connection that is lost is made anew; what the kernel had taken and the server not yet read is lost with
// it, a message that had only begun is sent again from its beginning. A datagram over UDP may be lost without
// anybody knowing.
//
// Thread: the loop's. Owns: socket or stream, the resolver. Ends: closes them at once.
// Limits: 10 s to connect and agree on TLS; a name is asked for 5 s. Datagrams of 65,507 bytes over UDP.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "net/resolver.h"
#include "net/socket_address.h"
#include "review/sink_writer.h"

namespace gatebook::review {

// What all transports have in common: finding the server's addresses, one after the other.
class SinkSyslog : public SinkWriter {
 public:
  void Start() override { Begin(); }

 protected:
  using SinkWriter::SinkWriter;

  // Asks for the server's addresses where that is needed, then opens one.
  void Begin();
  virtual void Open(const net::SocketAddress& address) = 0;
  void TryAgain() override { Begin(); }

 private:
  void OpenNext();

  std::unique_ptr<net::Resolver> resolver_;
  std::unique_ptr<net::Resolver::Query> query_;
  std::vector<net::SocketAddress> addresses_;
  size_t next_ = 0;  // each attempt another
};

base::Result<std::unique_ptr<SinkWriter>> MakeSinkSyslog(const SinkWriter::Parts& parts);

}  // namespace gatebook::review
