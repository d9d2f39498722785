// TlsClientContext: how we speak TLS to servers of one kind (those of an upstream, Redis): whom we
// believe, which name we ask for, what we show, which protocol we speak.
//
// What is spoken: TLS 1.2 and 1.3, ECDHE with AEAD, no renegotiation, no early data. Names are
// verified against the subject alternative names only, a wildcard is a whole label (RFC 9525). The
// newest session of each server is kept and resumed; one context a thread and kind,
// so a session never meets another name, client certificate or trust.
//
// Thread: one. Owns: the SSL_CTX, sessions, and the scratch memory in which its streams
// gather records. Ends: streams hold it by shared_ptr, so a reload may drop it at any time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "tls/openssl_ptr.h"
#include "tls/socket_bio.h"
#include "tls/trust_store.h"

namespace gatebook::tls {

class TlsClientContext {
 public:
  // `protocol`: asked for by ALPN; empty: none is. `trust`: null where peer.tls_verify is off. Error: one
  // sentence naming the file that OpenSSL does not take.
  static base::Result<std::shared_ptr<TlsClientContext>> Make(const config::TlsPeer& peer,
                                                              const std::vector<config::Endpoint>& servers,
                                                              std::string protocol,
                                                              std::shared_ptr<const TrustStore> trust);
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;

  // A client's SSL for servers[server], without its socket. Null: no memory.
  SslPtr MakeSsl(size_t server);
  // Whether what ALPN agreed upon is the protocol asked for. No answer to ALPN
  // is one for HTTP/1.1 (RFC 9113 §3.3 wants "h2" said).
  bool IsProtocolAgreed(const SSL* ssl) const;
  // What to say where it is not; a literal.
  const char* disagreement() const;
  RecordScratch& scratch() { return *scratch_; }

 private:
  struct SessionFree {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  };
  struct Peer {
    std::string name;  // to verify
    bool is_address;   // an address is verified, and not asked for (RFC 6066 §3)
    std::unique_ptr<SSL_SESSION, SessionFree> session;
  };

  TlsClientContext(const config::TlsPeer& peer, const std::vector<config::Endpoint>& servers,
                   std::string protocol, std::shared_ptr<const TrustStore> trust);
  base::Status Configure(const config::TlsPeer& peer);
  base::Status UseCertificate(const config::TlsPeer& peer);
  static int OnSession(SSL* ssl, SSL_SESSION* session);

  SslCtxPtr context_;
  std::shared_ptr<const TrustStore> trust_;
  const std::string protocol_;
  std::unique_ptr<RecordScratch> scratch_;
  std::vector<Peer> peers_;  // as servers
};

}  // namespace gatebook::tls
