// SinkDatagram: a message a datagram, over a Unix socket of this machine or UDP.
//
// Thread: the loop's. Owns: the socket.
#pragma once

#include "base/unique_fd.h"
#include "net/socket_event.h"
#include "review/sink_syslog.h"

namespace gatebook::review {

class SinkDatagram final : public SinkSyslog, private net::SocketEvent::Handler {
 public:
  explicit SinkDatagram(const Parts& parts);

  Progress Write(SinkOutbox& outbox) override;

 private:
  void Open(const net::SocketAddress& address) override;
  void OnReady(bool readable, bool writable) override;
  void Break(int error);

  base::UniqueFd fd_;
  net::SocketEvent event_;
  net::Timer later_;
};

}  // namespace gatebook::review
