#include "proxy/health_checker.h"

#include <gtest/gtest.h>

#include <atomic>

#include "config/endpoint.h"
#include "tests/net/loop_driver.h"
#include "tests/support/process.h"
#include "tests/support/test_upstream.h"

namespace gatebook::proxy {
namespace {

using namespace std::chrono_literals;
using base::Metric;
using net::RunUntil;
using support::Answer;
using support::TestUpstream;

class HealthCheckerTest : public testing::Test {
 protected:
  HealthCheckerTest() {
    config_.upstreams.resize(1);
    config_.upstreams[0].name = "app";
    config_.upstreams[0].health_path = "/healthz?deep=1";
    config_.upstreams[0].health_interval = 20ms;
    config_.upstreams[0].health_timeout = 10s;
    config_.upstreams[0].health_rise = 2;
    config_.upstreams[0].health_fall = 2;
  }
  ~HealthCheckerTest() override {
    checker_.reset();
    net::RunReady(loop_);
    EXPECT_EQ(metrics_.Get(Metric::kServersDown), 0U);
  }

  // `known_down`: as checks before have found it.
  void Start(const std::string& server, bool known_down = false) {
    auto endpoint =
        config::ParseEndpoint(server, config::kFormIp | config::kFormHostname | config::kFormUnix);
    ASSERT_TRUE(endpoint.ok());
    config_.upstreams[0].servers = {*endpoint};
    board_ = std::make_unique<HealthBoard>(config_);
    board_->Of(0)[0].down = known_down;
    checker_ = std::make_unique<HealthChecker>(loop_, metrics_, config_, *board_, tls_);
  }
  bool WaitDown(bool down) {
    return RunUntil(
        loop_, [&] { return board_->Of(0)[0].down == down && metrics_.Get(Metric::kServersDown) == down; });
  }
  bool WaitChecks(Metric result, uint64_t more) {
    const uint64_t before = metrics_.Get(result);
    return RunUntil(loop_, [&] { return metrics_.Get(result) >= before + more; });
  }

