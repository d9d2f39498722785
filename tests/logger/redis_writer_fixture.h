// A RedisWriter on a loop that the test turns, and what its tests put in and read back.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "logger/redis_writer.h"
#include "logger/visit_record.h"
#include "tests/support/redis_server.h"

namespace gatebook::logger {

using namespace std::chrono_literals;
using base::Metric;

constexpr auto kRetention = std::chrono::hours(30 * 24);

// A writer on a loop of its own that the test turns.
class WriterUnderTest final : public RedisWriter::Handler {
 public:
  explicit WriterUnderTest(const config::Redis& redis, std::string instance = "aa11", size_t lanes = 1) {
    config_.redis = redis;
    config_.redis.reply_timeout = 2s;
    config_.visit.retention = kRetention;
    writer_ = std::make_unique<RedisWriter>(
        loop_, config_, base::Clock::System(), metrics_,
        RedisWriter::Identity{"edge1", std::move(instance), 2}, lanes,
        [](const base::IpAddress&) {
          return Place{"FI", "Helsinki", "Example Oy", 64500};
        },
        *this);
    writer_->Start();
  }

  bool TurnUntil(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    // A timer ticks, so that every turn ends.
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      net::Timer tick([] {});
      tick.Arm(loop_.timers(), loop_.now() + 20ms);
      loop_.RunOnce(true);
    }
    return true;
  }
  bool BecomesUp() {
    return TurnUntil([this] { return writer_->IsUp(); });
  }
  bool BecomesState(std::string_view part) {
    return TurnUntil([&] { return writer_->state().find(part) != std::string::npos; });
  }
  // Commits what was added and waits for its end.
  BatchTally Store(size_t lane = 0) {
    BatchTally tally;
    if (writer_->Commit(lane, &tally) != RedisWriter::Committed::kUnderWay) return tally;
    EXPECT_TRUE(TurnUntil([&] { return done_.contains(lane); }));
    tally = done_[lane];
    done_.erase(lane);
    return tally;
  }

  void OnWriterReady() override {}
  void OnBatchStored(size_t lane, const BatchTally& tally) override {
    done_[lane] = tally;
    stored_.push_back(tally);
  }
  void OnWriterLost() override { ++lost_; }
  void OnWriterLooked() override {}
  void OnWriterStateChanged() override {}

  RedisWriter& writer() { return *writer_; }
  base::MetricsBlock& metrics() { return metrics_; }
  config::Config& config() { return config_; }
  int lost() const { return lost_; }
  const std::vector<BatchTally>& stored() const { return stored_; }  // of all lanes, in their order

 private:
  net::Loop loop_;
  config::Config config_;
  base::MetricsBlock metrics_;
  std::unique_ptr<RedisWriter> writer_;
  std::map<size_t, BatchTally> done_;
  std::vector<BatchTally> stored_;
  int lost_ = 0;
};

uint64_t Now() { return static_cast<uint64_t>(base::Clock::System().WallNow().time_since_epoch().count()); }

// In the minute before this one, and not at its border: what is to come counts as now.
inline uint64_t PastTime() { return (Now() / 60'000 - 1) * 60'000 + 5'000; }

inline Visit SomeVisit(uint64_t arrival) {
  Visit visit;
  visit.arrival = base::WallTime(std::chrono::milliseconds(arrival));
  visit.session.bytes = {1, 2, 3};
  visit.ip = *base::IpAddress::Parse("198.51.100.7");
  visit.tls_version = 13;
  visit.status = 200;
  visit.method = "GET";
  visit.host = "shop.example";
  visit.path = "/";
  visit.user_agent = "Agent/1.0";
  visit.policy = "2025-09-01";
  return visit;
}

const Name kName{DnsCheck::kConfirmed, "host.example"};

}  // namespace gatebook::logger
