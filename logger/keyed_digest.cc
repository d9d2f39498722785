#include "logger/keyed_digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>

#include "base/check.h"

namespace gatebook::logger {
namespace {

KeyedDigest Hmac(std::span<const uint8_t> key, std::string_view text) {
  KeyedDigest digest;
  unsigned size = digest.size();
  CHECK(::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
               reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
               &size) != nullptr);
  return digest;
}

}  // namespace

DigestKey::DigestKey(std::span<const uint8_t> session_key, std::string_view use)
    : bytes_(Hmac(session_key, use)) {}

KeyedDigest DigestKey::Sign(std::string_view kind, std::span<const uint8_t> bytes) const {
  std::string text(kind);
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return Hmac(bytes_, text);
}

KeyedDigest DigestKey::Of(const SessionId& session) const { return Sign("session ", session.bytes); }
KeyedDigest DigestKey::Of(const base::IpAddress& ip) const { return Sign("address ", ip.bytes()); }

KeyedDigest DigestKey::Of(const base::IpAddress& ip, int bits) const {
  return Sign(fmt::format("network {} ", bits), ip.Masked(bits).bytes());
}

}  // namespace gatebook::logger
