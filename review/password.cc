#include "review/password.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <charconv>

#include "base/check.h"
#include "base/hex.h"

namespace gatebook::review {
namespace {

constexpr size_t kLeast = 8;
constexpr size_t kMost = 1024;
constexpr uint64_t kMostMemory = 320ULL << 20;

bool TakeNumber(std::string_view& rest, uint32_t least, uint32_t most, uint32_t* number) {
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), *number);
  if (error != std::errc() || *number < least || *number > most) return false;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  if (!rest.starts_with(':')) return false;
  rest.remove_prefix(1);
  return true;
}

}  // namespace

base::Result<Password> Password::Make(std::string_view password) {
  if (password.size() < kLeast || password.size() > kMost) {
    return base::Error{fmt::format("a password has {} to {} octets", kLeast, kMost), base::ExitCode::kUsage};
  }
  Password made;
  CHECK(RAND_bytes(made.salt_.data(), static_cast<int>(made.salt_.size())) == 1);
  if (!made.Derive(password, &made.digest_)) {
    return base::Error{"no memory for the digest of the password", base::ExitCode::kUnavailable};
  }
  return made;
}

base::Result<Password> Password::Parse(std::string_view line) {
  const base::Error error{"is no line that `gatebook desk password` prints", base::ExitCode::kConfig};
  constexpr std::string_view kScheme = "scrypt:";
  if (!line.starts_with(kScheme)) return error;
  line.remove_prefix(kScheme.size());
  Password parsed;
  if (!TakeNumber(line, 10, 17, &parsed.log_n_) || !TakeNumber(line, 1, 16, &parsed.r_) ||
      !TakeNumber(line, 1, 8, &parsed.p_)) {
    return error;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !base::FromBase64Url(line.substr(0, colon), parsed.salt_) ||
      !base::FromBase64Url(line.substr(colon + 1), parsed.digest_)) {
    return error;
  }
  return parsed;
}

const Password& Password::Nobody() {
  static const Password nobody = [] {
    Password password;
    CHECK(RAND_bytes(password.salt_.data(), static_cast<int>(password.salt_.size())) == 1);
    CHECK(RAND_bytes(password.digest_.data(), static_cast<int>(password.digest_.size())) == 1);
    return password;
  }();
  return nobody;
}

std::string Password::ToText() const {
  return fmt::format("scrypt:{}:{}:{}:{}:{}", log_n_, r_, p_, base::ToBase64Url(salt_),
                     base::ToBase64Url(digest_));
}

bool Password::Check(std::string_view password) const {
  if (password.size() > kMost) password = password.substr(0, kMost + 1);
  std::array<uint8_t, 32> digest{};
  const bool derived = Derive(password, &digest);
  const bool same = CRYPTO_memcmp(digest.data(), digest_.data(), digest.size()) == 0;
  OPENSSL_cleanse(digest.data(), digest.size());
  return derived && same;
}

bool Password::Derive(std::string_view password, std::array<uint8_t, 32>* digest) const {
  return EVP_PBE_scrypt(password.data(), password.size(), salt_.data(), salt_.size(), 1ULL << log_n_, r_, p_,
                        kMostMemory, digest->data(), digest->size()) == 1;
}

}  // namespace gatebook::review
