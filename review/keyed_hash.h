// KeyedHash: texts as 64-bit numbers that lead back to nothing.
//
// Distinct sessions and networks are counted by their hashes. The key is random, is never written anywhere
// and ends with the object: what a counter holds is then no address that one could look for by trying all.
//
// Thread: const; any. Owns: the key. Ends: overwrites it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gatebook::review {

class KeyedHash {
 public:
  KeyedHash();  // draws a key
  ~KeyedHash();
  KeyedHash(const KeyedHash&) = delete;
  KeyedHash& operator=(const KeyedHash&) = delete;

  uint64_t operator()(std::string_view text) const;

 private:
  std::array<uint8_t, 192> key_;
};

}  // namespace gatebook::review
