#include "tls/tls_client_context.h"

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include "base/ip_address.h"

namespace gatebook::tls {
namespace {

constexpr char kCiphers12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr int kMostChain = 8;

// Where an SSL keeps the number of its peer.
void SetPeer(SSL* ssl, size_t server) { SSL_set_app_data(ssl, reinterpret_cast<char*>(server)); }
size_t PeerOf(const SSL* ssl) { return reinterpret_cast<size_t>(SSL_get_app_data(ssl)); }

base::Error FileError(const std::string& file, const char* what) {
  return {fmt::format("{}: {}: {}", file, what, TakeError()), base::ExitCode::kConfig};
}

}  // namespace

TlsClientContext::TlsClientContext(const config::TlsPeer& peer, const std::vector<config::Endpoint>& servers,
                                   std::string protocol, std::shared_ptr<const TrustStore> trust)
    : context_(SSL_CTX_new(TLS_client_method())),
      trust_(std::move(trust)),
      protocol_(std::move(protocol)),
      scratch_(new RecordScratch) {
  for (const config::Endpoint& server : servers) {
    std::string name = peer.tls_name;
    if (name.empty())
      name = server.kind == config::Endpoint::Kind::kIp ? server.ip.ToText() : server.hostname;
    const bool is_address = base::IpAddress::Parse(name).has_value();
    peers_.push_back({std::move(name), is_address, nullptr});
  }
}

base::Result<std::shared_ptr<TlsClientContext>> TlsClientContext::Make(
    const config::TlsPeer& peer, const std::vector<config::Endpoint>& servers, std::string protocol,
    std::shared_ptr<const TrustStore> trust) {
  ForgetErrors();
  std::shared_ptr<TlsClientContext> made(
      new TlsClientContext(peer, servers, std::move(protocol), std::move(trust)));
  if (!made->context_) return base::Error{fmt::format("cannot make a TLS context: {}", TakeError())};
  if (const auto done = made->Configure(peer); !done.ok()) return done.error();
  if (const auto done = made->UseCertificate(peer); !done.ok()) return done.error();
  return made;
}

base::Status TlsClientContext::Configure(const config::TlsPeer& peer) {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_options(context,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &TlsClientContext::OnSession);
  const std::string protocols = static_cast<char>(protocol_.size()) + protocol_;
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, kCiphers12) != 1 ||
      (!protocol_.empty() &&
       SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()),
                               static_cast<unsigned int>(protocols.size())) != 0)) {
    return base::Error{fmt::format("this OpenSSL cannot be set up for TLS 1.2 and 1.3: {}", TakeError())};
  }
  if (!peer.tls_verify) return {};
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_verify_depth(context, kMostChain);
  SSL_CTX_set1_cert_store(context, trust_->get());
  return {};
}

base::Status TlsClientContext::UseCertificate(const config::TlsPeer& peer) {
  if (peer.tls_certificate.empty()) return {};
  SSL_CTX* context = context_.get();
  if (SSL_CTX_use_certificate_chain_file(context, peer.tls_certificate.c_str()) != 1) {
    return FileError(peer.tls_certificate, "is no usable PEM certificate");
  }
  if (SSL_CTX_use_PrivateKey_file(context, peer.tls_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return FileError(peer.tls_key, "is not the PEM private key of that certificate");
  }
  return {};
}

SslPtr TlsClientContext::MakeSsl(size_t server) {
  const Peer& peer = peers_[server];
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return nullptr;
  SSL_set_connect_state(ssl.get());
  SetPeer(ssl.get(), server);
  X509_VERIFY_PARAM* verify = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(verify,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const bool named = peer.is_address
                         ? X509_VERIFY_PARAM_set1_ip_asc(verify, peer.name.c_str()) == 1
                         : X509_VERIFY_PARAM_set1_host(verify, peer.name.c_str(), peer.name.size()) == 1 &&
                               SSL_set_tlsext_host_name(ssl.get(), peer.name.c_str()) == 1;
  if (!named || (peer.session && SSL_set_session(ssl.get(), peer.session.get()) != 1)) {
    ERR_clear_error();
    return nullptr;
  }
  return ssl;
}

bool TlsClientContext::IsProtocolAgreed(const SSL* ssl) const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  if (size == 0) return protocol_ != "h2";
  return std::string_view(reinterpret_cast<const char*>(name), size) == protocol_;
}

const char* TlsClientContext::disagreement() const {
  return protocol_ == "h2" ? "the server did not choose h2 by ALPN"
                           : "the server does not speak the protocol";
}

int TlsClientContext::OnSession(SSL* ssl, SSL_SESSION* session) {
  auto* context = static_cast<TlsClientContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  context->peers_[PeerOf(ssl)].session.reset(session);
  return 1;  // the session is ours now
}

}  // namespace gatebook::tls
