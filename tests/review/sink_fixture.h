// SinkTest: one sink, given visits as the recorder would give them.
//
// Thread: the test's. Ends: the sink is ended.
#pragma once

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "review/sink.h"
#include "review/sink_files.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait.h"

namespace gatebook::review {

using base::Metric;
using base::WallTime;
using nlohmann::json;
using support::WaitUntil;
using namespace std::chrono_literals;

class SinkTest : public testing::Test {
 protected:
  SinkTest() {
    config_.name = "test";
    config_.path = files_.Path("visits");
    visit_.session.bytes = {1, 2, 3};
    visit_.ip = *base::IpAddress::Parse("203.0.113.7");
    visit_.status = 200;
    visit_.method = "GET";
    visit_.host = "shop.example";
    visit_.path = "/";
    visit_.user_agent = "Agent/1.0";
  }
  ~SinkTest() override { End(); }

  void Start() {
    auto made = Sink::Make({config_, "edge1", keep_, clock_, metrics_});
    ASSERT_TRUE(made.ok()) << made.error().message;
    sink_ = std::move(made).value();
    sink_->Start();
  }
  void End(std::chrono::milliseconds patience = 10s) {
    if (!sink_) return;
    sink_->BeginEnd(base::Clock::System().SteadyNow() + patience);
    sink_->Join();
    sink_.reset();
  }
  ToldVisitPtr Told(WallTime arrival) {
    visit_.arrival = arrival;
    auto told = std::make_shared<ToldVisit>();
    told->id = {0, static_cast<uint64_t>(arrival.time_since_epoch().count()), next_++};
    told->arrival = arrival;
    told->session = visit_.session;
    told->ip = visit_.ip;
    if (visit_.open) told->kind = ToldVisit::Kind::kOpening;
    logger::AppendVisitFacts(told->visit_facts, told->id, visit_);
    logger::AppendClientFacts(told->client_facts, visit_, {logger::DnsCheck::kConfirmed, "a.b.example.org"},
                              {"FI", "Helsinki", "Example Oy", 64500});
    return told;
  }
  size_t Give(const std::string& path, WallTime arrival) {
    visit_.path = path;
    const ToldVisitPtr told = Told(arrival);
    return sink_->Give({&told, 1});
  }
  size_t Give(const std::string& path) { return Give(path, clock_.WallNow()); }
  bool Written(uint64_t count) {
    return WaitUntil([&] { return metrics_.Get(Metric::kSinkVisits) == count; });
  }

  static std::vector<std::string> Lines(const std::string& path) {
    std::vector<std::string> lines;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  std::vector<std::string> Lines() const { return Lines(config_.path); }
  std::vector<std::string> ClosedFiles() const {
    std::vector<std::string> paths;
    const auto files = ListClosedSinkFiles(config_.path);
    EXPECT_TRUE(files.ok());
    for (const ClosedSinkFile& file : *files) paths.push_back(file.path);
    return paths;
  }

  support::TempDirectory files_;
  base::ManualClock clock_{WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 12h)};
  config::Sink config_;
  std::chrono::milliseconds keep_ = 720h;
  base::MetricsBlock metrics_;
  logger::Visit visit_;
  uint32_t next_ = 0;
  std::unique_ptr<Sink> sink_;
};

}  // namespace gatebook::review
