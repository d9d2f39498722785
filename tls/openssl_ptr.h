// RAII for OpenSSL's objects, and the discipline for its error queue.
//
// The queue is one a thread, and SSL_get_error() believes whatever it finds
// there: an entry that some other call left behind turns "would block" into the
// death of a connection that has done nothing wrong. So whoever calls an SSL
// function begins with ForgetErrors(), and whoever gets an error takes it out.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace gatebook::tls {

template <auto Free>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free>>;
using BioMethodPtr = std::unique_ptr<BIO_METHOD, OpensslFree<BIO_meth_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, OpensslFree<X509_STORE_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslFree<SSL_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER, OpensslFree<EVP_CIPHER_free>>;
using DigestPtr = std::unique_ptr<EVP_MD, OpensslFree<EVP_MD_free>>;

// Peeking is cheaper than clearing, and there is hardly ever anything to clear.
inline void ForgetErrors() {
  if (ERR_peek_error() != 0) [[unlikely]]
    ERR_clear_error();
}

// The reason of the first error in the queue, which is emptied; "" if there was none.
inline std::string TakeError() {
  const unsigned long error = ERR_peek_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  ERR_clear_error();
  return reason == nullptr ? std::string() : std::string(reason);
}

}  // namespace gatebook::tls
