// All sinks of an edge: what the recorder tells them, and what becomes of visits that are open.
#include "review/sinks.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>
#include <vector>

#include "logger/erasures.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait.h"

namespace gatebook::review {
namespace {

using nlohmann::json;
using support::WaitUntil;
using namespace std::chrono_literals;

class SinksTest : public testing::Test {
 protected:
  SinksTest() {
    for (const auto& [name, format] :
         {std::pair("ecs", config::SinkFormat::kEcs), std::pair("combined", config::SinkFormat::kCombined)}) {
      config::Sink& sink = config_.sinks.emplace_back();
      sink.name = name;
      sink.format = format;
      sink.path = files_.Path(name);
    }
    Take();
  }
  ~SinksTest() override { sinks_.EndAll(base::Clock::System().SteadyNow() + 10s); }

  void Take() {
    auto prepared = sinks_.Prepare(config_);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
    sinks_.Take(std::move(prepared).value());
  }
  logger::VisitTap& tap() { return sinks_; }
  logger::VisitId Tell(const std::string& path, bool open = false, uint8_t session = 1) {
    logger::Record record;
    record.id = {0, 1'790'000'000'000U + next_, next_};
    ++next_;
    record.visit.arrival = base::Clock::System().WallNow();
    record.visit.session.bytes = {session};
    record.visit.ip = *base::IpAddress::Parse("203.0.113.7");
    record.visit.open = open;
    record.visit.method = "GET";
    record.visit.path = path;
    record.visit.status = open ? 101 : 200;
    tap().OnVisit(record, {logger::DnsCheck::kNone, ""}, {});
    return record.id;
  }
  void Close(const logger::VisitId& of) {
    logger::Record record;
    record.type = logger::RecordType::kClosing;
    record.closing = {.of = of, .status = 101, .bytes_in = 3, .bytes_out = 4, .duration_us = 60'000'000};
    tap().OnClosing(record);
  }
  std::vector<std::string> Lines(const std::string& name, size_t count) {
    std::vector<std::string> lines;
    EXPECT_TRUE(WaitUntil([&] {
      lines.clear();
      for (const auto& entry : std::filesystem::directory_iterator(files_.path())) {
        if (!entry.path().filename().string().starts_with(name)) continue;
        std::ifstream in(entry.path());
        for (std::string line; std::getline(in, line);) lines.push_back(line);
      }
      return lines.size() >= count;
    }));
    EXPECT_EQ(lines.size(), count) << name;
    return lines;
  }

  support::TempDirectory files_;
  config::Config config_;
  Sinks sinks_{"edge1", base::Clock::System()};
  uint32_t next_ = 0;
};

TEST_F(SinksTest, AVisitThatIsOpenHasTwoLinesOfOneIdInJsonAndOneInCombined) {
  const auto open = Tell("/tunnel", true);
  Tell("/other");
  Close(open);
  tap().OnToldAll();
  const auto ecs = Lines("ecs", 3);
  const json opening = json::parse(ecs[0]);
  const json whole = json::parse(ecs[2]);
  EXPECT_EQ(opening["gatebook.open"], true);
  EXPECT_EQ(opening["event.id"], whole["event.id"]);
  EXPECT_EQ(opening["@timestamp"], whole["@timestamp"]);
  EXPECT_FALSE(whole.contains("gatebook.open"));
  EXPECT_EQ(whole["http.response.body.bytes"], 4);
  EXPECT_EQ(whole["event.duration"], 60'000'000'000);
  EXPECT_EQ(whole["url.path"], "/tunnel");
  const auto combined = Lines("combined", 2);
  EXPECT_NE(combined[1].find("\"GET /tunnel HTTP/1.1\" 101 4"), std::string::npos) << combined[1];
}

TEST_F(SinksTest, AClosingOfAVisitThatNobodyKnowsIsNothing) {
  Close({0, 1, 1});
  Tell("/");
  tap().OnToldAll();
  Lines("ecs", 1);
}

TEST_F(SinksTest, AVisitThatIsErasedWhileItIsOpenIsNotCompleted) {
  const std::array<uint8_t, 32> bytes{};
  const logger::ErasureKey key(bytes);
  const auto mine = Tell("/mine", true, 1);
  const auto theirs = Tell("/theirs", true, 2);
  tap().OnToldAll();
  Lines("ecs", 2);
  logger::Erasure erasure;
  erasure.kind = logger::Erasure::Kind::kSession;
  erasure.digest = key.Of(logger::SessionId{{1}});
  erasure.until = base::Clock::System().WallNow() + 1h;
  tap().OnErasures(std::make_shared<const logger::ErasureList>(key, std::vector{erasure}));
  EXPECT_TRUE(sinks_.AwaitErasures(5s));
  Close(mine);
  Close(theirs);
  tap().OnToldAll();
  Lines("ecs", 3);  // the openings are the erasure's to take out of closed files
  const auto combined = Lines("combined", 1);
  EXPECT_NE(combined[0].find("/theirs"), std::string::npos);
}

TEST_F(SinksTest, OfTooManyThatAreOpenTheOldestIsGivenUp) {
  for (int i = 0; i < 16'384; ++i) {
    Tell("/kept", true);
    if (i % 512 == 0) {
      tap().OnToldAll();
      // The queue is no part of this test.
      EXPECT_TRUE(
          WaitUntil([&] { return sinks_.states()[0].queued == 0 && sinks_.states()[1].queued == 0; }));
    }
  }
  Tell("/one-more", true);
  tap().OnToldAll();
  const auto combined = Lines("combined", 1);
  EXPECT_NE(combined[0].find("\"GET /kept"), std::string::npos);
}

TEST_F(SinksTest, ListensOnlyWhileThereIsASink) {
  EXPECT_TRUE(tap().IsListening());
  config_.sinks.clear();
  Take();
  EXPECT_FALSE(tap().IsListening());
  EXPECT_TRUE(WaitUntil([&] {
    sinks_.Reap();
    return sinks_.states().empty();
  }));
}

}  // namespace
}  // namespace gatebook::review
