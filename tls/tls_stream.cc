#include "tls/tls_stream.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

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
constexpr size_t kMostUnsent = 2 * RecordScratch::kSize;
constexpr size_t kMostQuiet = 64 * 1024;
constexpr size_t kMostSubject = 256;

}  // namespace

std::unique_ptr<TlsStream> TlsStream::Accepted(net::Loop& loop, base::UniqueFd fd,
                                               std::shared_ptr<TlsContext> context,
                                               net::StreamHandler& handler) {
  ForgetErrors();
  std::unique_ptr<TlsStream> stream(new TlsStream(loop, std::move(fd), std::move(context), handler));
  stream->ssl_ = stream->context_->MakeSsl();
  BIO* bio = BIO_new(BioMethod());
  if (!stream->ssl_ || bio == nullptr) {
    BIO_free(bio);
    ERR_clear_error();
    return nullptr;
  }
  BIO_set_data(bio, stream.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(stream->ssl_.get(), bio, bio);
  if (!stream->event_.Watch(stream->fd_.get())) return nullptr;
  return stream;
}

TlsStream::TlsStream(net::Loop& loop, base::UniqueFd fd, std::shared_ptr<TlsContext> context,
                     net::StreamHandler& handler)
    : fd_(std::move(fd)), context_(std::move(context)), event_(loop, *this), handler_(handler) {}

TlsStream::~TlsStream() = default;

// ---- The BIO: what OpenSSL takes for the network.

const BIO_METHOD* TlsStream::BioMethod() {
  static const BioMethodPtr method = [] {
    BioMethodPtr made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gatebook"));
    CHECK(made != nullptr && BIO_meth_set_read_ex(made.get(), &TlsStream::OnBioRead) == 1 &&
          BIO_meth_set_write_ex(made.get(), &TlsStream::OnBioWrite) == 1 &&
          BIO_meth_set_ctrl(made.get(), &TlsStream::OnBioControl) == 1);
    return made;
  }();
  return method.get();
}

int TlsStream::OnBioRead(BIO* bio, char* into, size_t size, size_t* got) {
  auto& me = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *got = 0;
  if (me.broken_ || me.at_end_) return 0;
  if (me.quiet_bytes_ > kMostQuiet) {
    me.broken_ = true;
    return 0;
  }
  while (!me.drained_) {
    const ssize_t count = ::recv(me.fd_.get(), into, size, 0);
    if (count > 0) {
      *got = static_cast<size_t>(count);
      me.quiet_bytes_ += static_cast<uint32_t>(count);
      // Less than asked for: nothing more is there, unless a FIN came with it.
      if (*got < size && !me.event_.peer_closed()) me.drained_ = true;
      return 1;
    }
    if (count == 0) {
      me.at_end_ = true;
      return 0;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      me.broken_ = true;
      return 0;
    }
    me.drained_ = true;
  }
  BIO_set_retry_read(bio);
  return 0;
}

int TlsStream::OnBioWrite(BIO* bio, const char* bytes, size_t size, size_t* put) {
  auto& me = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *put = 0;
  if (me.broken_) return 0;
  if (me.last_record_) {
    me.Send({bytes, size});
  } else {
    RecordScratch& scratch = me.context_->scratch();
    if (scratch.size + size > scratch.bytes.size() || me.UnsentSize() + scratch.size + size > kMostUnsent) {
      me.Send();
      if (size > scratch.bytes.size() || me.UnsentSize() + size > kMostUnsent) {
        BIO_set_retry_write(bio);
        return 0;
      }
    }
    std::memcpy(scratch.bytes.data() + scratch.size, bytes, size);
    scratch.size += size;
  }
  if (me.broken_) return 0;
  *put = size;
  return 1;
}

long TlsStream::OnBioControl(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;  // whoever called OpenSSL sends what the call left in the scratch
    case BIO_CTRL_EOF:
      return static_cast<TlsStream*>(BIO_get_data(bio))->at_end_ ? 1 : 0;
    default:
      return 0;
  }
}

void TlsStream::Send(std::string_view last) {
  RecordScratch& scratch = context_->scratch();
  const std::array<std::string_view, 3> parts = {std::string_view(unsent_).substr(unsent_at_),
                                                 std::string_view(scratch.bytes.data(), scratch.size), last};
  std::array<iovec, 3> vectors{};
  size_t count = 0;
  size_t size = 0;
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    vectors[count++] = {const_cast<char*>(part.data()), part.size()};
    size += part.size();
  }
  size_t sent = 0;
  while (size > 0 && !blocked_ && !broken_) {
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t done = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (done >= 0) {
      sent = static_cast<size_t>(done);
      blocked_ = sent < size;
      break;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      blocked_ = true;
    } else {
      broken_ = true;
    }
  }
  KeepUnsent(parts, sent);
  scratch.size = 0;
}

