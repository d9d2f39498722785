// Sinks that send to a syslog server, over each transport.
#include <re2/re2.h>

#include "config/endpoint.h"
#include "tests/review/sink_fixture.h"
#include "tests/support/process.h"
#include "tests/support/syslog_server.h"
#include "tests/support/test_certificates.h"

namespace gatebook::review {
namespace {

using config::SyslogTransport;
using support::SyslogServer;

class SinkSyslogTest : public SinkTest {
 protected:
  void SendTo(const std::string& address, SyslogTransport transport) {
    config_.kind = config::SinkKind::kSyslog;
    config_.path.clear();
    config_.transport = transport;
    const auto server =
        config::ParseEndpoint(address, config::kFormIp | config::kFormHostname | config::kFormUnix);
    ASSERT_TRUE(server.ok());
    config_.server = *server;
    Start();
  }
  // The JSON behind a head of RFC 5424.
  static json Body(const std::string& message) {
    static const RE2 kHead(
        R"(<(\d+)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [!-~]{1,255} gatebook \d+ visit - )");
    re2::StringPiece rest(message);
    std::string priority;
    if (!RE2::Consume(&rest, kHead, &priority)) {
      ADD_FAILURE() << message.substr(0, 200);
      return {};
    }
    EXPECT_EQ(priority, "134");  // local0.info
    return json::parse(rest.as_string());
  }
  void ExpectAllArrive(SyslogServer& server, size_t count) {
    for (size_t i = 0; i < count; ++i) Give("/" + std::to_string(i));
    ASSERT_TRUE(WaitUntil([&] { return server.messages().size() == count; })) << server.messages().size();
    EXPECT_EQ(server.fault(), "");
    EXPECT_EQ(Body(server.messages()[3])["url.path"], "/3");
    EXPECT_TRUE(Written(count));
  }
};

TEST_F(SinkSyslogTest, SendsToTheSocketOfThisMachine) {
  SyslogServer server(SyslogServer::Transport::kUnix);
  SendTo(server.address(), SyslogTransport::kUnix);
  ExpectAllArrive(server, 500);
}

TEST_F(SinkSyslogTest, SendsByUdp) {
  SyslogServer server(SyslogServer::Transport::kUdp);
  SendTo(server.address(), SyslogTransport::kUdp);
  ExpectAllArrive(server, 50);
}

TEST_F(SinkSyslogTest, SendsByTcpWithOctetsCounted) {
  SyslogServer server(SyslogServer::Transport::kTcp);
  SendTo(server.address(), SyslogTransport::kTcp);
  ExpectAllArrive(server, 2000);
}

TEST_F(SinkSyslogTest, FindsTheServerByItsName) {
  SyslogServer server(SyslogServer::Transport::kTcp);
  SendTo("localhost:" + std::to_string(server.port()), SyslogTransport::kTcp);
  ExpectAllArrive(server, 10);
}

TEST_F(SinkSyslogTest, ConnectsAgainAndBeginsTheMessageAnewThatWasCut) {
  SyslogServer server(SyslogServer::Transport::kTcp);
  SendTo(server.address(), SyslogTransport::kTcp);
  Give("/first");
  ASSERT_TRUE(WaitUntil([&] { return server.messages().size() == 1; }));
  server.CutOff();
  EXPECT_TRUE(WaitUntil([&] {
    Give("/later");
    return server.messages().size() > 10;
  }));
  EXPECT_EQ(server.fault(), "");
  EXPECT_TRUE(WaitUntil([&] { return sink_->state().state == "ok"; }));
}

TEST_F(SinkSyslogTest, AServerThatIsAwayIsSaidAndWaitedFor) {
  const uint16_t port = support::FreePort();
  SendTo("127.0.0.1:" + std::to_string(port), SyslogTransport::kTcp);
  EXPECT_TRUE(WaitUntil([&] { return sink_->state().state.find("Connection refused") != std::string::npos; }))
      << sink_->state().state;
  EXPECT_GT(metrics_.Get(Metric::kSinkErrors), 0u);
  EXPECT_EQ(metrics_.Get(Metric::kSinksBlocked), 1u);
}

TEST_F(SinkSyslogTest, AServerThatReadsNothingBlocksTheSinkAlone) {
  SyslogServer server(SyslogServer::Transport::kTcp);
  config_.queue = 16;
  SendTo(server.address(), SyslogTransport::kTcp);
  Give("/");
  ASSERT_TRUE(WaitUntil([&] { return server.messages().size() == 1; }));
  server.Pause(true);
  size_t given = 1;
  size_t left_out = 0;
  ASSERT_TRUE(WaitUntil([&] {
    for (int i = 0; i < 16; ++i, ++given) left_out += Give("/" + std::to_string(given));
    return sink_->state().state == "blocked: nothing is taken" && left_out > 0;
  }));
  server.Pause(false);
  EXPECT_TRUE(WaitUntil([&] { return server.messages().size() == given - left_out; }));
  EXPECT_EQ(server.fault(), "");
}

TEST_F(SinkSyslogTest, ASocketThatIsFullIsWaitedFor) {
  SyslogServer server(SyslogServer::Transport::kUnix);
  SendTo(server.address(), SyslogTransport::kUnix);
  server.Pause(true);
  for (int i = 0; i < 2000; ++i) Give("/" + std::to_string(i));
  EXPECT_TRUE(WaitUntil([&] { return sink_->state().state == "blocked: nothing is taken"; }));
  server.Pause(false);
  EXPECT_TRUE(WaitUntil([&] { return server.messages().size() == 2000; }));
}

TEST_F(SinkSyslogTest, ARefusedVisitIsAWarning) {
  SyslogServer server(SyslogServer::Transport::kUnix);
  config_.facility = "authpriv";
  config_.format = config::SinkFormat::kCombined;
  SendTo(server.address(), SyslogTransport::kUnix);
  visit_.denied = "rate";
  Give("/");
  ASSERT_TRUE(WaitUntil([&] { return server.messages().size() == 1; }));
  EXPECT_TRUE(server.messages()[0].starts_with("<84>1 "));
  EXPECT_TRUE(server.messages()[0].ends_with("\"GET / HTTP/1.1\" 200 0 \"-\" \"Agent/1.0\""));
}

class SinkTlsTest : public SinkSyslogTest {
 protected:
  SinkTlsTest() {
    const auto issued = authority_.Issue({.dns_names = {"localhost"}, .ip_addresses = {"127.0.0.1"}});
    chain_ = files_.Write("chain.pem", issued.chain);
    key_ = files_.Write("key.pem", issued.key);
    config_.tls_ca = files_.Write("ca.pem", authority_.certificate());
  }
  std::unique_ptr<support::Process> Serve(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"/usr/bin/python3", "tests/e2e/clients/tls_receiver.py",
                                       std::to_string(port_), chain_, key_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<support::Process>(arguments);
  }

