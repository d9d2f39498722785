#include "tests/support/test_certificates.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/check.h"

namespace gatebook::support {
namespace {

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

void AddExtension(X509* certificate, const X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, const_cast<X509*>(issuer), certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  CHECK(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

tls::X509Ptr Begin(const std::string& common_name, EVP_PKEY* key, std::chrono::seconds begins,
                   std::chrono::seconds ends) {
  tls::X509Ptr certificate(X509_new());
  uint64_t serial = 0;
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), begins.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), ends.count());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  CHECK(X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

}  // namespace

tls::KeyPtr MakeKey(KeyKind kind) {
  if (kind == KeyKind::kEcdsa) return tls::KeyPtr(EVP_EC_gen("P-256"));
  static EVP_PKEY* const rsa = EVP_RSA_gen(2048);
  return tls::KeyPtr(EVP_PKEY_dup(rsa));
}

std::string ToPem(const EVP_PKEY* key) {
  const tls::BioPtr bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return TextOf(bio.get());
}

std::string ToPem(X509* certificate) {
  const tls::BioPtr bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_X509(bio.get(), certificate) == 1);
  return TextOf(bio.get());
}

TestAuthority::TestAuthority(const std::string& common_name)
    : key_(MakeKey(KeyKind::kEcdsa)),
      certificate_(Begin(common_name, key_.get(), std::chrono::hours(-1), std::chrono::hours(48))) {
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  AddExtension(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate_.get(), certificate_.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  AddExtension(certificate_.get(), certificate_.get(), NID_subject_key_identifier, "hash");
  CHECK(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0);
  text_ = ToPem(certificate_.get());
}

CertificateText TestAuthority::Issue(const CertificateRequest& request) const {
  const tls::KeyPtr key = MakeKey(request.kind);
  const tls::X509Ptr leaf = Begin(request.common_name, key.get(), request.begins, request.ends);
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(certificate_.get()));
  AddExtension(leaf.get(), certificate_.get(), NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(leaf.get(), certificate_.get(), NID_key_usage, "critical,digitalSignature");
  AddExtension(leaf.get(), certificate_.get(), NID_ext_key_usage,
               request.for_client ? "clientAuth" : "serverAuth");
  AddExtension(leaf.get(), certificate_.get(), NID_authority_key_identifier, "keyid");
  std::string names;
  for (const std::string& name : request.dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  for (const std::string& address : request.ip_addresses) names += (names.empty() ? "IP:" : ",IP:") + address;
  if (!names.empty()) AddExtension(leaf.get(), certificate_.get(), NID_subject_alt_name, names);
  CHECK(X509_sign(leaf.get(), key_.get(), EVP_sha256()) > 0);
  return {ToPem(leaf.get()), ToPem(key.get())};
}

}  // namespace gatebook::support
