// TlsClientStream: the client's side of a TLS connection as a net::Stream: connects, agrees, verifies.
//
// Our last flight of the handshake leaves together with what is written when
// OnStreamReady() first tells that all is done: a system call and a packet less.
//
// Thread: the loop's. Owns: the descriptor. Borrows: loop and handler.
// Ends: as net::Stream; unsent bytes are lost (HasUnsent()).
// Limits: as tls/tls_channel.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "net/socket_address.h"
#include "net/socket_event.h"
#include "net/stream.h"
#include "tls/tls_channel.h"
#include "tls/tls_client_context.h"

namespace gatebook::tls {

class TlsClientStream final : public net::Stream, private net::SocketEvent::Handler {
 public:
  // Begins to connect to server number `server` of the context's upstream; OnStreamReady() tells that the
  // connection is there, agreed upon and verified, OnStreamFailed() that it is not, always later than this
  // call. The caller bounds the time. `preamble`: sent in the clear, before TLS begins.
  static base::Result<std::unique_ptr<TlsClientStream>> Connect(net::Loop& loop,
                                                                const net::SocketAddress& address,
                                                                std::shared_ptr<TlsClientContext> context,
                                                                size_t server, net::StreamHandler& handler,
                                                                std::string preamble = {});
  ~TlsClientStream() override;

  void SetHandler(net::StreamHandler& handler) override { handler_ = &handler; }
  net::IoResult Read(std::span<char> into) override { return channel_.Read(into); }
  net::IoResult Write(std::string_view bytes) override { return channel_.Write(bytes); }
  net::IoResult WriteLast(std::string_view bytes) override { return channel_.WriteLast(bytes); }
  void ShutdownWrite() override { channel_.ShutdownWrite(); }
  bool HasUnsent() const override { return channel_.HasUnsent(); }
  size_t unsent_size() const override { return channel_.unsent_size(); }
  int fd() const override { return fd_.get(); }
  std::string_view failure() const override { return failed_ ? failure_ : channel_.failure(); }
  int error_number() const override { return error_; }

  bool IsEstablished() const { return channel_.IsEstablished(); }
  // Requires: IsEstablished().
  bool resumed() const { return SSL_session_reused(channel_.ssl()) == 1; }
  // Whether the certificate that the server showed is the first of a PEM file. Requires: IsEstablished().
  bool HasShown(const std::string& chain_file) const;

 private:
  TlsClientStream(net::Loop& loop, base::UniqueFd fd, std::shared_ptr<TlsClientContext> context,
                  net::StreamHandler& handler);
  void OnReady(bool readable, bool writable) override;
  void Handshake();
  void Fail(const char* why);

  base::UniqueFd fd_;
  std::shared_ptr<TlsClientContext> context_;
  net::SocketEvent event_;
  TlsChannel channel_;
  net::StreamHandler* handler_;
  std::string preamble_;  // until it is sent
  const char* failure_ = "";
  int error_ = 0;  // errno of connecting
  bool connecting_ = true;
  bool failed_ = false;
};

}  // namespace gatebook::tls
