// What a head costs: a browser's request of some 450 bytes, an answer, and writing one.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "http/body_reader.h"
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
    benchmark::DoNotOptimize(parser.Parse(kResponse, Method::kGet, false));
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

}  // namespace
}  // namespace gatebook::http
