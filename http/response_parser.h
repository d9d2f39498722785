// ResponseParser: bytes from an upstream to a ResponseHead, as strictly as requests.
//
// Thread, ownership and feeding: as http/request_parser.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/connection_options.h"
#include "http/field_section.h"
#include "http/framing_fields.h"
#include "http/head.h"
#include "http/refusal.h"
#include "http/request_parser.h"

namespace gatebook::http {

class ResponseParser {
 public:
  explicit ResponseParser(const HeadLimits& limits);

  // Of the request that this answers (RFC 9112 §6.3): its method, and the protocol that it offered to
  // upgrade to; empty: none.
  // Any kRefused has the reason kUpstreamBadHead, or kUpstreamBadUpgrade.
  ParseStatus Parse(std::string_view data, Method request_method, std::string_view offered);
  const ResponseHead& head() const { return head_; }
  Refusal refusal() const { return refusal_; }
  // Which rule was broken, for the diagnostics log and tests.
  Refusal detail() const { return detail_; }
  void Reset();

 private:
  enum class Stage : uint8_t { kStatusLine, kFields, kDone, kRefused };

  ParseStatus Refuse(Refusal detail, Refusal refusal = Refusal::kUpstreamBadHead);
  ParseStatus ReadStatusLine(std::string_view window);
  ParseStatus ReadFields(std::string_view window, Method request_method, std::string_view offered);
  std::optional<Refusal> TakeField(std::string_view window);
  ParseStatus Finish(std::string_view window, Method request_method, std::string_view offered);

  HeadLimits limits_;
  FieldSection section_;
  Stage stage_ = Stage::kStatusLine;
  size_t scan_ = 0;  // up to where the status line was looked at
  Slice reason_;
  FramingFields framing_;
  ConnectionOptions connection_;
  ResponseHead head_;
  Refusal refusal_ = Refusal::kUpstreamBadHead;
  Refusal detail_ = Refusal::kUpstreamBadHead;
};

}  // namespace gatebook::http
