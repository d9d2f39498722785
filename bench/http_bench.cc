// What a head costs: a browser's request of some 450 bytes, an answer, and writing one; and a
// request and answer of HTTP/2, both ends in memory.
#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "bench/sample_exchange.h"
#include "http/body_reader.h"
#include "http/head_writer.h"
#include "http/request_parser.h"
#include "http/response_parser.h"

namespace gatebook::http {
namespace {

using bench::kSampleResponse;

const std::string kRequest = bench::SampleRequest("__Host-gatebook=AAAAAAAAAAAAAAAAAAAAAA.0123456789");

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
      benchmark::DoNotOptimize(parser.Parse(std::string_view(kRequest).substr(0, size)));
    }
  }
}
BENCHMARK(ParseRequestByBytes)->Name("http/parse_request_byte_by_byte");

void ParseResponse(benchmark::State& state) {
  ResponseParser parser(HeadLimits{});
  for (auto _ : state) {
    parser.Reset();
    benchmark::DoNotOptimize(parser.Parse(kSampleResponse, Method::kGet, {}));
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

// `server_only`: the clock stands while the client works.
void Http2Exchanges(benchmark::State& state, bool server_only) {
  constexpr int kStreams = 32;
  base::BufferPool buffers;
  H2Pool pool(buffers);
  const std::string body(1024, 'x');
  bench::H2Server server(pool, body);
  bench::H2Client client(pool);
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