  net::Loop loop_;
  base::MetricsBlock metrics_;
  config::Config config_;
  UpstreamTls tls_;
  std::unique_ptr<HealthBoard> board_;
  std::unique_ptr<HealthChecker> checker_;
  std::atomic<int> status_ = 200;
};

TEST_F(HealthCheckerTest, AsksForThePathWithTheServersHost) {
  TestUpstream upstream;
  Start(upstream.address());
  ASSERT_TRUE(WaitChecks(Metric::kHealthChecks, 1));
  const auto request = upstream.last_request();
  EXPECT_EQ(request.first_line, "GET /healthz?deep=1 HTTP/1.1");
  EXPECT_EQ(request.Field("host"), upstream.address());
  EXPECT_EQ(request.Field("connection"), "close");
  EXPECT_FALSE(board_->Of(0)[0].down);
}

TEST_F(HealthCheckerTest, OrWithTheHostThatIsConfigured) {
  TestUpstream upstream;
  config_.upstreams[0].health_host = "www.example.com";
  Start(upstream.address());
  ASSERT_TRUE(WaitChecks(Metric::kHealthChecks, 1));
  EXPECT_EQ(upstream.last_request().Field("host"), "www.example.com");
}

TEST_F(HealthCheckerTest, AServerThatAnswersBadlyGoesAndComesBack) {
  TestUpstream upstream([this](support::UpstreamConnection& connection, support::HttpMessage&) {
    connection.Send("HTTP/1.1 103 Early Hints\r\n\r\n" + Answer(status_, ""));
  });
  Start(upstream.address());
  ASSERT_TRUE(WaitChecks(Metric::kHealthChecks, 2));
  EXPECT_FALSE(board_->Of(0)[0].down);
  status_ = 503;
  EXPECT_TRUE(WaitDown(true));
  EXPECT_EQ(metrics_.Get(Metric::kHealthChecksFailed), 2U);
  status_ = 302;
  EXPECT_TRUE(WaitDown(false));
  EXPECT_NE(board_->Of(0)[0].up_since.load(), base::SteadyTime{});
}

TEST_F(HealthCheckerTest, NobodyListeningIsDownAtTheFirstCheck) {
  Start("127.0.0.1:" + std::to_string(support::FreePort()));
  EXPECT_TRUE(WaitDown(true));
  EXPECT_EQ(metrics_.Get(Metric::kHealthChecksFailed), 1U);
}

TEST_F(HealthCheckerTest, ASilentServerIsDownInTime) {
  TestUpstream upstream(
      [](support::UpstreamConnection& connection, support::HttpMessage&) { connection.WaitClosed(); });
  config_.upstreams[0].health_timeout = 60ms;
  Start(upstream.address());
  EXPECT_TRUE(WaitDown(true));
}

TEST_F(HealthCheckerTest, NonsenseIsNoAnswer) {
  TestUpstream upstream([](support::UpstreamConnection& connection, support::HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\nbare: lf\n\n");
    connection.Close();
  });
  Start(upstream.address());
  EXPECT_TRUE(WaitDown(true));
}

TEST_F(HealthCheckerTest, ANameIsAskedForAtEachOfItsAddresses) {
  TestUpstream upstream;
  Start("app.test:" + std::to_string(upstream.port()));
  net::RunReady(loop_);
  EXPECT_EQ(metrics_.Get(Metric::kHealthChecksFailed), 0U);  // nothing is known of it yet
  checker_->SetUpstreamAddresses(
      "app.test", {*base::IpAddress::Parse("127.0.0.99"), *base::IpAddress::Parse("127.0.0.1")});
  EXPECT_TRUE(WaitChecks(Metric::kHealthChecks, 2));
  EXPECT_FALSE(board_->Of(0)[0].down);
}

TEST_F(HealthCheckerTest, WhoWasFoundDownBeforeComesBackAfterAsManyGoodAnswersAsEver) {
  TestUpstream upstream;
  Start(upstream.address(), true);
  EXPECT_EQ(metrics_.Get(Metric::kServersDown), 1U);
  EXPECT_TRUE(WaitDown(false));
  EXPECT_EQ(metrics_.Get(Metric::kHealthChecks), 2U);
}

TEST(HealthBoardTest, WhatIsKnownOfAnUpstreamOutlivesChangesOfOthers) {
  config::Config before;
  before.upstreams.resize(2);
  before.upstreams[0].name = "goes";
  before.upstreams[0].servers.resize(1);
  before.upstreams[1].name = "stays";
  before.upstreams[1].servers.resize(2);
  HealthBoard known(before);
  known.Of(0)[0].down = true;
  known.Of(1)[1].down = true;
  known.Of(1)[0].up_since = base::SteadyTime(5s);
  known.Of(1)[0].ejected = 3;
  config::Config after;
  after.upstreams = {before.upstreams[1], before.upstreams[0]};
  after.upstreams[1].health_path = "/changed";
  HealthBoard board(after, known, before);
  EXPECT_FALSE(board.Of(0)[0].down);
  EXPECT_TRUE(board.Of(0)[1].down);
  EXPECT_EQ(board.Of(0)[0].up_since.load(), base::SteadyTime(5s));
  EXPECT_EQ(board.Of(0)[0].ejected, 0U);  // of workers' pools, which are new
  EXPECT_FALSE(board.Of(1)[0].down);
}

TEST_F(HealthCheckerTest, MayEndInTheMiddleOfACheck) {
  TestUpstream upstream(
      [](support::UpstreamConnection& connection, support::HttpMessage&) { connection.WaitClosed(); });
  Start(upstream.address());
  ASSERT_TRUE(RunUntil(loop_, [&] { return !upstream.requests().empty(); }));
  checker_.reset();
}

}  // namespace
}  // namespace gatebook::proxy
