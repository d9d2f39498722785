// What the heap is asked for while heads and bodies go through: nothing, once warm.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "http/body_reader.h"
#include "http/h2_session.h"
#include "http/head_writer.h"
#include "http/request_parser.h"
#include "http/response_parser.h"
#include "tests/http/h2_wire.h"

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
    requests.Renew(HeadLimits{});
    responses.Reset();
    ASSERT_EQ(requests.Parse(request.substr(0, 30)), ParseStatus::kNeedMore);
    ASSERT_EQ(requests.Parse(request), ParseStatus::kDone);
    ASSERT_EQ(responses.Parse(response, requests.head().method, {}), ParseStatus::kDone);
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

// Answers at once, and keeps nothing.
class Answerer final : public H2Handler {
 public:
  H2Session* session = nullptr;

 private:
  void OnRequest(int32_t id, const RequestHead&, bool) override {
    ResponseHead head;
    head.status = 200;
    session->SubmitHead(id, head, {}, false);
    session->OfferData(id, "hello");
    session->End(id);
  }
  void OnData(int32_t, std::string_view) override {}
  void OnEnd(int32_t) override {}
  void OnClosed(int32_t, const H2Closing&) override {}
  void OnWritable(int32_t) override {}
};

TEST(SteadyState, OfHttp2AsksForNothingBesideWhatItsLibraryDoes) {
  base::BufferPool buffers;
  H2Pool pool(buffers);
  Answerer answerer;
  H2Session session({}, pool, answerer);
  answerer.session = &session;
  session.Receive(ClientHello(), {});
  std::vector<std::string> requests;
  for (int i = 0; i < 100; ++i) {
    requests.push_back(
        Headers(2 * i + 1, With(Get(), {{"user-agent", std::string(200, 'a')}, {"cookie", "a"}})));
  }
  size_t before = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    if (i == 10) before = allocations;
    session.Receive(requests[i], {});
    session.Dispatch();
    session.DropOutput(session.Output().size());
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(session.completed(), requests.size());
}

}  // namespace
}  // namespace gatebook::http
