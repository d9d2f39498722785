#include "tls/tls_channel.h"

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

// The ephemeral keys have done their work. OpenSSL would keep them, and half a kilobyte, as long as the
// connection; what has been forgotten cannot be taken (RFC 8446 appendix E.1.2).
void ForgetEphemeralKeys(SSL* ssl) {
  EVP_PKEY* key = nullptr;
  for (const int which : {SSL_CTRL_GET_TMP_KEY, SSL_CTRL_GET_PEER_TMP_KEY}) {
    if (SSL_ctrl(ssl, which, 0, static_cast<void*>(&key)) != 1) continue;
    EVP_PKEY_set_type(key, EVP_PKEY_get_id(key));  // frees what is in it; the SSL holds it too
    EVP_PKEY_free(key);
  }
  ERR_clear_error();
}

}  // namespace

bool TlsChannel::Begin(SslPtr ssl) {
  BIO* bio = bio_.Make();
  if (!ssl || bio == nullptr) {
    BIO_free(bio);
    ERR_clear_error();
    return false;
  }
  ssl_ = std::move(ssl);
  SSL_set_bio(ssl_.get(), bio, bio);
  return true;
}

void TlsChannel::OnEdge(bool readable, bool writable) {
  if (readable) bio_.OnReadable();
  if (writable) bio_.OnWritable();
  if (shutting_down_) FinishShutdown();
}

TlsChannel::Step TlsChannel::Handshake() {
  ForgetErrors();
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) {
    established_ = true;
    ForgetEphemeralKeys(ssl_.get());
    bio_.ForgetQuiet();
    return Step::kDone;
  }
  const int error = SSL_get_error(ssl_.get(), done);
  bio_.Send();  // our part of the handshake, or the alert that says what is wrong with theirs
  if ((error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) || bio_.IsUnwritable())
    return Step::kFailed;
  return Step::kPending;
}

TlsChannel::Failure TlsChannel::TakeFailure(const char* closed) {
  const unsigned long error = ERR_peek_error();
  const char* text = error == 0 ? nullptr : ERR_reason_error_string(error);
  const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  ERR_clear_error();
  if (text == nullptr && bio_.IsTooQuiet()) text = "too many bytes before the end of the handshake";
  if (text == nullptr) text = bio_.IsAtEnd() ? closed : "connection broken";
  return {text, reason};
}

IoResult TlsChannel::Read(std::span<char> into) {
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
    has_read_ = true;
    bio_.ForgetQuiet();
    return {IoStatus::kOk, got};
  }
  return OnReadStopped(SSL_get_error(ssl_.get(), done));
}

IoResult TlsChannel::OnReadStopped(int error) {
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
      failure_ = TakeFailure("ended without close_notify").text;
      broken_ = true;
      return {IoStatus::kError};
  }
}

size_t TlsChannel::NextRecord(size_t left) const {
  if (records_ == Records::kFull || left <= kFullRecord || burst_bytes_ >= kSmallBurst) {
    return std::min(left, kFullRecord);
  }
  return kSmallRecord;
}

IoResult TlsChannel::Write(std::string_view bytes, bool last) {
  CHECK(established_ && !shutting_down_ && !bytes.empty());
  if (IsUnwritable()) return {IoStatus::kError};
  if (bio_.IsBlocked()) return {IoStatus::kWouldBlock};
  const base::SteadyTime now = event_.loop().now();
  if (now - last_write_ >= kRest) burst_bytes_ = 0;
  last_write_ = now;

  ForgetErrors();
  last = last && bytes.size() <= kMostWrite;
  bytes = bytes.substr(0, kMostWrite);
  size_t taken = 0;
  bool failed = false;
  while (taken < bytes.size() && !failed) {
    const size_t size = NextRecord(bytes.size() - taken);
    bio_.AnnounceLast(!last && taken + size == bytes.size());  // of the last, close_notify is
    size_t put = 0;
    failed = SSL_write_ex(ssl_.get(), bytes.data() + taken, size, &put) != 1;
    taken += put;
    burst_bytes_ = static_cast<uint32_t>(std::min<size_t>(burst_bytes_ + put, kSmallBurst));
  }
  bio_.AnnounceLast(false);
  if (last && !failed) {
    ShutdownWrite();
  } else if (bio_.HasScratch()) {
    bio_.Send();
  }
  if (failed) {
    // The BIO takes every record that Write() can make, so nothing but the end is left.
    ERR_clear_error();
    broken_ = true;
  }
  if (IsUnwritable()) return {IoStatus::kError};
  return {IoStatus::kOk, taken};
}

void TlsChannel::ShutdownWrite() {
  if (shutting_down_) return;
  shutting_down_ = true;
  if (established_ && !IsUnwritable()) {
    ForgetErrors();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    bio_.SendBeforeFin();
  }
  FinishShutdown();
}

void TlsChannel::FinishShutdown() {
  if (fin_sent_ || HasUnsent()) return;
  fin_sent_ = true;
  ::shutdown(fd_, SHUT_WR);
}

}  // namespace gatebook::tls
