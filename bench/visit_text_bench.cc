// What a visit's texts cost on a worker: cleaning, masking, telling the source.
#include <benchmark/benchmark.h>

#include <string>

#include "logger/mask.h"
#include "logger/source.h"
#include "logger/text.h"
#include "logger/visit.h"

namespace gatebook::logger {
namespace {

void BM_CleanText(benchmark::State& state) {
  const std::string agent =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
  char out[kMostUserAgent];
  for (auto _ : state) {
    std::string_view raw = agent;
    benchmark::DoNotOptimize(raw);
    benchmark::DoNotOptimize(CleanText(raw, kMostUserAgent, out));
  }
}
BENCHMARK(BM_CleanText);

void BM_MaskPath(benchmark::State& state, const char* path) {
  char out[kMostPath];
  for (auto _ : state) {
    std::string_view raw = path;
    benchmark::DoNotOptimize(raw);
    benchmark::DoNotOptimize(MaskPath(raw, out));
  }
}
BENCHMARK_CAPTURE(BM_MaskPath, plain, "/api/v1/users/12/orders");
BENCHMARK_CAPTURE(BM_MaskPath, slug, "/articles/how-to-configure-your-router-for-voip");
BENCHMARK_CAPTURE(BM_MaskPath, number, "/api/v1/calls/%2B358401234567");
BENCHMARK_CAPTURE(BM_MaskPath, token, "/reset/8f14e45fceea167a5a36dedd4bea2543");

void BM_MaskAgent(benchmark::State& state, const char* agent) {
  char out[kMostUserAgent];
  for (auto _ : state) {
    std::string_view raw = agent;
    benchmark::DoNotOptimize(raw);
    benchmark::DoNotOptimize(MaskAgent(raw, kMostUserAgent, out));
  }
}
BENCHMARK_CAPTURE(BM_MaskAgent, browser,
                  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                  "Chrome/120.0.6099.109 Safari/537.36");
BENCHMARK_CAPTURE(BM_MaskAgent, robot,
                  "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)");

void BM_ClassifySource(benchmark::State& state, const char* referer, const char* query) {
  SourceBuffer buffer;
  for (auto _ : state) {
    std::string_view raw = referer;
    benchmark::DoNotOptimize(raw);
    benchmark::DoNotOptimize(ClassifySource(raw, "shop.example", query, buffer));
  }
}
BENCHMARK_CAPTURE(BM_ClassifySource, direct, "", "");
BENCHMARK_CAPTURE(BM_ClassifySource, internal, "https://shop.example/cart", "page=2");
BENCHMARK_CAPTURE(BM_ClassifySource, search, "https://www.google.co.uk/", "");
BENCHMARK_CAPTURE(BM_ClassifySource, campaign, "https://www.google.com/",
                  "utm_source=mail&utm_campaign=summer+sale");

}  // namespace
}  // namespace gatebook::logger
