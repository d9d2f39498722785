// SessionKey: the secret that signs session cookies, kept in a file so that
// sessions outlive a restart.
//
// Made at first start: 32 random bytes, mode 0600, complete or absent (written
// beside and linked into place). Edges that are to know each other's sessions
// are given the same file.
//
// Thread: a value. Ends: wiped.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace gatebook::proxy {

class SessionKey {
 public:
  static constexpr size_t kSize = 32;  // bytes

  explicit SessionKey(const std::array<uint8_t, kSize>& bytes) : bytes_(bytes) {}
  SessionKey(const SessionKey&) = default;
  SessionKey& operator=(const SessionKey&) = default;
  ~SessionKey();

  // Error: the file can't be made or read, is not 32 bytes long, is not a plain
  // file, or may be read or written by others than its owner.
  static base::Result<SessionKey> LoadOrMake(const std::string& path);
  // For commands: the key is the edge's to make, for one that root made here it could not read.
  static base::Result<SessionKey> LoadMade(const std::string& path);

  const std::array<uint8_t, kSize>& bytes() const { return bytes_; }

 private:
  std::array<uint8_t, kSize> bytes_;
};

}  // namespace gatebook::proxy
