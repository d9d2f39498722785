// TlsStream: the server's side of a TLS connection as a net::Stream, OpenSSL
// straight on the socket.
//
// The last flight of a handshake (a TLS 1.3 ticket) goes with the answer to a request
// that came with the client's own last flight: a system call less. Otherwise it goes at once.
//
// Thread: the loop's. Owns: the descriptor. Borrows: loop and handler.
// Ends: as net::Stream; unsent bytes are lost (HasUnsent()).
// Limits: as tls/tls_channel.h; 64 KiB received without a byte of application data (hello,
//   key updates) end the connection.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "net/socket_event.h"
#include "net/stream.h"
#include "tls/tls_channel.h"
#include "tls/tls_context.h"

namespace gatebook::tls {

class TlsStream final : public net::Stream, private net::SocketEvent::Handler {
 public:
  // Takes an accepted, non-blocking descriptor and waits for the client's hello; the caller
  // bounds the time. OnStreamReady() tells that the handshake is done, OnStreamFailed()
  // that it has failed. Null: out of memory, or the kernel refuses to watch.
  static std::unique_ptr<TlsStream> Accepted(net::Loop& loop, base::UniqueFd fd,
                                             std::shared_ptr<TlsContext> context,
                                             net::StreamHandler& handler);
  ~TlsStream() override;

  void SetHandler(net::StreamHandler& handler) override { handler_ = &handler; }
  net::IoResult Read(std::span<char> into) override { return channel_.Read(into); }
  net::IoResult Write(std::string_view bytes) override { return channel_.Write(bytes); }
  net::IoResult WriteLast(std::string_view bytes) override { return channel_.WriteLast(bytes); }
  void ShutdownWrite() override { channel_.ShutdownWrite(); }
  // A ticket that waits for the first Write() is not meant: nobody has to wait for it.
  bool HasUnsent() const override { return channel_.HasUnsent(); }
  size_t unsent_size() const override { return channel_.unsent_size(); }
  int fd() const override { return fd_.get(); }

  bool IsEstablished() const { return channel_.IsEstablished(); }

  // What was agreed upon. Requires: IsEstablished(). The views live as long as the stream.
  int version() const;              // 12 or 13
  std::string_view cipher() const;  // OpenSSL's name
  bool resumed() const;
  std::string_view server_name() const;  // as the client wrote it; "" if it named none
  std::string_view protocol() const;     // by ALPN; "" if the client offered none
  // Subject of the verified client certificate (RFC 4514), at most 256 bytes; "" if there is none.
  std::string client_subject() const;
  // Its common name, if it has exactly one, of at most 256 bytes; else "".
  std::string client_common_name() const;

  // The end that Read() told of was a bare FIN, without close_notify: what came before it may
  // have been cut short by anyone.
  bool truncated() const { return channel_.truncated(); }

  // After OnStreamFailed(): why, in a few words without anything of the client's.
  std::string_view failure() const override { return failure_; }
  // After OnStreamFailed(): the client spoke plain HTTP. SendPlain() may tell it so.
  bool saw_plain_http() const { return saw_plain_http_; }
  // Sends a short text in clear and ends the writing direction; what the socket does not take is lost.
  void SendPlain(std::string_view text);

 private:
  TlsStream(net::Loop& loop, base::UniqueFd fd, std::shared_ptr<TlsContext> context,
            net::StreamHandler& handler);

  void OnReady(bool readable, bool writable) override;
  void Handshake();
  void Fail();

  base::UniqueFd fd_;
  std::shared_ptr<TlsContext> context_;
  net::SocketEvent event_;
  TlsChannel channel_;
  net::StreamHandler* handler_;
  const char* failure_ = "";
  bool failed_ = false;
  bool saw_plain_http_ = false;
};

}  // namespace gatebook::tls
