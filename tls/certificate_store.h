// CertificateStore: the certificates we can show, with their keys, and who is
// to see which.
//
// A server name (SNI) leads to a set: at most one certificate a key type, so
// that ECDSA and RSA stand side by side and the handshake takes what the client
// can do. Names come from the subject alternative names only (RFC 9525 §2: the
// common name is no name). A wildcard stands for exactly one label (RFC 6125
// §6.4.3). An exact name's set is completed from the wildcard's with the key
// types that it lacks. Of two certificates with one name and one key type the
// one configured first wins.
//
// Thread: immutable once loaded. Owns: certificates and keys.
// Limits: 64 KiB a PEM file, 10 certificates a chain.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "tls/openssl_ptr.h"

namespace gatebook::tls {

struct LoadedCertificate {
  X509Ptr leaf;
  std::vector<X509Ptr> chain;  // without the leaf, in the file's order
  KeyPtr key;
  int key_type = 0;                       // EVP_PKEY_RSA, EVP_PKEY_EC, EVP_PKEY_ED25519 …
  std::vector<std::string> names;         // lower case, wildcards as "*.example.com"
  std::array<uint8_t, 32> fingerprint{};  // SHA-256 of the leaf
};

// When it ends.
base::WallTime NotAfter(const LoadedCertificate& certificate);

class CertificateStore {
 public:
  // Indexes into certificates(), at most one a key type.
  using Set = std::vector<size_t>;

  // Error: the first file that can't be used, and why. What is only suspicious (not yet or
  // no longer valid, no names, a chain in disorder, a key that others may read) goes to `warnings`.
  static base::Result<std::shared_ptr<const CertificateStore>> Load(
      const std::vector<config::Certificate>& files, base::WallTime now, std::vector<std::string>& warnings);

  const std::vector<LoadedCertificate>& certificates() const { return certificates_; }
  // Every distinct set; the first is the default, that of the first certificate.
  const std::vector<Set>& sets() const { return sets_; }
  // Index into sets() for a lower-case server name; 0 for one that is not known or empty.
  size_t Find(std::string_view server_name) const;

 private:
  CertificateStore() = default;
  void Index();
  size_t SetOf(const Set& set);

  std::vector<LoadedCertificate> certificates_;
  std::vector<Set> sets_;
  std::map<std::string, size_t, std::less<>> exact_;
  std::map<std::string, size_t, std::less<>> wildcard_;  // key: what follows "*"
};

}  // namespace gatebook::tls
