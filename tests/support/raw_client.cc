#include "tests/support/raw_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace gatebook::support {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

Deadline FromNow() { return std::chrono::steady_clock::now() + kPatience; }

std::string TlsError(const char* what) {
  char text[256];
  ERR_error_string_n(ERR_peek_last_error(), text, sizeof text);
  return std::string(what) + ": " + text;
}

base::UniqueFd ConnectUnix(const std::string& path) {
  base::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return {};
  return fd;
}

base::UniqueFd ConnectTcp(const ClientOptions& options) {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (options.receive_buffer > 0) {
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &options.receive_buffer, sizeof options.receive_buffer);
  }
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, options.source.c_str(), &address.sin_addr);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return {};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  address.sin_port = htons(options.port);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return {};
  return fd;
}

}  // namespace

RawClient::RawClient(ClientOptions options) {
  std::signal(SIGPIPE, SIG_IGN);  // SSL_write has no MSG_NOSIGNAL
  fd_ = options.unix_path.empty() ? ConnectTcp(options) : ConnectUnix(options.unix_path);
  if (!fd_.IsValid()) {
    failure_ = std::string("connect: ") + std::strerror(errno);
    return;
  }
  fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
  if (options.tls && options.unix_path.empty()) ShakeHands(options);
}

RawClient::~RawClient() = default;

void RawClient::ShakeHands(const ClientOptions& options) {
  ERR_clear_error();
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
  if (options.min_version) SSL_CTX_set_min_proto_version(context_.get(), options.min_version);
  if (options.max_version) {
    SSL_CTX_set_max_proto_version(context_.get(), options.max_version);
    // OpenSSL's default level refuses TLS 1.1 before the server could.
    if (options.max_version < TLS1_2_VERSION) SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
  }
  if (!options.certificate_file.empty()) {
    SSL_CTX_use_certificate_chain_file(context_.get(), options.certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(context_.get(), options.key_file.c_str(), SSL_FILETYPE_PEM);
  }
  ssl_.reset(SSL_new(context_.get()));
  if (!options.server_name.empty()) SSL_set_tlsext_host_name(ssl_.get(), options.server_name.c_str());
  if (!options.alpn.empty()) {
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                        static_cast<unsigned>(options.alpn.size()));
  }
  SSL_set_fd(ssl_.get(), fd_.get());
  const Deadline deadline = FromNow();
  for (;;) {
    const int done = SSL_connect(ssl_.get());
    if (done == 1) return;
    const int error = SSL_get_error(ssl_.get(), done);
    const short events = error == SSL_ERROR_WANT_READ ? POLLIN : error == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
    if (events == 0 || !Await(events, deadline)) {
      failure_ = events ? "handshake: no answer in time" : TlsError("handshake");
      return;
    }
  }
}

std::string RawClient::tls_version() const { return ssl_ ? SSL_get_version(ssl_.get()) : ""; }

std::string RawClient::server_names() const {
  std::string names;
  std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl_.get()), X509_free);
  if (!certificate) return names;
  auto* all = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all, i);
    if (name->type != GEN_DNS) continue;
    if (!names.empty()) names += ' ';
    names.append(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                 static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(all);
  return names;
}

std::string RawClient::server_key_type() const {
  std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl_.get()), X509_free);
  if (!certificate) return "";
  return EVP_PKEY_get0_type_name(X509_get0_pubkey(certificate.get()));
}

std::string RawClient::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  if (ssl_) SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return std::string(reinterpret_cast<const char*>(name), size);
}

bool RawClient::Await(short events, Deadline deadline) {
  pollfd wait{fd_.get(), events, 0};
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return left.count() > 0 && poll(&wait, 1, static_cast<int>(left.count())) == 1;
}

