// FramingFields: Content-Length and Transfer-Encoding of one head, taken field by field.
//
// Whatever two readers could understand differently is refused (RFC 9112 §6.3 allows that
// for all of it): a second length even if equal, a list, a sign, any coding but one
// "chunked", both fields together, a coding in HTTP/1.0.
// Thread: one. Owns nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/refusal.h"

namespace gatebook::http {

struct FramingFields {
  bool has_length = false;
  bool chunked = false;
  uint64_t length = 0;  // < 2^63

  // A refusal, or nothing when the field is well.
  std::optional<Refusal> TakeLength(std::string_view value);
  std::optional<Refusal> TakeCoding(std::string_view value, int minor_version);
};

}  // namespace gatebook::http
