#include "proxy/request_ids.h"

#include <sys/random.h>

#include "base/check.h"

namespace gatebook::proxy {

RequestIds::RequestIds() {
  uint64_t random[2];
  CHECK(getrandom(random, sizeof random, 0) == static_cast<ssize_t>(sizeof random));
  next_ = random[0];
  key_ = random[1];
}

uint64_t RequestIds::Next() {
  // The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every step can be undone, so no
  // two inputs meet in one output.
  uint64_t x = next_++ ^ key_;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

std::array<char, 16> ToHexDigits(uint64_t id) {
  std::array<char, 16> digits;
  for (int i = 15; i >= 0; --i) {
    digits[static_cast<size_t>(i)] = "0123456789abcdef"[id & 15];
    id >>= 4;
  }
  return digits;
}

}  // namespace gatebook::proxy
