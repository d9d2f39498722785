// TlsContext: how a worker speaks TLS to clients: versions, ciphers, certificates,
// tickets, protocols (ALPN). Makes the SSL objects of tls/tls_stream.h.
//
// One a worker: an SSL_CTX shared by threads is fought over (openssl#20286), and
// so are certificates and keys, whose counts go up and down with each
// connection; each context has its own copies. Inside there is one SSL_CTX a
// distinct set of certificates. The one that a client is to see is chosen when
// its hello is read and before anything in it is acted upon, so that a ticket is
// judged by the rules of the name it is shown for: a session is resumed only under
// the same server name, certificates, and client-certificate rules
// (the class of fault of CVE-2025-23419).
//
// What is spoken: TLS 1.2 and 1.3, ECDHE with AEAD only, no renegotiation, no
// compression, no early data. Sessions are remembered in tickets only, never here.
//
// Thread: the worker's. Owns: contexts, copies of certificates and keys, and the
// scratch memory in which its streams gather records.
// Ends: streams hold it by shared_ptr, so a reload may drop it at any time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "tls/certificate_store.h"
#include "tls/openssl_ptr.h"
#include "tls/socket_bio.h"
#include "tls/ticket_keys.h"

namespace gatebook::tls {

class TlsContext {
 public:
  // `protocols`: what ALPN may choose, our preference first. A client that offers ALPN
  // and none of these gets no_application_protocol (RFC 7301 §3.2). `tickets` null: no resumption.
  // Error: one sentence naming the certificate, or the client CA, that OpenSSL does not take.
  static base::Result<std::shared_ptr<TlsContext>> Make(const config::Tls& config,
                                                        std::shared_ptr<const CertificateStore> store,
                                                        std::shared_ptr<TicketKeys> tickets,
                                                        std::vector<std::string> protocols = {"http/1.1"});
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // A server's SSL without its socket. Null: no memory.
  SslPtr MakeSsl();
  RecordScratch& scratch() { return *scratch_; }

 private:
  using SessionContext = std::array<uint8_t, 32>;
  struct Served {  // one set of certificates
    SslCtxPtr context;
    SessionContext session_context{};  // of certificates and client rules; a connection's adds its name
  };

  TlsContext(std::shared_ptr<const CertificateStore> store, std::shared_ptr<TicketKeys> tickets,
             std::vector<std::string> protocols);

  base::Status LoadClientCa(const config::Tls& config);
  base::Result<Served> MakeServed(const config::Tls& config, const CertificateStore::Set& set);
  base::Status Configure(SSL_CTX* context, const config::Tls& config);
  base::Status UseCertificates(SSL_CTX* context, const CertificateStore::Set& set);

  static int OnClientHello(SSL* ssl, int* alert, void* self);
  static int OnAlpn(SSL* ssl, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void* self);
  static int OnTicket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                      EVP_MAC_CTX* mac, int seal);
  static SSL_TICKET_RETURN OnTicketOpened(SSL* ssl, SSL_SESSION* session, const unsigned char* name,
                                          size_t name_size, SSL_TICKET_STATUS status, void* self);
  bool Digest(std::span<const uint8_t> rules, std::string_view more, SessionContext& out) const;
  bool Choose(SSL* ssl, std::string_view server_name);
  int SealOrOpen(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool seal);

  std::shared_ptr<const CertificateStore> store_;
  std::shared_ptr<TicketKeys> tickets_;
  TicketKeyPair keys_;
  std::vector<std::string> protocols_;
  std::unique_ptr<RecordScratch> scratch_;
  // Fetched once: a fetch by name costs as much as the work it is for.
  DigestPtr sha256_;
  CipherPtr aes256_cbc_;
  X509StorePtr client_ca_;
  SessionContext client_rules_{};
  std::vector<Served> served_;  // as store_->sets()
};

}  // namespace gatebook::tls
