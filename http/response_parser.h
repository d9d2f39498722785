// ResponseParser: bytes from an upstream to a ResponseHead, as strictly as requests.
//
// Thread, ownership and feeding: as http/request_parser.h.
#pragma once

#include <string_view>
#include <vector>

#include "http/head.h"
#include "http/refusal.h"
#include "http/request_parser.h"

namespace gatebook::http {

class ResponseParser {
 public:
  explicit ResponseParser(const HeadLimits& limits);

  // `request_method`, `asked_websocket`: of the request that this answers (RFC 9112 §6.3).
  // Any kRefused has the reason kUpstreamBadHead, or kUpstreamBadUpgrade.
  ParseStatus Parse(std::string_view data, Method request_method, bool asked_websocket);
  const ResponseHead& head() const { return head_; }
  Refusal refusal() const { return refusal_; }
  // Which rule was broken, for the diagnostics log and tests.
  Refusal detail() const { return detail_; }
  void Reset();

 private:
  HeadLimits limits_;
  ResponseHead head_;
  Refusal refusal_ = Refusal::kUpstreamBadHead;
  Refusal detail_ = Refusal::kUpstreamBadHead;
  std::vector<Field> fields_;
};

}  // namespace gatebook::http
