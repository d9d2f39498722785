// TrustStore: whose signatures we believe when we are the client.
//
// Read whole when it is made, so that no handshake ever waits for the disk (OpenSSL's own
// directory look-up reads files while it verifies).
//
// Thread: immutable once loaded; OpenSSL locks it inside, so that contexts of many threads may share it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "tls/openssl_ptr.h"

namespace gatebook::tls {

class TrustStore {
 public:
  // Of a PEM file; an error if there is no certificate in it.
  static base::Result<std::shared_ptr<const TrustStore>> Load(const std::string& file);
  // Whom this system trusts: OpenSSL's file and directory, and what SSL_CERT_FILE and SSL_CERT_DIR say
  // instead. It may be nobody.
  static std::shared_ptr<const TrustStore> System();

  // Whom `peer` says, read anew: its file, or System(). Null where it says that nothing is verified.
  static base::Result<std::shared_ptr<const TrustStore>> Of(const config::TlsPeer& peer);

  X509_STORE* get() const { return store_.get(); }

 private:
  TrustStore() : store_(X509_STORE_new()) {}
  X509StorePtr store_;
};

}  // namespace gatebook::tls
