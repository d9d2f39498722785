// What handing a visit over costs a worker (append), and what it costs the
// recorder to read it back; the codec alone beside them.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/clock.h"
#include "logger/journal.h"
#include "logger/visit_codec.h"

namespace gatebook::logger {
namespace {

// As a browser's usual request looks: a 110-byte user agent, a referrer, some path.
Visit RealisticVisit() {
  Visit visit;
  visit.arrival = base::Clock::System().WallNow();
  for (size_t i = 0; i < visit.session.bytes.size(); ++i)
    visit.session.bytes[i] = static_cast<uint8_t>(37 * i);
  visit.ip = base::IpAddress::FromV4(0xc6336417);
  visit.channel = Channel::kSearch;
  visit.tls_version = 13;
  visit.status = 200;
  visit.bytes_out = 18734;
  visit.duration_us = 4211;
  visit.upstream_us = 3900;
  visit.request_id = 0x1234567890abcdef;
  visit.method = "GET";
  visit.host = "www.example.com";
  visit.path = "/products/garden/chairs/oak-folding-chair";
  visit.referrer = "https://search.example";
  visit.user_agent =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 "
      "Edg/1";
  visit.policy = "2025-09-01";
  return visit;
}

void BM_EncodeVisit(benchmark::State& state) {
  const Visit visit = RealisticVisit();
  char out[kMostEncodedVisit];
  for (auto _ : state) {
    benchmark::DoNotOptimize(EncodedVisitBound(visit));
    benchmark::DoNotOptimize(EncodeVisit(visit, out));
    benchmark::ClobberMemory();
  }
  state.counters["bytes"] = static_cast<double>(EncodeVisit(visit, out) - out);
}
BENCHMARK(BM_EncodeVisit);

void BM_DecodeVisit(benchmark::State& state) {
  const Visit visit = RealisticVisit();
  char out[kMostEncodedVisit];
  const std::string_view bytes(out, static_cast<size_t>(EncodeVisit(visit, out) - out));
  Visit decoded;
  for (auto _ : state) {
    benchmark::DoNotOptimize(DecodeVisit(bytes, &decoded));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_DecodeVisit);

struct BenchJournal {
  BenchJournal() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gatebook-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    config.directory = pattern;
    JournalOptions options;
    options.start_keeper = false;
    auto opened = Journal::Open(config, "edge1", 1, base::Clock::System(), std::move(options));
    if (!opened) std::abort();
    journal = std::move(opened).value();
  }
  ~BenchJournal() {
    journal.reset();
    std::filesystem::remove_all(config.directory);
  }
  // Delivers everything and lets the keeper make room.
  void Drain() {
    JournalReader& reader = *journal->readers()[0];
    Record record;
    JournalPosition position = 0;
    while (reader.Next(&record)) position = record.position;
    if (position != 0) reader.Release(position);
    journal->RunKeeperOnce();
  }
  config::Journal config;
  std::unique_ptr<Journal> journal;
};

constexpr int kBatch = 20'000;  // visits between two rounds of the recorder and the keeper; below a segment

void BM_Append(benchmark::State& state) {
  BenchJournal bench;
  const Visit visit = RealisticVisit();
  JournalWriter& writer = bench.journal->writer(0);
  for (auto _ : state) {
    for (int i = 0; i < kBatch; ++i) {
      if (writer.Append(visit).outcome != Appended::Outcome::kOk) state.SkipWithError("no room");
    }
    state.PauseTiming();
    bench.Drain();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(BM_Append)->Unit(benchmark::kMillisecond);

void BM_Next(benchmark::State& state) {
  BenchJournal bench;
  const Visit visit = RealisticVisit();
  JournalWriter& writer = bench.journal->writer(0);
  JournalReader& reader = *bench.journal->readers()[0];
  Record record;
  for (auto _ : state) {
    state.PauseTiming();
    for (int i = 0; i < kBatch; ++i) writer.Append(visit);
    state.ResumeTiming();
    JournalPosition position = 0;
    while (reader.Next(&record)) position = record.position;
    reader.Release(position);
    state.PauseTiming();
    bench.journal->RunKeeperOnce();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(BM_Next)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gatebook::logger
