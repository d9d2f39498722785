#include "tls/tls_context.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/ascii.h"

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace gatebook::tls {
namespace {

bool HasAesInstructions() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("aes") != 0;
#elif defined(__aarch64__)
  return (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#else
  return false;
#endif
}

// The server's order counts, ECDSA before RSA as it costs a tenth to sign. A client whose
// own first choice is ChaCha20 (no AES instructions) gets it (SSL_OP_PRIORITIZE_CHACHA).
// AES-128 first: ten rounds for fourteen, and SHA-256 in the key schedule.
constexpr char kSuites13[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr char kSuites13NoAes[] =
    "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";
constexpr char kCiphers12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";
constexpr char kCiphers12NoAes[] =
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";
constexpr char kGroups[] = "X25519:P-256:P-384";
constexpr char kSignatures[] =
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
    "RSA+SHA256:RSA+SHA384:RSA+SHA512";

constexpr int kMostClientChain = 8;
constexpr size_t kMostServerName = 255;

base::Error ConfigError(std::string message) { return {std::move(message), base::ExitCode::kConfig}; }

// The host name of a server_name extension (RFC 6066 §3), lower case into `buffer`; empty if
// the client sent none. False: malformed.
bool ReadServerName(SSL* ssl, std::array<char, kMostServerName>& buffer, std::string_view& name) {
  const unsigned char* data = nullptr;
  size_t size = 0;
  name = {};
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) != 1) return true;
  // One list of one entry: u16 size of the list, u8 type, u16 size of the name, the name.
  constexpr size_t kHeader = 5;
  if (size <= kHeader) return false;
  const size_t list = static_cast<size_t>(data[0]) << 8 | data[1];
  const size_t length = static_cast<size_t>(data[3]) << 8 | data[4];
  if (list != size - 2 || data[2] != TLSEXT_NAMETYPE_host_name || length != size - kHeader) return false;
  if (length > kMostServerName || std::memchr(data + kHeader, 0, length) != nullptr) return false;
  for (size_t i = 0; i < length; ++i) buffer[i] = base::ToAsciiLower(static_cast<char>(data[kHeader + i]));
  name = {buffer.data(), length};
  return true;
}

int AcceptServerName(SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; }

}  // namespace

TlsContext::TlsContext(std::shared_ptr<const CertificateStore> store, std::shared_ptr<TicketKeys> tickets,
                       std::vector<std::string> protocols)
    : store_(std::move(store)),
      tickets_(std::move(tickets)),
      protocols_(std::move(protocols)),
      scratch_(new RecordScratch),
      sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
      aes256_cbc_(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)) {}

base::Result<std::shared_ptr<TlsContext>> TlsContext::Make(const config::Tls& config,
                                                           std::shared_ptr<const CertificateStore> store,
                                                           std::shared_ptr<TicketKeys> tickets,
                                                           std::vector<std::string> protocols) {
  ForgetErrors();
  if (!config.tickets) tickets.reset();
  std::shared_ptr<TlsContext> made(
      new TlsContext(std::move(store), std::move(tickets), std::move(protocols)));
  if (!made->sha256_ || !made->aes256_cbc_) {
    return base::Error{fmt::format("this OpenSSL lacks SHA-256 or AES-256: {}", TakeError())};
  }
  if (const auto loaded = made->LoadClientCa(config); !loaded) return loaded.error();
  for (const CertificateStore::Set& set : made->store_->sets()) {
    auto served = made->MakeServed(config, set);
    if (!served) return served.error();
    made->served_.push_back(std::move(*served));
  }
  return made;
}

base::Status TlsContext::LoadClientCa(const config::Tls& config) {
  std::string rules(1, static_cast<char>(config.client_certificates));
  if (config.client_certificates != config::ClientCertificates::kNone) {
    std::ifstream file(config.client_ca, std::ios::binary);
    rules.append(std::istreambuf_iterator<char>(file), {});
    client_ca_.reset(X509_STORE_new());
    if (!file || !client_ca_ || X509_STORE_load_file(client_ca_.get(), config.client_ca.c_str()) != 1) {
      return ConfigError(
          fmt::format("{}: is not a readable file of PEM certificates: {}", config.client_ca, TakeError()));
    }
  }
  if (!Digest({}, rules, client_rules_)) return base::Error{TakeError()};
  return {};
}