size_t RawClient::SendWithoutWaiting(std::string_view bytes) {
  size_t sent = 0;
  while (is_open() && sent < bytes.size()) {
    ssize_t n = 0;
    const std::string_view rest = bytes.substr(sent, 16384);
    if (ssl_) {
      ERR_clear_error();
      SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
      n = SSL_write(ssl_.get(), rest.data(), static_cast<int>(rest.size()));
    } else {
      n = send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    }
    if (n <= 0) {
      const int error = ssl_ ? SSL_get_error(ssl_.get(), static_cast<int>(n)) : 0;
      broken_ = ssl_ ? error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ
                     : errno != EAGAIN && errno != EINTR;
      break;
    }
    sent += static_cast<size_t>(n);
  }
  return sent;
}

bool RawClient::Send(std::string_view bytes) {
  const Deadline deadline = FromNow();
  while (!bytes.empty()) {
    const size_t sent = SendWithoutWaiting(bytes);
    bytes.remove_prefix(sent);
    if (sent > 0) continue;
    if (broken_ || !is_open() || !Await(POLLOUT, deadline)) return false;
  }
  return true;
}

bool RawClient::SendByteByByte(std::string_view bytes) {
  for (const char& byte : bytes) {
    if (!Send(std::string_view(&byte, 1))) return false;
  }
  return true;
}

void RawClient::ShutdownWrite() {
  if (ssl_) SSL_shutdown(ssl_.get());
  shutdown(fd_.get(), SHUT_WR);
}

void RawClient::Reset() {
  const linger now{1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  if (ssl_) SSL_set_quiet_shutdown(ssl_.get(), 1);
  ssl_.reset();
  fd_.Reset();
}

bool RawClient::Fill(Deadline deadline) {
  char bytes[16384];
  while (is_open() && !closed_) {
    ssize_t n = 0;
    short events = POLLIN;
    if (ssl_) {
      ERR_clear_error();
      n = SSL_read(ssl_.get(), bytes, sizeof bytes);
      if (n <= 0) {
        const int error = SSL_get_error(ssl_.get(), static_cast<int>(n));
        if (error == SSL_ERROR_WANT_WRITE) events = POLLOUT;
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
          closed_ = true;
          closed_cleanly_ = error == SSL_ERROR_ZERO_RETURN;
          return false;
        }
      }
    } else {
      n = recv(fd_.get(), bytes, sizeof bytes, 0);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        closed_ = true;
        closed_cleanly_ = n == 0;
        return false;
      }
    }
    if (n > 0) {
      buffer_.append(bytes, static_cast<size_t>(n));
      return true;
    }
    if (!Await(events, deadline)) return false;
  }
  return false;
}

std::optional<HttpMessage> RawClient::ReadResponse(bool head_only) {
  const Deadline deadline = FromNow();
  size_t head_end = 0;
  while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill(deadline)) return std::nullopt;
  }
  HttpMessage response = ParseHead(buffer_.substr(0, head_end + 4));
  buffer_.erase(0, head_end + 4);
  const int status = response.status();
  const bool has_body = !head_only && status >= 200 && status != 204 && status != 304;
  if (has_body && !response.chunked && !response.Field("content-length")) {
    response.body = ReadToClose();
    response.complete = closed_cleanly_;
    return response;
  }
  while (TakeBody(&response, &buffer_, has_body) == BodyEnd::kMore && Fill(FromNow())) {
  }
  return response;
}

std::optional<HttpMessage> RawClient::Get(std::string_view path, std::string_view extra_fields) {
  std::string request = "GET ";
  request.append(path).append(" HTTP/1.1\r\nHost: localhost\r\n").append(extra_fields).append("\r\n");
  if (!Send(request)) return std::nullopt;
  return ReadResponse();
}

std::string RawClient::Read(size_t size) {
  while (buffer_.size() < size && Fill(FromNow())) {
  }
  std::string taken = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return taken;
}

std::string RawClient::ReadSome() {
  if (buffer_.empty()) Fill(FromNow());
  return std::exchange(buffer_, {});
}

std::string RawClient::ReadToClose() {
  while (Fill(FromNow())) {
  }
  return std::exchange(buffer_, {});
}

bool RawClient::WaitClosed() { return ReadToClose().empty() && closed_; }

}  // namespace gatebook::support
