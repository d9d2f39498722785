#include "tls/tls_stream.h"

#include <sys/socket.h>

#include <algorithm>

#include "base/check.h"

namespace gatebook::tls {
namespace {

using net::IoResult;
using net::IoStatus;

constexpr size_t kFullRecord = 16 * 1024;
constexpr size_t kSmallRecord = 4 * 1024 - 64;  // three packets of 1,460 bytes, with header and tag
constexpr size_t kSmallBurst = 64 * 1024;
constexpr std::chrono::seconds kRest{1};
constexpr size_t kMostWrite = 64 * 1024;
constexpr size_t kMostSubject = 256;

}  // namespace

std::unique_ptr<TlsStream> TlsStream::Accepted(net::Loop& loop, base::UniqueFd fd,
                                               std::shared_ptr<TlsContext> context,
                                               net::StreamHandler& handler) {
  ForgetErrors();
  std::unique_ptr<TlsStream> stream(new TlsStream(loop, std::move(fd), std::move(context), handler));
  stream->ssl_ = stream->context_->MakeSsl();
  BIO* bio = stream->bio_.Make();
  if (!stream->ssl_ || bio == nullptr) {
    BIO_free(bio);
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_bio(stream->ssl_.get(), bio, bio);
  if (!stream->event_.Watch(stream->fd_.get())) return nullptr;
  return stream;
}

TlsStream::TlsStream(net::Loop& loop, base::UniqueFd fd, std::shared_ptr<TlsContext> context,
                     net::StreamHandler& handler)
    : fd_(std::move(fd)),
      context_(std::move(context)),
      event_(loop, *this),
      bio_(fd_.get(), event_, context_->scratch()),
      handler_(handler) {}

TlsStream::~TlsStream() = default;

// ---- Events and the handshake.

void TlsStream::OnReady(bool readable, bool writable) {
  if (readable) bio_.OnReadable();
  if (writable) bio_.OnWritable();
  if (failed_) return;
  if (!established_) {
    // A socket that is merely writable is no news: our flights fit into what the BIO takes.
    if (readable || bio_.IsUnwritable()) Handshake();
    return;
  }
  if (shutting_down_) FinishShutdown();
  handler_.OnStreamReady();
}

void TlsStream::Handshake() {
  ForgetErrors();
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) {
    Establish();
    return;
  }
  const int error = SSL_get_error(ssl_.get(), done);
  bio_.Send();  // our part of the handshake, or the alert that says what is wrong with theirs
  if ((error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) || bio_.IsUnwritable()) Fail();
}

void TlsStream::Establish() {
  established_ = true;
  bio_.ForgetQuiet();
  // With TLS 1.3 all that the client waits for was in the flight before; what is left is the ticket.
  if (version() == 13) {
    bio_.Defer();
  } else {
    bio_.Send();
  }
  handler_.OnStreamReady();
}

void TlsStream::Fail() {
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  const char* text = error == 0 ? nullptr : ERR_reason_error_string(error);
  if (text != nullptr) {
    failure_ = text;
  } else if (bio_.IsTooQuiet()) {
    failure_ = "too many bytes before the end of the handshake";
  } else {
    failure_ = bio_.IsAtEnd() ? "closed by the client" : "connection broken";
  }
  saw_plain_http_ = ERR_GET_LIB(error) == ERR_LIB_SSL &&
                    (reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST);
  ERR_clear_error();
  failed_ = true;
  handler_.OnStreamFailed();
}

// ---- The stream.

IoResult TlsStream::Read(std::span<char> into) {
  CHECK(established_ && !into.empty());
  if (IsBroken()) return {IoStatus::kError};
  if (ended_) return {IoStatus::kEnd};
  if (bio_.IsDrained() && !bio_.IsAtEnd() && SSL_has_pending(ssl_.get()) == 0) return {IoStatus::kWouldBlock};
  ForgetErrors();
  size_t got = 0;
  const int done = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
  // Key updates and the like may have been answered.
  if (bio_.HasScratch()) bio_.Send();
  if (done == 1) {
    bio_.ForgetQuiet();
    return {IoStatus::kOk, got};
  }
  return OnReadStopped(SSL_get_error(ssl_.get(), done));
}

IoResult TlsStream::OnReadStopped(int error) {
  if (IsBroken()) {
    ERR_clear_error();
    return {IoStatus::kError};
  }
  switch (error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {IoStatus::kWouldBlock};
    case SSL_ERROR_ZERO_RETURN:
      ended_ = true;
      truncated_ = bio_.IsAtEnd();
      return {IoStatus::kEnd};
    default:
      ERR_clear_error();
      broken_ = true;
      return {IoStatus::kError};
  }
}

size_t TlsStream::NextRecord(size_t left) const {
  if (left <= kFullRecord || burst_bytes_ >= kSmallBurst) return std::min(left, kFullRecord);
  return kSmallRecord;
}

IoResult TlsStream::Write(std::string_view bytes) {
  CHECK(established_ && !shutting_down_ && !bytes.empty());
  if (IsUnwritable()) return {IoStatus::kError};
  if (bio_.IsBlocked()) return {IoStatus::kWouldBlock};
  const base::SteadyTime now = event_.loop().now();
  if (now - last_write_ >= kRest) burst_bytes_ = 0;
  last_write_ = now;

  ForgetErrors();
  bytes = bytes.substr(0, kMostWrite);
  size_t taken = 0;
  bool failed = false;
  while (taken < bytes.size() && !failed) {
    const size_t size = NextRecord(bytes.size() - taken);
    bio_.AnnounceLast(taken + size == bytes.size());
    size_t put = 0;
    failed = SSL_write_ex(ssl_.get(), bytes.data() + taken, size, &put) != 1;
    taken += put;
    burst_bytes_ = static_cast<uint32_t>(std::min<size_t>(burst_bytes_ + put, kSmallBurst));
  }
  bio_.AnnounceLast(false);
  if (bio_.HasScratch()) bio_.Send();
  if (failed) {
    // The BIO takes every record that Write() can make, so nothing but the end is left.
    ERR_clear_error();
    broken_ = true;
  }
  if (IsUnwritable()) return {IoStatus::kError};
  return {IoStatus::kOk, taken};
}

void TlsStream::ShutdownWrite() {
  if (shutting_down_) return;
  shutting_down_ = true;
  if (established_ && !IsUnwritable()) {
    ForgetErrors();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    bio_.Send();
  }
  FinishShutdown();
}

void TlsStream::FinishShutdown() {
  if (fin_sent_ || HasUnsent()) return;
  fin_sent_ = true;
  ::shutdown(fd_.get(), SHUT_WR);
}

void TlsStream::SendPlain(std::string_view text) {
  CHECK(failed_);
  [[maybe_unused]] const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  ::shutdown(fd_.get(), SHUT_WR);
}

// ---- What was agreed upon.

int TlsStream::version() const { return SSL_version(ssl_.get()) == TLS1_3_VERSION ? 13 : 12; }

std::string_view TlsStream::cipher() const { return SSL_get_cipher_name(ssl_.get()); }

bool TlsStream::resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

std::string_view TlsStream::server_name() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : std::string_view(name);
}

std::string_view TlsStream::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string TlsStream::client_subject() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return {};
  const BioPtr text(BIO_new(BIO_s_mem()));
  if (!text || X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0)
    return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return {data, std::min(static_cast<size_t>(size), kMostSubject)};
}

}  // namespace gatebook::tls
