// What a head costs: a browser's request of some 450 bytes, an answer, and writing one; and a
// request and answer of HTTP/2, both ends in memory.
#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "http/body_reader.h"
#include "http/h2_session.h"
#include "http/head_writer.h"
#include "http/request_parser.h"
#include "http/response_parser.h"

namespace gatebook::http {
namespace {

constexpr std::string_view kRequest =
    "GET /articles/2024/a-quiet-morning?utm_source=letter&page=2 HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Referer: https://www.example.com/articles\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: __Host-gatebook=AAAAAAAAAAAAAAAAAAAAAA.0123456789\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "\r\n";

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    "Server: app\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Length: 1024\r\n"
    "Cache-Control: private, max-age=0\r\n"
    "ETag: \"5f3-61a\"\r\n"
    "\r\n";

void ParseRequest(benchmark::State& state) {
  RequestParser parser(HeadLimits{});
  for (auto _ : state) {
    parser.Reset();
    benchmark::DoNotOptimize(parser.Parse(kRequest));
    benchmark::DoNotOptimize(parser.head());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kRequest.size()));
}
BENCHMARK(ParseRequest)->Name("http/parse_request");

void ParseRequestByBytes(benchmark::State& state) {
  RequestParser parser(HeadLimits{});
  for (auto _ : state) {
    parser.Reset();
    for (size_t size = 1; size <= kRequest.size(); ++size) {
      benchmark::DoNotOptimize(parser.Parse(kRequest.substr(0, size)));
    }
  }
}
BENCHMARK(ParseRequestByBytes)->Name("http/parse_request_byte_by_byte");

void ParseResponse(benchmark::State& state) {
  ResponseParser parser(HeadLimits{});
  for (auto _ : state) {
    parser.Reset();
    benchmark::DoNotOptimize(parser.Parse(kResponse, Method::kGet, {}));
  }
}
BENCHMARK(ParseResponse)->Name("http/parse_response");

void WriteRequest(benchmark::State& state) {
  RequestParser parser(HeadLimits{});
  parser.Parse(kRequest);
  const RequestHead& head = parser.head();
  std::string out;
  for (auto _ : state) {
    out.clear();
    HeadWriter writer(out);
    writer.RequestLine(head.method_text, head.target);
    for (const Field& field : head.fields) {
      if (!field.hop_by_hop) writer.Field(field.name, field.value);
    }
    writer.End();
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(WriteRequest)->Name("http/write_request");

void ReadChunks(benchmark::State& state) {
  std::string body;
  for (int i = 0; i < 64; ++i) body += "400\r\n" + std::string(1024, 'x') + "\r\n";
  body += kLastChunk;
  BodyReader reader;
  for (auto _ : state) {
    reader.Begin(Framing::kChunked, 0);
    std::string_view rest = body;
    while (!reader.IsDone()) {
      const BodyReader::Step step = reader.Read(rest);
      rest.remove_prefix(step.consumed);
      benchmark::DoNotOptimize(step.payload.data());
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(body.size()));
}
BENCHMARK(ReadChunks)->Name("http/read_chunked_64KiB");

// One connection of HTTP/2 with 32 streams at a time: the server's side alone is timed by
// handing it the bytes that a client made before.
class H2Server final : public H2Handler {
 public:
  H2Server(H2Pool& pool, std::string_view body) : body_(body), session_({}, pool, *this) {
    head_.status = 200;
    head_.fields = kFields;
    head_.content_length = body.size();
    head_.has_content_length = true;
  }
  H2Session& session() { return session_; }

 private:
  static constexpr Field kFields[] = {
      {.name = "Date", .value = "Mon, 01 Jan 2024 00:00:00 GMT", .id = FieldId::kDate},
      {.name = "Server", .value = "app", .id = FieldId::kServer},
      {.name = "Content-Type", .value = "text/html; charset=utf-8", .id = FieldId::kOther},
      {.name = "Cache-Control", .value = "private, max-age=0", .id = FieldId::kOther},
      {.name = "ETag", .value = "\"5f3-61a\"", .id = FieldId::kOther},
  };

  void OnRequest(int32_t id, const RequestHead&, bool) override {
    session_.SubmitHead(id, head_, {}, false);
    session_.OfferData(id, body_);
    session_.End(id);
  }
  void OnData(int32_t id, std::string_view piece) override { session_.Consume(id, piece.size()); }
  void OnEnd(int32_t) override {}
  void OnClosed(int32_t, const H2Closing&) override {}
  void OnWritable(int32_t) override {}

  std::string_view body_;
  ResponseHead head_;
  H2Session session_;
};

class H2Client final : public H2Handler {
 public:
  explicit H2Client(H2Pool& pool) : session_(Options(), pool, *this) {}
  H2Session& session() { return session_; }

 private:
  static H2Options Options() {
    H2Options options;
    options.role = H2Role::kClient;
    return options;
  }
  void OnData(int32_t id, std::string_view piece) override { session_.Consume(id, piece.size()); }
  void OnEnd(int32_t) override {}
  void OnClosed(int32_t, const H2Closing&) override {}
  void OnWritable(int32_t) override {}

  H2Session session_;
};

// `server_only`: the clock stands while the client works.
void Http2Exchanges(benchmark::State& state, bool server_only) {
  constexpr int kStreams = 32;
  base::BufferPool buffers;
  H2Pool pool(buffers);
  const std::string body(1024, 'x');
  H2Server server(pool, body);
  H2Client client(pool);
  RequestParser parser(HeadLimits{});
  parser.Parse(kRequest);
  const RequestHead& head = parser.head();
  const H2Request request{.method = head.method_text,
                          .scheme = "https",
                          .authority = head.authority,
                          .path = head.target,
                          .fields = head.fields,
                          .more = {}};
  const auto now = base::Clock::System().SteadyNow();
  int64_t exchanges = 0;
  double seconds = 0;
  for (auto _ : state) {
    for (int i = 0; i < kStreams; ++i) client.session().SubmitRequest(request, true);
    const std::string_view asked = client.session().Output();
    const auto begin = std::chrono::steady_clock::now();
    server.session().Receive(asked, now);
    server.session().Dispatch();
    const std::string_view answered = server.session().Output();
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    client.session().DropOutput(asked.size());
    client.session().Receive(answered, now);
    client.session().Dispatch();
    server.session().DropOutput(answered.size());
    exchanges += kStreams;
    if (server_only) state.SetIterationTime(seconds);
    seconds = 0;
  }
  CHECK(client.session().completed() == static_cast<uint64_t>(exchanges));
  state.SetItemsProcessed(exchanges);
}
BENCHMARK_CAPTURE(Http2Exchanges, both, false)->Name("http2/32_exchanges_of_1KiB_both_ends");
BENCHMARK_CAPTURE(Http2Exchanges, server, true)->Name("http2/32_exchanges_of_1KiB_server")->UseManualTime();

}  // namespace
}  // namespace gatebook::http