base::Result<TlsContext::Served> TlsContext::MakeServed(const config::Tls& config,
                                                        const CertificateStore::Set& set) {
  Served served;
  served.context.reset(SSL_CTX_new(TLS_server_method()));
  if (!served.context) return base::Error{fmt::format("cannot make a TLS context: {}", TakeError())};
  if (const auto done = Configure(served.context.get(), config); !done) return done.error();
  if (const auto done = UseCertificates(served.context.get(), set); !done) return done.error();
  std::string fingerprints;
  for (const size_t index : set) {
    const auto& fingerprint = store_->certificates()[index].fingerprint;
    fingerprints.append(fingerprint.begin(), fingerprint.end());
  }
  if (!Digest(client_rules_, fingerprints, served.session_context)) return base::Error{TakeError()};
  return served;
}

base::Status TlsContext::Configure(SSL_CTX* context, const config::Tls& config) {
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Without NO_AUTO_CHAIN a chain is searched for, and verified, in every handshake.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(context, 1);
  const bool aes = HasAesInstructions();
  if (SSL_CTX_set_min_proto_version(context, config.min_version >= 13 ? TLS1_3_VERSION : TLS1_2_VERSION) !=
          1 ||
      SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context, aes ? kSuites13 : kSuites13NoAes) != 1 ||
      SSL_CTX_set_cipher_list(context, aes ? kCiphers12 : kCiphers12NoAes) != 1 ||
      SSL_CTX_set1_groups_list(context, kGroups) != 1 ||
      SSL_CTX_set1_sigalgs_list(context, kSignatures) != 1) {
    return base::Error{fmt::format("this OpenSSL cannot be set up for TLS 1.2 and 1.3: {}", TakeError())};
  }

  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (tickets_) {
    constexpr std::chrono::seconds kMostLifetime = std::chrono::hours(24 * 7);  // RFC 8446 §4.6.1
    const auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(2 * tickets_->rotation());
    SSL_CTX_set_timeout(context, std::clamp(lifetime, std::chrono::seconds(1), kMostLifetime).count());
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &TlsContext::OnTicket);
  } else {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
  }

  SSL_CTX_set_client_hello_cb(context, &TlsContext::OnClientHello, this);
  SSL_CTX_set_tlsext_servername_callback(context, &AcceptServerName);
  SSL_CTX_set_alpn_select_cb(context, &TlsContext::OnAlpn, this);

  if (config.client_certificates == config::ClientCertificates::kNone) return {};
  int mode = SSL_VERIFY_PEER;
  if (config.client_certificates == config::ClientCertificates::kRequired)
    mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, mode, nullptr);
  SSL_CTX_set_verify_depth(context, kMostClientChain);
  SSL_CTX_set1_cert_store(context, client_ca_.get());
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(config.client_ca.c_str()));
  SSL_CTX_set_session_ticket_cb(context, nullptr, &TlsContext::OnTicketOpened, this);
  return {};
}

base::Status TlsContext::UseCertificates(SSL_CTX* context, const CertificateStore::Set& set) {
  for (const size_t index : set) {
    const LoadedCertificate& certificate = store_->certificates()[index];
    const X509Ptr leaf(X509_dup(certificate.leaf.get()));
    const KeyPtr key(EVP_PKEY_dup(certificate.key.get()));
    STACK_OF(X509)* chain = sk_X509_new_null();
    for (const X509Ptr& one : certificate.chain) sk_X509_push(chain, X509_dup(one.get()));
    const bool used = SSL_CTX_use_cert_and_key(context, leaf.get(), key.get(), chain, 1) == 1;
    sk_X509_pop_free(chain, X509_free);
    if (!used) {
      const std::string name =
          certificate.names.empty() ? "without a name" : "for " + certificate.names.front();
      return ConfigError(fmt::format("the certificate {} cannot be used: {}", name, TakeError()));
    }
  }
  return {};
}

SslPtr TlsContext::MakeSsl() {
  SslPtr ssl(SSL_new(served_.front().context.get()));
  if (ssl) SSL_set_accept_state(ssl.get());
  return ssl;
}

