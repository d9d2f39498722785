// Starting, ending, and ending badly.
#include <csignal>

#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class LifecycleTest : public EdgeTest {};

// An upstream that answers when told to.
class HeldLifecycleTest : public LifecycleTest {
 protected:
  void StartHeld() {
    Behind([this](UpstreamConnection& connection, HttpMessage&) {
      connection.WaitFor([this] { return go_.load(); });
      connection.Send(Answer(200, "at last"));
    });
    Start();
  }
};

TEST_F(HeldLifecycleTest, TermLetsARunningExchangeFinish) {
  StartHeld();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /")));
  ASSERT_TRUE(upstream_->WaitForRequests(1));
  edge_->process().Signal(SIGTERM);
  // It has stopped listening: that is how we see that it drains.
  EXPECT_TRUE(WaitUntil([&] { return !RawClient(edge_->Plain()).is_open(); }));
  EXPECT_TRUE(edge_->IsRunning());
  go_ = true;
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "at last");
  EXPECT_EQ(answer->Field("connection"), "close");
  EXPECT_TRUE(client.WaitClosed());
  EXPECT_EQ(edge_->process().WaitExit(), 0) << edge_->process().Describe();
  EXPECT_EQ(edge_->Visits().size(), 1u);
  verify_ = false;
}

TEST_F(HeldLifecycleTest, ASecondTermEndsNow) {
  StartHeld();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /")));
  ASSERT_TRUE(upstream_->WaitForRequests(1));
  edge_->process().Signal(SIGTERM);
  EXPECT_TRUE(WaitUntil([&] { return !RawClient(edge_->Plain()).is_open(); }));
  edge_->process().Signal(SIGTERM);
  EXPECT_TRUE(edge_->process().WaitExit().has_value()) << edge_->process().Describe();
  verify_ = false;
}

TEST_F(HeldLifecycleTest, TheDrainHasADeadline) {
  Say("timeouts", "drain = \"300ms\"");
  StartHeld();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /")));
  ASSERT_TRUE(upstream_->WaitForRequests(1));
  edge_->process().Signal(SIGTERM);
  EXPECT_EQ(edge_->process().WaitExit(), 0) << edge_->process().Describe();
  verify_ = false;
}

TEST_F(LifecycleTest, TermClosesIdleConnectionsAtOnce) {
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Get("/"));
  EXPECT_EQ(edge_->Stop(), 0);
  EXPECT_TRUE(client.WaitClosed());
  verify_ = false;
}

TEST_F(LifecycleTest, WhatWasAnsweredBeforeTheEndIsInRedisAfterIt) {
  Start();
  RawClient client(edge_->Tls());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(client.Get("/" + std::to_string(i)));
  EXPECT_EQ(edge_->Stop(), 0);
  EXPECT_EQ(edge_->Visits().size(), 50u);
  verify_ = false;
}

TEST_F(LifecycleTest, AfterKillNineAndARestartNothingIsMissingAndNothingTwice) {
  Start();
  for (int round = 0; round < 3; ++round) {
    {
      RawClient client(edge_->Tls());
      for (int i = 0; i < 30; ++i) ASSERT_TRUE(client.Get("/" + std::to_string(round * 30 + i)));
    }
    edge_->Kill();
    ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  }
  ASSERT_TRUE(edge_->WaitDelivered());
  const auto visits = edge_->WaitForVisits(90);
  ASSERT_EQ(visits.size(), 90u);
  for (size_t i = 0; i < 90; ++i) EXPECT_EQ(visits[i]["path"], "/" + std::to_string(i));
}

// The running edge's config with `from` replaced everywhere.
std::string Changed(std::string config, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = config.find(from, at)) != std::string::npos; at += to.size()) {
    config.replace(at, from.size(), to);
  }
  return config;
}

TEST_F(LifecycleTest, ASecondInstanceWithTheSameConfigIsRefusedAndHarmsTheFirstInNothing) {
  Start();
  const auto second = support::Run({GATEBOOK_BINARY, "run", "-c", edge_->config_path()});
  EXPECT_THAT(second.exit_code, testing::AnyOf(73, 74)) << second.errors;
  EXPECT_NE(second.errors, "");
  EXPECT_TRUE(RawClient(edge_->Tls()).Get("/"));
  EXPECT_EQ(edge_->Admin("/readyz").status(), 200) << "its admin socket is gone";
}

TEST_F(LifecycleTest, ASecondInstanceOnTheSameJournalIsRefusedWithAClearSentence) {
  Start();
  support::TempDirectory other;
  std::string config = support::ReadFile(edge_->config_path());
  config = Changed(config, "/admin.sock", "/other.sock");
  for (const uint16_t port : {edge_->tls_port(), edge_->Plain().port, edge_->Redirecting().port}) {
    config = Changed(config, "127.0.0.1:" + std::to_string(port),
                     "127.0.0.1:" + std::to_string(support::FreePort()));
  }
  const auto second = support::Run({GATEBOOK_BINARY, "run", "-c", other.Write("gatebook.toml", config)});
  EXPECT_THAT(second.exit_code, testing::AnyOf(73, 74)) << second.errors;
  EXPECT_THAT(second.errors,
              testing::HasSubstr(edge_->journal_directory() + " is in use by another gatebook"));
  EXPECT_TRUE(RawClient(edge_->Tls()).Get("/"));
}

TEST_F(LifecycleTest, APortThatIsTakenIsAClearSentence) {
  Start();
  support::TempDirectory other;
  // Somebody else's listener, not one of ours that would share the port.
  TestUpstream stranger;
  std::string config = support::ReadFile(edge_->config_path());
  config = Changed(config, edge_->journal_directory(), other.Path("journal"));
  config = Changed(config, "/admin.sock", "/other.sock");
  config = Changed(config, "127.0.0.1:" + std::to_string(edge_->tls_port()), stranger.address());
  const auto second = support::Run({GATEBOOK_BINARY, "run", "-c", other.Write("gatebook.toml", config)});
  EXPECT_THAT(second.exit_code, testing::AnyOf(73, 74)) << second.errors;
  EXPECT_THAT(second.errors, testing::HasSubstr(stranger.address()));
}

TEST_F(LifecycleTest, HealthAndReadinessAreToldOnTheAdminSocket) {
  Start();
  EXPECT_EQ(edge_->Admin("/healthz").status(), 200);
  EXPECT_EQ(edge_->Admin("/readyz").status(), 200);
  const HttpMessage metrics = edge_->Admin("/metrics");
  EXPECT_EQ(metrics.status(), 200);
  EXPECT_THAT(metrics.body, testing::HasSubstr("# TYPE gatebook_requests_total counter"));
  EXPECT_EQ(edge_->Admin("/nothing").status(), 404);
}

TEST_F(LifecycleTest, MetricsAndTheLogNameNoVisitor) {
  WithNames();
  Start();
  RawClient client(edge_->Tls("127.0.0.2"));
  ASSERT_TRUE(client.Get("/"));
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  const std::string session = upstream_->last_request().Field("x-session-id").value_or("-");
  const std::string metrics = edge_->Admin("/metrics").body;
  const std::string log = edge_->process().Errors() + edge_->process().Output();
  for (const std::string& personal : {std::string("127.0.0.2"), std::string(support::kGuestName), session}) {
    EXPECT_EQ(metrics.find(personal), std::string::npos) << personal;
    EXPECT_EQ(log.find(personal), std::string::npos) << personal;
  }
}

}  // namespace
}  // namespace gatebook::e2e