  support::TestAuthority authority_;
  std::string chain_, key_;
  const uint16_t port_ = support::FreePort();
};

TEST_F(SinkTlsTest, SendsByTls) {
  const auto server = Serve();
  SendTo("127.0.0.1:" + std::to_string(port_), SyslogTransport::kTls);
  for (int i = 0; i < 100; ++i) Give("/" + std::to_string(i));
  EXPECT_TRUE(WaitUntil([&] { return server->Output().find("\"url.path\":\"/99\"") != std::string::npos; }))
      << server->Describe() << sink_->state().state;
  EXPECT_TRUE(Written(100));
}

TEST_F(SinkTlsTest, ShowsItsCertificateWhereOneIsAskedFor) {
  const auto client = authority_.Issue({.common_name = "gatebook", .for_client = true});
  config_.tls_certificate = files_.Write("client.pem", client.chain);
  config_.tls_key = files_.Write("client.key", client.key);
  const auto server = Serve({config_.tls_ca});
  SendTo("127.0.0.1:" + std::to_string(port_), SyslogTransport::kTls);
  Give("/shown");
  EXPECT_TRUE(WaitUntil([&] { return server->Output().find("/shown") != std::string::npos; }))
      << server->Describe() << sink_->state().state;
}

TEST_F(SinkTlsTest, SendsNothingToAStranger) {
  const support::TestAuthority another("somebody else");
  config_.tls_ca = files_.Write("other.pem", another.certificate());
  const auto server = Serve();
  SendTo("127.0.0.1:" + std::to_string(port_), SyslogTransport::kTls);
  Give("/secret");
  EXPECT_TRUE(WaitUntil([&] { return sink_->state().state.find("certificate") != std::string::npos; }))
      << sink_->state().state;
  EXPECT_EQ(server->Output().find("/secret"), std::string::npos);
  EXPECT_EQ(metrics_.Get(Metric::kSinkVisits), 0u);
}

}  // namespace
}  // namespace gatebook::review
