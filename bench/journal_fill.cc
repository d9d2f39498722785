// journal_fill: a journal as an outage of Redis leaves it, for bench/catch-up.
//
// Usage: gatebook_journal_fill DIRECTORY VISITS WORKERS
//
// Writes the visits of the last half hour at an even rate through the workers' own JournalWriter, four
// visits a session and minute, and prints how many stand in the journal.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <thread>

#include "bench/sample_visit.h"
#include "logger/journal.h"

namespace {

using namespace gatebook;
using namespace gatebook::logger;
using namespace std::chrono_literals;

constexpr auto kOutage = 30min;
constexpr uint32_t kVisitsASession = 4;

// Room comes from the keeper's thread; a real worker would be slower than it.
Appended AppendWithPatience(JournalWriter& writer, const Visit& visit) {
  for (int tries = 0; !writer.HasRoom() && tries < 10'000; ++tries) std::this_thread::sleep_for(1ms);
  return writer.Append(visit);
}

int Fill(const std::string& directory, uint32_t visits, uint32_t workers) {
  config::Journal config;
  config.directory = directory;
  config.flush = config::Flush::kNo;
  base::ManualClock clock(base::Clock::System().WallNow() - kOutage);
  auto journal = Journal::Open(config, "edge1", workers, clock);
  if (!journal) {
    std::fputs((journal.error().message + "\n").c_str(), stderr);
    return 74;
  }
  const auto minutes = static_cast<uint32_t>(kOutage / 1min);
  const uint32_t a_minute = std::max(visits / minutes, kVisitsASession);
  const uint32_t sessions_a_minute = a_minute / kVisitsASession;
  bench::SampleVisit sample;
  base::WallTime at = clock.WallNow();
  const base::WallTime begin = at;
  uint32_t written = 0;
  for (uint32_t i = 0; i < visits; ++i) {
    const base::WallTime due =
        begin + std::chrono::milliseconds(static_cast<uint64_t>(i) * 60'000 / a_minute);
    if (due > at) clock.Advance(due - at);
    at = std::max(at, due);
    const uint32_t session = i / a_minute * sessions_a_minute + i % sessions_a_minute;
    const Visit& visit = sample.Make(i, session, i % a_minute < sessions_a_minute, at - 3ms);
    if (AppendWithPatience((*journal)->writer(session % workers), visit).outcome == Appended::Outcome::kOk)
      ++written;
  }
  (*journal)->Close();
  fmt::print("{}\n", written);
  return written == visits ? 0 : 74;
}

bool ParseNumber(const char* text, uint32_t* number) {
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), *number);
  return error == std::errc() && *end == '\0' && *number > 0;
}

}  // namespace

int main(int argc, char** argv) {
  uint32_t visits = 0;
  uint32_t workers = 0;
  if (argc != 4 || !ParseNumber(argv[2], &visits) || !ParseNumber(argv[3], &workers)) {
    std::fputs("usage: gatebook_journal_fill DIRECTORY VISITS WORKERS\n", stderr);
    return 2;
  }
  return Fill(argv[1], visits, workers);
}
