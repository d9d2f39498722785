// Scribe: writes what the recorder would write into a Redis, without one; and what is read back of it.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "logger/redis_keys.h"
#include "logger/visit_record.h"
#include "review/visits.h"
#include "tests/support/redis_server.h"

namespace gatebook::review {

using namespace std::chrono_literals;
using logger::VisitId;

inline uint64_t Ms(base::WallTime time) { return static_cast<uint64_t>(time.time_since_epoch().count()); }

// Writes what the recorder would write, without one.
class Scribe {
 public:
  explicit Scribe(support::RedisServer& redis) : redis_(redis) { Claim("edge1", 2); }

  void Claim(const std::string& of, uint32_t workers) {
    redis_.Ask({"HSET", logger::kEdgesKey, of, logger::ToText(logger::EdgeClaim{"aa", workers, Now()})});
  }
  static base::WallTime Now() { return base::Clock::System().WallNow(); }

  logger::Visit visit;
  logger::Name name{logger::DnsCheck::kConfirmed, "host.example"};
  std::string edge = "edge1";

  VisitId Write(uint32_t worker, base::WallTime at, uint32_t n = 0, std::string c = "") {
    const VisitId id{worker, Ms(at), n};
    visit.arrival = at - 20ms;
    std::string v;
    logger::AppendVisitFacts(v, id, visit);
    if (c.empty()) logger::AppendClientFacts(c, visit, name, {"FI", "Helsinki", "Example Oy", 64500});
    Add(id, id, v, c);
    return id;
  }
  void Close(const VisitId& of, base::WallTime at) {
    std::string v;
    logger::AppendClosingFacts(v, {.of = of, .status = 101, .bytes_out = 77, .duration_us = 5});
    Add(of, {of.worker, Ms(at), 0}, v, [&] {
      std::string text;
      logger::AppendClosingOf(text, of);
      return text;
    }());
  }
  static std::string Entry(const VisitId& id) {
    std::string text;
    logger::AppendEntryId(text, id.milliseconds, id.n);
    return text;
  }
  static std::string SameAs(const VisitId& id) {
    std::string text;
    logger::AppendSameAs(text, id);
    return text;
  }

 private:
  void Add(const VisitId& stream, const VisitId& id, const std::string& v, const std::string& c) {
    const std::string key = logger::VisitsKey(edge, stream.worker, logger::MinuteOf(stream));
    EXPECT_EQ(redis_.Ask({"XADD", key, Entry(id), "v", v, "c", c}), Entry(id));
  }
  support::RedisServer& redis_;
};

inline std::vector<logger::StoredVisit> ReadAll(support::RedisServer& redis, const VisitsWanted& wanted) {
  std::vector<logger::StoredVisit> visits;
  auto client = logger::RedisClient::Connect(redis.Config());
  EXPECT_TRUE(client.ok());
  VisitReader reader(**client, base::Clock::System());
  const auto read = reader.Read(wanted, [&](const logger::StoredVisit& visit) {
    visits.push_back(visit);
    return true;
  });
  EXPECT_TRUE(read.ok());
  return visits;
}

// A minute that is over, so that nothing of it is in the future.
inline base::WallTime PastMinute() { return std::chrono::floor<std::chrono::minutes>(Scribe::Now()) - 5min; }

// Runs a command and gives its exit code and output.
struct Outcome {
  int exit_code;
  std::string output;
};
template <typename Command>
Outcome Capture(Command command) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  const int exit_code = command(out);
  std::fclose(out);
  Outcome outcome{exit_code, std::string(text, size)};
  std::free(text);
  return outcome;
}

}  // namespace gatebook::review
