// redis_memory: what a visit costs in the memory of a real Redis.
//
// Usage: gatebook_redis_memory unix:///path/to/redis.sock    (an empty server: it is flushed)
//
// Writes visits through the recorder's own writer, a minute of one worker at a time,
// at 1, 4 and 10 visits a session and minute, with fields of realistic length (an
// agent of 110 octets, names of 25), and divides the growth of used_memory by their number.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>

#include "bench/sample_visit.h"
#include "logger/redis_client.h"
#include "logger/redis_writer.h"

namespace {

using namespace gatebook;
using namespace gatebook::logger;

constexpr uint32_t kMinutes = 10;
constexpr uint32_t kVisitsAMinute = 4800;
int64_t NumberIn(RedisClient& client, const char* section, std::string_view field) {
  const auto reply = client.Command({"INFO", section});
  if (!reply) return 0;
  const std::string_view text = (*reply)->text;
  const size_t at = text.find(field);
  int64_t number = 0;
  if (at != std::string_view::npos) {
    std::from_chars(text.data() + at + field.size() + 1, text.data() + text.size(), number);
  }
  return number;
}

class Filler final : public RedisWriter::Handler {
 public:
  explicit Filler(const config::Redis& redis) {
    config_.redis = redis;
    writer_ = std::make_unique<RedisWriter>(
        loop_, config_, base::Clock::System(), metrics_, RedisWriter::Identity{"edge1", "bench", 1}, 1,
        [](const base::IpAddress&) {
          return Place{"FI", "Helsinki", "Example Networks Oy", 64500};
        },
        *this);
    writer_->Start();
    while (!writer_->IsUp()) loop_.RunOnce(true);
  }

  // CPU time of this process for all of it.
  double Fill(uint32_t visits_a_session) {
    const std::clock_t begin = std::clock();
    const uint64_t now = static_cast<uint64_t>(base::Clock::System().WallNow().time_since_epoch().count());
    const uint64_t first = now / 60'000 * 60'000 - kMinutes * 60'000;
    for (uint32_t i = 0; i < kMinutes * kVisitsAMinute; ++i) {
      // Sessions take turns, as visitors do.
      const uint32_t sessions_a_minute = kVisitsAMinute / visits_a_session;
      const uint32_t minute = i / kVisitsAMinute;
      const uint32_t session = minute * sessions_a_minute + i % sessions_a_minute;
      const bool first_of_session = i % kVisitsAMinute < sessions_a_minute;
      Put(first, i, session, first_of_session);
    }
    Commit();
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  }

  void OnWriterReady() override {}
  void OnBatchStored(size_t, const BatchTally& tally) override { stored_ += tally.visits_stored; }
  void OnWriterLost() override { std::fputs("Redis went away\n", stderr), std::exit(69); }
  void OnWriterLooked() override {}
  void OnWriterStateChanged() override {}
  uint64_t stored() const { return stored_; }

 private:
  void Put(uint64_t first, uint32_t i, uint32_t session, bool session_new) {
    const uint64_t at = first + static_cast<uint64_t>(i) * 60'000 / kVisitsAMinute;
    const Visit& visit =
        sample_.Make(i, session, session_new, base::WallTime(std::chrono::milliseconds(at - 3 - i % 40)));
    const Name name = sample_.NameOf(session);
    const VisitId id{0, at, 0};
    while (!writer_->Add(0, id, visit, name)) Commit();
  }
  void Commit() {
    BatchTally tally;
    if (writer_->Commit(0, &tally) != RedisWriter::Committed::kUnderWay) return;
    while (writer_->IsUnderWay(0)) loop_.RunOnce(true);
  }

  net::Loop loop_;
  config::Config config_;
  base::MetricsBlock metrics_;
  std::unique_ptr<RedisWriter> writer_;
  bench::SampleVisit sample_;
  uint64_t stored_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string url = argc == 2 ? argv[1] : "";
  if (!url.starts_with("unix://")) {
    std::fputs("usage: gatebook_redis_memory unix:///path/to/redis.sock (an empty server: it is flushed)\n",
               stderr);
    return 2;
  }
  config::Redis redis;
  redis.server.kind = config::Endpoint::Kind::kUnix;
  redis.server.path = url.substr(7);
  auto client = RedisClient::Connect(redis);
  if (!client) {
    std::fputs((client.error().message + "\n").c_str(), stderr);
    return 69;
  }
  std::puts("visits a session and minute | bytes a visit | writer CPU, us a visit");
  for (const uint32_t visits : {1u, 4u, 10u}) {
    if (!(*client)->Command({"FLUSHALL", "SYNC"})) return 69;
    const int64_t before = NumberIn(**client, "memory", "used_memory");
    double cpu = 0;
    uint64_t stored = 0;
    {
      Filler filler(redis);
      cpu = filler.Fill(visits);
      stored = filler.stored();
    }
    const int64_t after = NumberIn(**client, "memory", "used_memory");
    const double count = kMinutes * kVisitsAMinute;
    std::puts(fmt::format("{:27} | {:13.1f} | {:.2f}", visits, static_cast<double>(after - before) / count,
                          cpu * 1e6 / count)
                  .c_str());
    if (stored < static_cast<uint64_t>(count)) std::puts("not all were stored");
  }
  return 0;
}
