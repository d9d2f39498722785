// Any bytes as an upstream's: the outcome is the same whole, in two parts and byte by byte,
// and a head that was accepted means the same after it was written and read again.
// The first byte says what was asked for.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/head_writer.h"
#include "tests/http/conversation.h"

namespace gatebook::http {
namespace {

std::string Written(const ResponseHead& head) {
  std::string out;
  HeadWriter writer(out);
  writer.StatusLine(head.status, head.reason);
  for (const Field& field : head.fields) {
    if (!field.hop_by_hop) CHECK(writer.Field(field.name, field.value));
  }
  if (head.has_content_length) writer.ContentLength(head.content_length);
  if (head.framing == Framing::kChunked) writer.Chunked();
  writer.End();
  return out;
}

void CheckRoundTrip(std::string_view data, Method method) {
  const HeadLimits limits;
  ResponseParser first(limits);
  if (first.Parse(data, method, "") != ParseStatus::kDone) return;
  const ResponseHead& before = first.head();
  ResponseParser second({.header_size = 2 * limits.header_size});
  const std::string written = Written(before);
  CHECK(second.Parse(written, method, "") == ParseStatus::kDone);
  const ResponseHead& after = second.head();
  CHECK(after.size == written.size());
  CHECK(after.status == before.status);
  CHECK(after.reason == before.reason);
  CHECK(after.framing == before.framing);
  CHECK(after.has_content_length == before.has_content_length);
  CHECK(after.content_length == before.content_length);
  CHECK(Written(after) == written);
}

}  // namespace
}  // namespace gatebook::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gatebook::http;
  constexpr size_t kMost = 4096;  // feeding byte by byte copies the head every time
  if (size == 0) return 0;
  const Method method = (data[0] & 1) != 0 ? Method::kHead : Method::kGet;
  const bool websocket = (data[0] & 2) != 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1 < kMost ? size - 1 : kMost);
  CheckSplits({.response = true,
               .request_method = method,
               .asked_websocket = websocket,
               .limits = {.header_size = 2048, .header_count = 20}},
              text);
  CheckRoundTrip(text, method);
  return 0;
}