void TlsStream::KeepUnsent(std::array<std::string_view, 3> parts, size_t sent) {
  const size_t from_unsent = std::min(sent, parts[0].size());
  if (from_unsent == parts[0].size()) {
    if (unsent_.capacity() > 0) std::string().swap(unsent_);
    unsent_at_ = 0;
  } else {
    unsent_at_ += static_cast<uint32_t>(from_unsent);
  }
  if (broken_) return;
  sent -= from_unsent;
  for (size_t i = 1; i < parts.size(); ++i) {
    const size_t skip = std::min(sent, parts[i].size());
    sent -= skip;
    if (skip < parts[i].size()) unsent_.append(parts[i].substr(skip));
  }
}

// ---- Events and the handshake.

void TlsStream::OnReady(bool readable, bool writable) {
  if (readable) drained_ = false;
  if (writable && blocked_) {
    blocked_ = false;
    Send();
  }
  if (failed_) return;
  if (!established_) {
    if (readable || UnsentSize() > 0) Handshake();
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
  Send();  // our part of the handshake, or the alert that says what is wrong with theirs
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
    Fail();
  } else if (broken_) {
    Fail();
  }
}

void TlsStream::Establish() {
  established_ = true;
  quiet_bytes_ = 0;
  // With TLS 1.3 the server speaks last in the flight before: what is left now is the ticket.
  if (version() == 13) {
    const RecordScratch& scratch = context_->scratch();
    unsent_.append(scratch.bytes.data(), scratch.size);
    context_->scratch().size = 0;
  } else {
    Send();
  }
  handler_.OnStreamReady();
}

void TlsStream::Fail() {
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  const char* text = error == 0 ? nullptr : ERR_reason_error_string(error);
  if (text != nullptr) {
    failure_ = text;
  } else if (quiet_bytes_ > kMostQuiet) {
    failure_ = "too many bytes before the end of the handshake";
  } else {
    failure_ = at_end_ ? "closed by the client" : "connection broken";
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
  if (broken_) return {IoStatus::kError};
  if (ended_) return {IoStatus::kEnd};
  if (drained_ && !at_end_ && SSL_has_pending(ssl_.get()) == 0) return {IoStatus::kWouldBlock};
  ForgetErrors();
  size_t got = 0;
  const int done = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
  // Key updates and the like may have been answered.
  if (context_->scratch().size > 0) [[unlikely]]
    Send();
  if (done == 1) {
    quiet_bytes_ = 0;
    return {IoStatus::kOk, got};
  }
  return OnReadStopped(SSL_get_error(ssl_.get(), done));
}

IoResult TlsStream::OnReadStopped(int error) {
  if (broken_) {
    ERR_clear_error();
    return {IoStatus::kError};
  }
  switch (error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {IoStatus::kWouldBlock};
    case SSL_ERROR_ZERO_RETURN:
      ended_ = true;
      truncated_ = at_end_;
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
  if (broken_) return {IoStatus::kError};
  if (blocked_) return {IoStatus::kWouldBlock};
  const base::SteadyTime now = event_.loop().now();
  if (now - last_write_ >= kRest) burst_bytes_ = 0;
  last_write_ = now;

  ForgetErrors();
  bytes = bytes.substr(0, kMostWrite);
  size_t taken = 0;
  bool failed = false;
  while (taken < bytes.size() && !failed) {
    const size_t size = NextRecord(bytes.size() - taken);
    last_record_ = taken + size == bytes.size();
    size_t put = 0;
    failed = SSL_write_ex(ssl_.get(), bytes.data() + taken, size, &put) != 1;
    taken += put;
    burst_bytes_ = static_cast<uint32_t>(std::min<size_t>(burst_bytes_ + put, kSmallBurst));
  }
  last_record_ = false;
  if (context_->scratch().size > 0) Send();
  if (failed) {
    // The BIO takes every record that Write() can make, so nothing but the end is left.
    ERR_clear_error();
    broken_ = true;
  }
  if (broken_) return {IoStatus::kError};
  return {IoStatus::kOk, taken};
}

void TlsStream::ShutdownWrite() {
  if (shutting_down_) return;
  shutting_down_ = true;
  if (established_ && !broken_) {
    ForgetErrors();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    Send();
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
