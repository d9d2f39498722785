#include "review/keyed_hash.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <xxhash.h>

#include "base/check.h"

namespace gatebook::review {

KeyedHash::KeyedHash() { CHECK(RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1); }

KeyedHash::~KeyedHash() { OPENSSL_cleanse(key_.data(), key_.size()); }

uint64_t KeyedHash::operator()(std::string_view text) const {
  return XXH3_64bits_withSecret(text.data(), text.size(), key_.data(), key_.size());
}

}  // namespace gatebook::review
