// What sinks cost: the recorder's thread a visit, and a sink's thread a line.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "bench/sample_visit.h"
#include "review/sink_line.h"
#include "review/sinks.h"

namespace gatebook::review {
namespace {

config::Sink ASink(config::SinkFormat format) {
  config::Sink sink;
  sink.name = "bench";
  sink.format = format;
  return sink;
}

ToldVisit Told() {
  bench::SampleVisit sample;
  const base::WallTime now = base::Clock::System().WallNow();
  const logger::Visit& visit = sample.Make(7, 7, false, now);
  ToldVisit told;
  told.id = {0, static_cast<uint64_t>(now.time_since_epoch().count()), 0};
  told.arrival = now;
  logger::AppendVisitFacts(told.visit_facts, told.id, visit);
  logger::AppendClientFacts(told.client_facts, visit, sample.NameOf(7),
                            {"FI", "Helsinki", "Example Oy", 64500});
  return told;
}

void BM_SinkLine(benchmark::State& state, config::SinkFormat format, const char* where) {
  config::Sink sink = ASink(format);
  sink.where = where;
  const auto line = SinkLine::Make(sink, "edge1", std::chrono::hours(720));
  const ToldVisit told = Told();
  std::string text;
  for (auto _ : state) {
    text.clear();
    benchmark::DoNotOptimize(line->Append(told, told.arrival, &text));
  }
  state.counters["bytes"] = static_cast<double>(text.size());
}
BENCHMARK_CAPTURE(BM_SinkLine, ecs, config::SinkFormat::kEcs, "");
BENCHMARK_CAPTURE(BM_SinkLine, otel, config::SinkFormat::kOtel, "");
BENCHMARK_CAPTURE(BM_SinkLine, combined, config::SinkFormat::kCombined, "");
BENCHMARK_CAPTURE(BM_SinkLine, left_out_by_where, config::SinkFormat::kEcs, "status >= 500");

// On the recorder's thread, with so many sinks that write to /dev/null; a batch is 64 visits. The time is
// that of the thread alone.
void BM_Tell(benchmark::State& state) {
  Sinks sinks("edge1", base::Clock::System());
  config::Config config;
  for (int64_t i = 0; i < state.range(0); ++i) {
    config.sinks.push_back(ASink(config::SinkFormat::kEcs));
    config.sinks.back().name += std::to_string(i);
    config.sinks.back().path = "/dev/null";
  }
  auto prepared = sinks.Prepare(config);
  if (!prepared.ok()) return state.SkipWithError(prepared.error().message.c_str());
  sinks.Take(std::move(prepared).value());
  logger::VisitTap& tap = sinks;
  bench::SampleVisit sample;
  logger::Record record;
  record.visit = sample.Make(7, 7, false, base::Clock::System().WallNow());
  const logger::Name name = sample.NameOf(7);
  uint32_t told = 0;
  for (auto _ : state) {
    record.id = {0, 1'790'000'000'000U + told, told};
    tap.OnVisit(record, name, {"FI", "Helsinki", "Example Oy", 64500});
    if (++told % 64 == 0) tap.OnToldAll();
  }
  sinks.EndAll(base::Clock::System().SteadyNow());
}
BENCHMARK(BM_Tell)->Arg(1)->Arg(4);

}  // namespace
}  // namespace gatebook::review