bool TlsContext::Digest(std::span<const uint8_t> rules, std::string_view more, SessionContext& out) const {
  std::array<uint8_t, 32 + 4096> bytes;
  if (rules.size() + more.size() <= bytes.size()) [[likely]] {
    std::copy(rules.begin(), rules.end(), bytes.begin());
    std::copy(more.begin(), more.end(), bytes.begin() + static_cast<ptrdiff_t>(rules.size()));
    return EVP_Digest(bytes.data(), rules.size() + more.size(), out.data(), nullptr, sha256_.get(),
                      nullptr) == 1;
  }
  std::string long_bytes(rules.begin(), rules.end());
  long_bytes += more;
  return EVP_Digest(long_bytes.data(), long_bytes.size(), out.data(), nullptr, sha256_.get(), nullptr) == 1;
}

int TlsContext::OnClientHello(SSL* ssl, int* alert, void* self) {
  std::array<char, kMostServerName> buffer;
  std::string_view name;
  if (!ReadServerName(ssl, buffer, name)) {
    *alert = SSL_AD_DECODE_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
  }
  if (!static_cast<TlsContext*>(self)->Choose(ssl, name)) {
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

bool TlsContext::Choose(SSL* ssl, std::string_view server_name) {
  const size_t index = server_name.empty() ? 0 : store_->Find(server_name);
  const Served& served = served_[index];
  if (index != 0 && SSL_set_SSL_CTX(ssl, served.context.get()) == nullptr) return false;
  if (!tickets_ && !client_ca_) return true;
  // A session is only ever resumed where this is the same (ssl_get_prev_session()).
  SessionContext context;
  return Digest(served.session_context, server_name, context) &&
         SSL_set_session_id_context(ssl, context.data(), context.size()) == 1;
}

int TlsContext::OnAlpn(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                       unsigned int offered_size, void* self) {
  // Our order counts. OpenSSL has checked that the list is well formed and not empty.
  for (const std::string& protocol : static_cast<TlsContext*>(self)->protocols_) {
    for (unsigned int at = 0; at < offered_size; at += 1U + offered[at]) {
      const unsigned int length = offered[at];
      if (length > offered_size - at - 1) break;
      if (length != protocol.size() || std::memcmp(offered + at + 1, protocol.data(), length) != 0) continue;
      *chosen = offered + at + 1;
      *size = offered[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol
}

int TlsContext::OnTicket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                         EVP_MAC_CTX* mac, int seal) {
  auto* context = static_cast<TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const int done = context->SealOrOpen(name, iv, cipher, mac, seal == 1);
  // A client of TLS 1.3 uses a ticket once (RFC 8446 §C.4), so it gets a new one each time. The ticket also carries
  // the acknowledgement of the client's last flight, for which Nagle's algorithm may be waiting.
  return done == 1 && seal == 0 && SSL_version(ssl) == TLS1_3_VERSION ? 2 : done;
}

// See SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 0 no ticket, 1 done, 2 opened and to be
// replaced, -1 error.
int TlsContext::SealOrOpen(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                           bool seal) {
  tickets_->Refresh(keys_);
  const auto named = [name](const TicketKey& key) {
    return key.usable && std::memcmp(name, key.name.data(), key.name.size()) == 0;
  };
  const TicketKey* key = nullptr;
  if (seal) {
    if (keys_.current.usable) key = &keys_.current;
  } else if (named(keys_.current)) {
    key = &keys_.current;
  } else if (named(keys_.previous)) {
    key = &keys_.previous;
  }
  if (key == nullptr) return 0;
  if (seal) {
    std::copy(key->name.begin(), key->name.end(), name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes256_cbc_.get())) != 1) return -1;
  }
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  if (EVP_CipherInit_ex2(cipher, aes256_cbc_.get(), key->cipher_key.data(), iv, seal ? 1 : 0, nullptr) != 1 ||
      EVP_MAC_init(mac, key->mac_key.data(), key->mac_key.size(), parameters) != 1) {
    return -1;
  }
  return key == &keys_.current ? 1 : 2;
}

// Only where clients show certificates: a session must not outlive the certificate that
// it was begun with.
SSL_TICKET_RETURN TlsContext::OnTicketOpened(SSL*, SSL_SESSION* session, const unsigned char*, size_t,
                                             SSL_TICKET_STATUS status, void*) {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  const X509* peer = SSL_SESSION_get0_peer(session);
  if (peer != nullptr && X509_cmp_current_time(X509_get0_notAfter(peer)) <= 0)
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

}  // namespace gatebook::tls
