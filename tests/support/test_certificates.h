// Certificates for tests, made in the process: a root, and leaves that it signs.
//
// Owns: nothing outside; texts are PEM. Making RSA keys is slow, so one is made
// once and shared by all leaves of its kind.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tls/openssl_ptr.h"

namespace gatebook::support {

enum class KeyKind { kEcdsa, kRsa };

struct CertificateText {
  std::string chain;  // leaf first
  std::string key;
};

struct CertificateRequest {
  std::vector<std::string> dns_names = {};  // also "*.example.com"
  std::vector<std::string> ip_addresses = {};
  std::string common_name = "gatebook test";
  KeyKind kind = KeyKind::kEcdsa;
  bool for_client = false;        // extended key usage clientAuth, not serverAuth
  std::chrono::hours begins{-1};  // from now
  std::chrono::hours ends{24};
};

// A root certificate that lives as long as the object.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& common_name = "gatebook test root");

  CertificateText Issue(const CertificateRequest& request) const;
  const std::string& certificate() const { return text_; }  // PEM

 private:
  tls::KeyPtr key_;
  tls::X509Ptr certificate_;
  std::string text_;
};

tls::KeyPtr MakeKey(KeyKind kind);
std::string ToPem(const EVP_PKEY* key);
std::string ToPem(X509* certificate);

}  // namespace gatebook::support
