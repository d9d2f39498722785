// What it costs each request to know whether its visitor objects.
#include <benchmark/benchmark.h>

#include <array>
#include <vector>

#include "http/field_table.h"
#include "proxy/objection.h"

namespace gatebook::proxy {
namespace {

// As a browser sends them.
std::vector<http::Field> Fields() {
  const std::array<std::pair<std::string_view, std::string_view>, 14> sent{{
      {"Host", "www.example.com"},
      {"Connection", "keep-alive"},
      {"sec-ch-ua", "\"Not_A Brand\";v=\"8\", \"Chromium\";v=\"120\""},
      {"sec-ch-ua-mobile", "?0"},
      {"sec-ch-ua-platform", "\"Linux\""},
      {"Upgrade-Insecure-Requests", "1"},
      {"User-Agent",
       "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"},
      {"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"},
      {"Sec-Fetch-Site", "none"},
      {"Sec-Fetch-Mode", "navigate"},
      {"Sec-Fetch-Dest", "document"},
      {"Accept-Encoding", "gzip, deflate, br"},
      {"Accept-Language", "fi-FI,fi;q=0.9,en-US;q=0.8"},
      {"Cookie",
       "theme=dark; consent=necessary; "
       "__Host-gatebook=v1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBB"},
  }};
  std::vector<http::Field> fields;
  for (const auto& [name, value] : sent) {
    const http::FieldKind kind = http::KindOf(name);
    fields.push_back({name, value, kind.id, kind.hop_by_hop});
  }
  return fields;
}

void BM_ObjectionIn(benchmark::State& state) {
  const std::vector<http::Field> fields = Fields();
  http::RequestHead head;
  head.fields = fields;
  const config::Objection config;
  for (auto _ : state) {
    benchmark::DoNotOptimize(head);
    benchmark::DoNotOptimize(ObjectionIn(head, config));
  }
}
BENCHMARK(BM_ObjectionIn);

void BM_RegisterLookUp(benchmark::State& state) {
  const logger::ObjectionKey key(std::vector<uint8_t>(32, 1));
  logger::Objection one;
  one.kind = logger::Objection::Kind::kNetwork;
  one.bits = 120;
  const logger::ObjectionList list(key, {one}, 1);
  uint32_t client = 0;
  RegisteredObjection registered;
  for (auto _ : state) {
    // Each another client.
    benchmark::DoNotOptimize(registered.Holds(&list, base::IpAddress::FromV4(++client), {}));
  }
}
BENCHMARK(BM_RegisterLookUp);

}  // namespace
}  // namespace gatebook::proxy
