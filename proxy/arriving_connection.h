// ArrivingConnection: a client from accept() until its protocol begins.
//
//   PROXY header, from peers that must send one ─► TLS handshake, if the listener has TLS
//
// The header is peeked at until it is whole and then taken off, so that what stands
// behind it is TLS's or HTTP's and was read by nobody.
//
// A request in plain HTTP to a TLS listener is an exchange of its own kind: nothing of it is read, it is told
// so, and its visit stands in the book before that.
//
// Thread: the worker's. Owns: the stream until it is handed over.
// Ends: OnArrived() takes what it holds, or OnClosed() tells that there is nothing to take.
// Limits: timeouts.handshake in all; a header of http::kProxyHeaderMost bytes.
#pragma once

#include <memory>

#include "base/unique_fd.h"
#include "http/proxy_protocol.h"
#include "net/socket_event.h"
#include "proxy/arrival.h"
#include "proxy/client_connection.h"
#include "tls/tls_stream.h"

namespace gatebook::proxy {

class ArrivingConnection final : public ClientConnection,
                                 private net::StreamHandler,
                                 private net::SocketEvent::Handler {
 public:
  class Host : public Owner {
   public:
    // Take `arrival` and dispose of `from`.
    virtual void OnArrived(ClientConnection& from, Arrival arrival) = 0;

   protected:
    ~Host() = default;
  };

  ArrivingConnection(WorkerContext& context, Host& host, guard::ConnectionSeat seat);

  // Once, right after construction. False: the descriptor could not be watched; destroy it.
  // May end by telling the host before it returns.
  bool Start(base::UniqueFd fd, const config::Listen& listen, std::optional<base::IpAddress> ip);

  void Drain() override { Close(CloseReason::kDrained); }
  void Abort() override { Close(CloseReason::kDrained); }
  void OnJournalFlushed() override;

 private:
  void OnReady(bool readable, bool writable) override;
  void OnStreamReady() override;
  void OnStreamFailed() override;
  void ReadProxyHeader();
  bool TakeSource(const http::ProxyHeader& header);
  bool BeginProtocol();
  void ArmDeadline();
  void OnDeadline();
  void RefusePlainHttp();
  logger::Appended WriteRefused(http::Refusal refusal);
  void TellPlainHttp();
  void Arrive(std::unique_ptr<net::Stream> stream);
  void Close(CloseReason reason);

  Host& host_;
  Arrival arrival_;
  std::shared_ptr<tls::TlsContext> tls_context_;  // of the generation that accepted it; null: no TLS
  base::UniqueFd fd_;                             // while a PROXY header is awaited
  net::SocketEvent event_;                        // of fd_
  std::optional<base::IpAddress> ip_;
  std::unique_ptr<tls::TlsStream> tls_;
  std::optional<uint64_t> told_when_flushed_;  // the visit's place in the journal
  bool over_ = false;
  net::Timer deadline_;
};

}  // namespace gatebook::proxy
