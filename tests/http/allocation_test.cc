// What the heap is asked for while heads and bodies go through: nothing, once warm.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>

#include "http/body_reader.h"
#include "http/head_writer.h"
#include "http/request_parser.h"
#include "http/response_parser.h"

namespace {

size_t allocations = 0;

}  // namespace

// Of this whole program; the test looks at a difference. Not inlined, or the compiler sees
// new answered by free() and warns of it.
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace gatebook::http {
namespace {

TEST(SteadyState, AsksForNothingFromTheHeap) {
  const std::string_view request =
      "POST /a/b?x=1 HTTP/1.1\r\nHost: example.com:8443\r\nX: y\r\nConnection: x-y\r\nX-Y: z\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";
  const std::string_view body = "5\r\nhello\r\n0\r\nX: y\r\n\r\n";
  const std::string_view response = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\n";
  RequestParser requests(HeadLimits{});
  ResponseParser responses(HeadLimits{});
  BodyReader reader;
  std::string out;
  const auto exchange = [&] {
    requests.Reset();
    responses.Reset();
    ASSERT_EQ(requests.Parse(request.substr(0, 30)), ParseStatus::kNeedMore);
    ASSERT_EQ(requests.Parse(request), ParseStatus::kDone);
    ASSERT_EQ(responses.Parse(response, requests.head().method, false), ParseStatus::kDone);
    reader.Begin(requests.head().framing, 0);
    reader.Read(body);
    ASSERT_TRUE(reader.IsDone());
    out.clear();
    HeadWriter writer(out);
    writer.RequestLine(requests.head().method_text, requests.head().target);
    for (const Field& field : requests.head().fields) {
      if (!field.hop_by_hop) writer.Field(field.name, field.value);
    }
    writer.Chunked();
    writer.End();
  };
  exchange();
  const size_t before = allocations;
  for (int i = 0; i < 100; ++i) exchange();
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace gatebook::http
