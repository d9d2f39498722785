// RequestIds: 64-bit request ids that do not repeat and tell nothing.
//
// A counter from a random start, mixed by a bijection under a random key: as
// unique as the counter, without a draw of randomness a request.
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
