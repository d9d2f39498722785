// SinkStream: messages over a TCP connection, with TLS or without.
//
// Thread: the loop's. Owns: the stream and what TLS needs. What a server says is read and thrown away.
#pragma once

#include <memory>

#include "net/stream.h"
#include "review/sink_syslog.h"
#include "tls/tls_client_context.h"

namespace gatebook::review {

class SinkStream final : public SinkSyslog, private net::StreamHandler {
 public:
  // An error: a file of [[sink]] tls_… is not what it should be.
  static base::Result<std::unique_ptr<SinkWriter>> Make(const Parts& parts);
  ~SinkStream() override;

  Progress Write(SinkOutbox& outbox) override;

 private:
  SinkStream(const Parts& parts, std::shared_ptr<tls::TlsClientContext> context);
  void Open(const net::SocketAddress& address) override;
  void OnStreamReady() override;
  void OnStreamFailed() override;
  void Break(std::string_view why);

  const std::shared_ptr<tls::TlsClientContext> context_;  // null: no TLS
  std::unique_ptr<net::Stream> stream_;
  net::Timer connecting_;
  bool is_ready_ = false;
  bool is_new_ = false;  // nothing has been written on it
};

}  // namespace gatebook::review
