#include "tls/tls_stream.h"

#include <sys/socket.h>

#include <algorithm>

#include "base/check.h"

namespace gatebook::tls {
namespace {

constexpr size_t kMostSubject = 256;

}  // namespace

std::unique_ptr<TlsStream> TlsStream::Accepted(net::Loop& loop, base::UniqueFd fd,
                                               std::shared_ptr<TlsContext> context,
                                               net::StreamHandler& handler) {
  ForgetErrors();
  std::unique_ptr<TlsStream> stream(new TlsStream(loop, std::move(fd), std::move(context), handler));
  if (!stream->channel_.Begin(stream->context_->MakeSsl())) return nullptr;
  if (!stream->event_.Watch(stream->fd_.get())) return nullptr;
  return stream;
}

TlsStream::TlsStream(net::Loop& loop, base::UniqueFd fd, std::shared_ptr<TlsContext> context,
                     net::StreamHandler& handler)
    : fd_(std::move(fd)),
      context_(std::move(context)),
      event_(loop, *this),
      channel_(fd_.get(), event_, context_->scratch(), TlsChannel::Records::kGrowing),
      handler_(&handler) {}

TlsStream::~TlsStream() = default;

void TlsStream::OnReady(bool readable, bool writable) {
  channel_.OnEdge(readable, writable);
  if (failed_) return;
  if (IsEstablished()) return handler_->OnStreamReady();
  // A socket that is merely writable is no news: our flights fit into what the BIO takes.
  if (readable || channel_.IsUnwritable()) Handshake();
}

void TlsStream::Handshake() {
  switch (channel_.Handshake()) {
    case TlsChannel::Step::kPending:
      return;
    case TlsChannel::Step::kDone:
      channel_.Defer();
      handler_->OnStreamReady();
      // A request that came with the handshake's end lets the ticket go with its answer. Else it goes
      // now: a client that leaves Nagle's algorithm on sends no request before its last flight is
      // acknowledged, and with nothing to carry it the acknowledgement takes 40 ms.
      if (!channel_.has_read()) channel_.Flush();
      return;
    case TlsChannel::Step::kFailed:
      return Fail();
  }
}

void TlsStream::Fail() {
  const TlsChannel::Failure failure = channel_.TakeFailure("closed by the client");
  failure_ = failure.text;
  saw_plain_http_ = failure.reason == SSL_R_HTTP_REQUEST || failure.reason == SSL_R_HTTPS_PROXY_REQUEST;
  failed_ = true;
  handler_->OnStreamFailed();
}

void TlsStream::SendPlain(std::string_view text) {
  CHECK(failed_);
  [[maybe_unused]] const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  ::shutdown(fd_.get(), SHUT_WR);
}

// ---- What was agreed upon.

int TlsStream::version() const { return SSL_version(channel_.ssl()) == TLS1_3_VERSION ? 13 : 12; }

std::string_view TlsStream::cipher() const { return SSL_get_cipher_name(channel_.ssl()); }

bool TlsStream::resumed() const { return SSL_session_reused(channel_.ssl()) == 1; }

std::string_view TlsStream::server_name() const {
  const char* name = SSL_get_servername(channel_.ssl(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : std::string_view(name);
}

std::string_view TlsStream::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(channel_.ssl(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string TlsStream::client_subject() const {
  const X509* certificate = SSL_get0_peer_certificate(channel_.ssl());
  if (certificate == nullptr || SSL_get_verify_result(channel_.ssl()) != X509_V_OK) return {};
  const BioPtr text(BIO_new(BIO_s_mem()));
  if (!text || X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0)
    return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return {data, std::min(static_cast<size_t>(size), kMostSubject)};
}

std::string TlsStream::client_common_name() const {
  X509* certificate = SSL_get0_peer_certificate(channel_.ssl());
  if (certificate == nullptr || SSL_get_verify_result(channel_.ssl()) != X509_V_OK) return {};
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (first < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, first) >= 0) return {};
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return name.size() <= kMostSubject ? name : std::string();
}

}  // namespace gatebook::tls
