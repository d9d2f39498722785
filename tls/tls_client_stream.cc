#include "tls/tls_client_stream.h"

#include <openssl/pem.h>

#include <cstring>
#include <utility>

#include "net/connect.h"

namespace gatebook::tls {

TlsClientStream::TlsClientStream(net::Loop& loop, base::UniqueFd fd,
                                 std::shared_ptr<TlsClientContext> context, net::StreamHandler& handler)
    : fd_(std::move(fd)),
      context_(std::move(context)),
      event_(loop, *this),
      channel_(fd_.get(), event_, context_->scratch(), TlsChannel::Records::kFull),
      handler_(&handler) {}

TlsClientStream::~TlsClientStream() {
  // OpenSSL takes a connection that ends without close_notify for broken and spoils its session; between HTTP
  // peers that is how connections end.
  if (IsEstablished() && !channel_.IsBroken()) {
    SSL_set_shutdown(channel_.ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
}

base::Result<std::unique_ptr<TlsClientStream>> TlsClientStream::Connect(
    net::Loop& loop, const net::SocketAddress& address, std::shared_ptr<TlsClientContext> context,
    size_t server, net::StreamHandler& handler, std::string preamble) {
  ForgetErrors();
  auto fd = net::BeginConnect(address);
  if (!fd.ok()) return fd.error();
  std::unique_ptr<TlsClientStream> stream(
      new TlsClientStream(loop, std::move(fd).value(), std::move(context), handler));
  stream->preamble_ = std::move(preamble);
  if (!stream->channel_.Begin(stream->context_->MakeSsl(server))) return base::Error{"no memory for TLS"};
  if (!stream->event_.Watch(stream->fd_.get())) return base::Error{"no more descriptors can be watched"};
  return stream;
}

void TlsClientStream::OnReady(bool readable, bool writable) {
  if (failed_) return;
  if (connecting_) {
    if (!writable && !readable) return;
    connecting_ = false;
    error_ = net::FinishConnect(fd_.get(), std::exchange(preamble_, {}));
    if (error_ != 0) {
      const char* text = strerrordesc_np(error_);
      return Fail(text != nullptr ? text : "not connected");
    }
    channel_.OnEdge(readable, writable);
    return Handshake();
  }
  channel_.OnEdge(readable, writable);
  if (IsEstablished()) return handler_->OnStreamReady();
  // A socket that is merely writable is no news: our flights fit into what the BIO takes.
  if (readable || channel_.IsUnwritable()) Handshake();
}

void TlsClientStream::Handshake() {
  switch (channel_.Handshake()) {
    case TlsChannel::Step::kPending:
      return;
    case TlsChannel::Step::kDone:
      if (!context_->IsProtocolAgreed(channel_.ssl())) return Fail(context_->disagreement());
      channel_.Defer();
      handler_->OnStreamReady();
      // Nobody had anything to say at once: the server waits for our last flight.
      channel_.Flush();
      return;
    case TlsChannel::Step::kFailed: {
      const long verdict = SSL_get_verify_result(channel_.ssl());
      const char* why = channel_.TakeFailure("closed by the server").text;
      return Fail(verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : why);
    }
  }
}

bool TlsClientStream::HasShown(const std::string& chain_file) const {
  ForgetErrors();
  const BioPtr file(BIO_new_file(chain_file.c_str(), "r"));
  const X509Ptr wanted(file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  const X509* shown = SSL_get0_peer_certificate(channel_.ssl());
  return wanted && shown != nullptr && X509_cmp(wanted.get(), shown) == 0;
}

void TlsClientStream::Fail(const char* why) {
  failure_ = why;
  failed_ = true;
  event_.Stop();
  handler_->OnStreamFailed();
}

}  // namespace gatebook::tls
