// RequestParser: bytes to a RequestHead, strictly by RFC 9112.
//
// It refuses what is ambiguous instead of guessing. It works a line at a time
// and stops at the first fault, so that a broken request is refused as soon as
// its broken line is there, and any split of the input gives the same outcome.
//
// Thread: one. Owns: the field table (reused between heads, no allocation in
// steady state). Borrows: the bytes.
// Limits: `HeadLimits`; whole heads, so that the caller's buffer is bounded too.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "http/head.h"
#include "http/refusal.h"

namespace gatebook::http {

struct HeadLimits {
  size_t target_size = 8192;
  size_t header_size = 32768;
  size_t header_count = 100;
};

enum class ParseStatus : uint8_t { kNeedMore, kDone, kRefused };

class RequestParser {
 public:
  explicit RequestParser(const HeadLimits& limits);

  // `data`: everything received since the head's first byte. Each call brings the
  // same bytes as the one before and perhaps more; they may have moved in memory.
  // kDone: head() is valid, and what follows head().size is the body.
  // kRefused: refusal() says why; only Reset() may follow.
  // At most one empty line before the request line is skipped (RFC 9112 §2.2); it counts into size.
  ParseStatus Parse(std::string_view data);

  const RequestHead& head() const { return head_; }
  Refusal refusal() const { return refusal_; }
  // What of the request line is known even when refused (for the visit); may be empty.
  std::string_view refused_method() const;
  std::string_view refused_target() const;

  void Reset();

 private:
  struct LineField;  // offsets, not views: the bytes may move between calls
  HeadLimits limits_;
  RequestHead head_;
  Refusal refusal_ = Refusal::kBadRequestLine;
  std::vector<Field> fields_;
};

}  // namespace gatebook::http
