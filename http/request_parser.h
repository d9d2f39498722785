// RequestParser: bytes to a RequestHead, strictly by RFC 9112.
//
// It refuses what is ambiguous instead of guessing. It works a line at a time
// and stops at the first fault, so that a broken request is refused as soon as
// its broken line is there, and any split of the input gives the same outcome.
//
// Thread: one. Owns: the field table (reused between heads, no allocation in
// steady state). Borrows: the bytes.
// Limits: `HeadLimits`; whole heads, so that the caller's buffer is bounded too: a head
// that fills header_size bytes and has no end is refused, never waited for. A method of 32 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/connection_options.h"
#include "http/field_section.h"
#include "http/framing_fields.h"
#include "http/head.h"
#include "http/refusal.h"

namespace gatebook::http {

struct HeadLimits {
  size_t target_size = 8192;   // bytes of the request target
  size_t header_size = 32768;  // bytes of a whole head with its empty line; taken as 1 GiB at most
  size_t header_count = 100;
};

enum class ParseStatus : uint8_t { kNeedMore, kDone, kRefused };

class RequestParser {
 public:
  explicit RequestParser(const HeadLimits& limits);

  // `data`: everything received since the head's first byte. Each call brings the
  // same bytes as the one before and perhaps more; they may have moved in memory.
  // kDone: head() is valid, and what follows head().size is the body. To call again with
  // the same head elsewhere in memory is to have the views there.
  // kRefused: refusal() says why; only Reset() may follow.
  // At most one empty line before the request line is skipped (RFC 9112 §2.2); it counts into size.
  ParseStatus Parse(std::string_view data);

  const RequestHead& head() const { return head_; }
  Refusal refusal() const { return refusal_; }
  // What of the request line is known of a head that is not whole, for the visit: method_text,
  // target and path, or nothing. Not checked, but for the method being a token and the target
  // beginning with '/' (an absolute form could carry a password). Views into the bytes of the
  // last Parse(); head() is the same afterwards.
  const RequestHead& KnownHead();

  void Reset();
  // As if newly made; keeps the memory of its tables.
  void Renew(const HeadLimits& limits);

 private:
  enum class Stage : uint8_t { kStart, kMethod, kTarget, kVersion, kFields, kDone, kRefused };

  ParseStatus Refuse(Refusal refusal);
  ParseStatus RefuseByte(std::string_view window, Refusal otherwise);
  ParseStatus NeedMore();
  ParseStatus SkipEmptyLine(std::string_view window);
  ParseStatus ReadMethod(std::string_view window);
  ParseStatus ReadTarget(std::string_view window);
  ParseStatus ReadVersion(std::string_view window);
  ParseStatus ReadFields(std::string_view window);
  std::optional<Refusal> TakeField(std::string_view window);
  std::optional<Refusal> TakeHost(std::string_view window);
  ParseStatus Finish();
  void SetTarget();

  HeadLimits limits_;
  FieldSection section_;
  Stage stage_ = Stage::kStart;
  std::string_view data_;  // of the last Parse()
  size_t scan_ = 0;        // up to where the request line was looked at
  Slice method_;
  Slice target_;
  Slice path_and_query_;
  Slice path_;  // empty: an absolute form without a path
  Slice query_;
  Slice authority_;  // of the absolute form, else of Host
  Slice host_;
  bool absolute_ = false;  // the target is of the absolute form
  bool has_query_ = false;
  bool has_host_ = false;
  bool has_expect_ = false;
  bool has_upgrade_ = false;
  FramingFields framing_;
  ConnectionOptions connection_;
  RequestHead head_;
  Refusal refusal_ = Refusal::kBadRequestLine;
  std::string rewritten_target_;  // only for an absolute form with a query and no path
};

}  // namespace gatebook::http
