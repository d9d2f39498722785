// Password: what is kept of a reader's password, scrypt (RFC 7914) with a salt of its own.
//
// One line of text: "scrypt:15:8:3:SALT:DIGEST": logarithm of N, r, p, then 16 octets of salt and 32 of
// digest in base64url. Strong parameters make guessing slow for whoever has the line, and each check slow for
// us: checks belong on a thread that nobody waits for.
//
// Thread: values; any. Cost: MakePassword and Check some 0.2 s and 32 MiB.
// Limits: passwords of 8 to 1,024 octets; N up to 2^17, r up to 16, p up to 8.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatebook::review {

class Password {
 public:
  // Draws a salt. Error: too short or too long.
  static base::Result<Password> Make(std::string_view password);
  // Nothing is repeated of a line that is none: it may hold a password in clear.
  static base::Result<Password> Parse(std::string_view line);
  // One that nothing matches, at the usual cost: for names that there are not.
  static const Password& Nobody();

  std::string ToText() const;
  // In the same time whether it matches or not.
  bool Check(std::string_view password) const;
  // Whether they are the same line.
  bool operator==(const Password&) const = default;

 private:
  bool Derive(std::string_view password, std::array<uint8_t, 32>* digest) const;

  uint32_t log_n_ = 15;
  uint32_t r_ = 8;
  uint32_t p_ = 3;
  std::array<uint8_t, 16> salt_{};
  std::array<uint8_t, 32> digest_{};
};

}  // namespace gatebook::review
