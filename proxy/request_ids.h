// RequestIds: 64-bit request ids that do not repeat within a worker's life.
//
// A counter from a random start, mixed by a bijection under a random key: as
// unique as the counter, without a draw of randomness a request. Two workers or two
// lives may meet by chance only (64 bits). Not a secret: the mix hides count and order from
// a reader, but it is no cipher. Who sees some ids and works at it may find out the key, and
// with it how many requests lay between them; never rely on an id being hard to guess.
// Thread: one object a worker.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gatebook::proxy {

class RequestIds {
 public:
  // Draws its start and key from the system.
  RequestIds();
  uint64_t Next();

 private:
  uint64_t next_;
  uint64_t key_;
};

// 16 lower-case hex digits.
std::array<char, 16> ToHexDigits(uint64_t id);

}  // namespace gatebook::proxy
