// Any bytes as a client's: the outcome is the same whole, in two parts and byte by byte,
// and a head that was accepted means the same after it was written and read again.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/head_writer.h"
#include "tests/http/conversation.h"

namespace gatebook::http {
namespace {

// As the proxy does it: parsed parts, framing written anew.
std::string Written(const RequestHead& head) {
  std::string out;
  HeadWriter writer(out);
  writer.RequestLine(head.method_text, head.target);
  CHECK(writer.Field("Host", head.authority));
  for (const Field& field : head.fields) {
    if (field.hop_by_hop || field.id == FieldId::kHost) continue;
    CHECK(writer.Field(field.name, field.value));
  }
  if (head.has_content_length) writer.ContentLength(head.content_length);
  if (head.framing == Framing::kChunked) writer.Chunked();
  writer.End();
  return out;
}

void CheckRoundTrip(std::string_view data) {
  const HeadLimits limits;
  RequestParser first(limits);
  if (first.Parse(data) != ParseStatus::kDone) return;
  const RequestHead& before = first.head();
  // Written heads may be longer: names get a space behind their colon.
  RequestParser second({.target_size = limits.target_size + 1, .header_size = 2 * limits.header_size});
  const std::string written = Written(before);
  CHECK(second.Parse(written) == ParseStatus::kDone);
  const RequestHead& after = second.head();
  CHECK(after.size == written.size());
  CHECK(after.method == before.method);
  CHECK(after.method_text == before.method_text);
  CHECK(after.target == before.target);
  CHECK(after.path == before.path);
  CHECK(after.query == before.query);
  CHECK(after.authority == before.authority);
  CHECK(after.host == before.host);
  CHECK(after.framing == before.framing);
  CHECK(after.content_length == before.content_length);
  CHECK(Written(after) == written);
}

}  // namespace
}  // namespace gatebook::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gatebook::http;
  constexpr size_t kMost = 4096;  // feeding byte by byte copies the head every time
  const std::string_view text(reinterpret_cast<const char*>(data), size < kMost ? size : kMost);
  CheckSplits({.limits = {.target_size = 256, .header_size = 2048, .header_count = 20}}, text);
  CheckRoundTrip(text);
  return 0;
}
