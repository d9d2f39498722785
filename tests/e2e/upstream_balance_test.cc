// Several servers behind one route: who is asked, who is passed over, who comes back, and over which kind of
// connection.
#include "tests/e2e/edge_test.h"
#include "tests/support/test_certificates.h"

namespace gatebook::e2e {
namespace {

// TestUpstreams that say who they are.
class UpstreamBalanceTest : public EdgeTest {
 protected:
  void AddServer(uint16_t port = 0) {
    const size_t number = servers_.size();
    up_.emplace_back(std::make_unique<std::atomic<bool>>(true));
    servers_.push_back(std::make_unique<TestUpstream>(
        [number, &up = *up_.back()](UpstreamConnection& connection, HttpMessage& request) {
          if (!connection.ReadBody(&request)) return;
          const bool is_check = request.first_line.starts_with("GET /health ");
          connection.Send(Answer(is_check && !up ? 503 : 200, std::to_string(number)));
        },
        port));
  }
  // `more`: lines of the [[upstream]].
  void StartWith(const std::string& more, const std::string& instead_of_servers = "") {
    std::string list = instead_of_servers;
    for (const auto& server : servers_) list += (list.empty() ? "\"" : ", \"") + server->address() + "\"";
    options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [" + list + "]\n" + more + "\n";
    Start();
  }
  // Who answers a new visitor; "": nobody.
  std::string Ask(const std::string& fields = "") {
    RawClient client(edge_->Plain());
    client.Send(Request("GET /", fields));
    const auto answer = client.ReadResponse();
    return answer && answer->status() == 200 ? answer->body : "";
  }
  std::map<std::string, int> AskOften(int times) {
    std::map<std::string, int> counts;
    for (int i = 0; i < times; ++i) ++counts[Ask()];
    return counts;
  }
  void TearDown() override {
    for (auto& server : servers_) {
      if (server) server->CloseAll();
    }
    EdgeTest::TearDown();
    servers_.clear();
  }

  std::vector<std::unique_ptr<std::atomic<bool>>> up_;
  std::vector<std::unique_ptr<TestUpstream>> servers_;
};

TEST_F(UpstreamBalanceTest, ServersAnswerByTheirWeights) {
  AddServer();
  AddServer();
  StartWith("weights = [3, 1]");
  const auto counts = AskOften(20);
  EXPECT_EQ(counts, (std::map<std::string, int>{{"0", 15}, {"1", 5}}));
}

TEST_F(UpstreamBalanceTest, ADeadServerIsPassedOverUnseenAndComesBack) {
  AddServer();
  const uint16_t port = support::FreePort();
  StartWith("eject_after = 2\neject_time = \"300ms\"", "\"127.0.0.1:" + std::to_string(port) + "\"");
  EXPECT_EQ(AskOften(10), (std::map<std::string, int>{{"0", 10}}));
  EXPECT_EQ(edge_->Metric("gatebook_upstream_connects_total{result=\"failed\"}"), 2U);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_ejections_total"), 1U);
  AddServer(port);
  EXPECT_TRUE(WaitUntil([&] { return Ask() == "1"; }));
  EXPECT_EQ(edge_->Metric("gatebook_upstream_servers_ejected"), 0U);
}

TEST_F(UpstreamBalanceTest, AServerThatFailsItsChecksGetsNoVisitorUntilItPassesThem) {
  AddServer();
  AddServer();
  StartWith("health_path = \"/health\"\nhealth_interval = \"20ms\"\nhealth_fall = 1\nhealth_rise = 1");
  *up_[0] = false;
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_upstream_servers_down") == 1; }));
  EXPECT_EQ(AskOften(6), (std::map<std::string, int>{{"1", 6}}));
  const json status = json::parse(edge_->Admin("/status").body);
  EXPECT_EQ(status["upstreams"][0]["servers"][0]["state"], "down");
  EXPECT_EQ(status["upstreams"][0]["servers"][1]["state"], "up");
  *up_[0] = true;
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_upstream_servers_down") == 0; }));
  EXPECT_EQ(AskOften(6).size(), 2U);
}

TEST_F(UpstreamBalanceTest, WhenAllFailTheirChecksAllAreAskedAllTheSame) {
  AddServer();
  AddServer();
  *up_[0] = *up_[1] = false;
  StartWith("health_path = \"/health\"\nhealth_interval = \"20ms\"");
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_upstream_servers_down") == 2; }));
  EXPECT_EQ(AskOften(6), (std::map<std::string, int>{{"0", 3}, {"1", 3}}));
}

TEST_F(UpstreamBalanceTest, AVisitorStaysWithTheServerOfTheSession) {
  for (int i = 0; i < 3; ++i) AddServer();
  StartWith("balance = \"session\"");
  std::map<std::string, int> first;
  for (int visitor = 0; visitor < 12; ++visitor) {
    RawClient client(edge_->Tls());
    const auto answer = client.Get("/");
    ASSERT_TRUE(answer);
    const std::string cookie = answer->Field("set-cookie").value_or("");
    ++first[answer->body];
    for (int again = 0; again < 3; ++again) {
      RawClient later(edge_->Tls());
      later.Send(Request("GET /", "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n"));
      EXPECT_EQ(later.ReadResponse().value_or(HttpMessage{}).body, answer->body);
    }
  }
  EXPECT_GT(first.size(), 1U);
}

TEST_F(UpstreamBalanceTest, BeyondMaxConnectionsVisitorsWaitAndTheRestIsToldSo) {
  Behind([this](UpstreamConnection& connection, HttpMessage& request) {
    if (!connection.ReadBody(&request)) return;
    connection.WaitFor([this] { return go_.load(); });
    connection.Send(Answer(200, "hello"));
  });
  options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"" + upstream_->address() +
                       "\"]\nmax_connections = 1\nqueue = 1\nqueue_timeout = \"20s\"\n";
  Start();
  RawClient first(edge_->Plain());
  first.Send(Request("GET /"));
  ASSERT_TRUE(upstream_->WaitForRequests(1));
  RawClient second(edge_->Plain());
  second.Send(Request("GET /"));
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_upstream_waiting") == 1; }));
  RawClient third(edge_->Plain());
  third.Send(Request("GET /"));
  EXPECT_EQ(third.ReadResponse().value_or(HttpMessage{}).status(), 503);
  EXPECT_EQ(Refusals("upstream_busy"), 1U);
  go_ = true;
  EXPECT_EQ(first.ReadResponse().value_or(HttpMessage{}).status(), 200);
  EXPECT_EQ(second.ReadResponse().value_or(HttpMessage{}).status(), 200);
  EXPECT_EQ(upstream_->connections(), 1U);
}

// ---- TLS to the upstream: another gatebook stands there, as good a TLS server as any.

class UpstreamTlsTest : public EdgeTest {
 protected:
  // The inner edge answers by its own upstream, over TLS, with a certificate for localhost.
  void StartInner() {
    Behind({});
    inner_redis_ = std::make_unique<support::RedisServer>(std::vector<std::string>{});
    GatebookOptions inner;
    inner.upstream = upstream_->address();
    inner.redis_url = inner_redis_->url();
    inner.edge = "inner";
    const auto text = authority_.Issue({.dns_names = {"app.internal"}, .ip_addresses = {"127.0.0.1"}});
    inner.chain_file = directory_.Write("chain.pem", text.chain);
    inner.key_file = directory_.Write("key.pem", text.key);
    inner_ = std::make_unique<GatebookProcess>(GATEBOOK_BINARY, inner);
    ASSERT_TRUE(inner_->Start()) << inner_->process().Describe();
  }
  void StartOuter(const std::string& more) {
    options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"https://127.0.0.1:" +
                         std::to_string(inner_->tls_port()) + "\"]\n" + more + "\n";
    Start();
  }
  std::string CaLine() {
    return "tls_ca = \"" + directory_.Write("ca.pem", authority_.certificate()) + "\"\n";
  }
  int Ask() {
    RawClient client(edge_->Plain());
    client.Send(Request("GET /"));
    return client.ReadResponse().value_or(HttpMessage{}).status();
  }

  support::TempDirectory directory_;
  support::TestAuthority authority_;
  std::unique_ptr<support::RedisServer> inner_redis_;
  std::unique_ptr<GatebookProcess> inner_;
};

TEST_F(UpstreamTlsTest, AVerifiedServerIsSpokenToAndItsConnectionReused) {
  StartInner();
  StartOuter(CaLine() + "tls_name = \"app.internal\"");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(), 200);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_connects_total{result=\"ok\"}"), 1U);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_reused_total"), 2U);
  EXPECT_EQ(inner_->Metric("gatebook_tls_handshakes_total{result=\"full\"}"), 1U);
}

TEST_F(UpstreamTlsTest, AServerThatCannotBeVerifiedIsNotSpokenTo) {
  StartInner();
  StartOuter(CaLine() + "tls_name = \"other.internal\"");
  EXPECT_EQ(Ask(), 502);
  EXPECT_EQ(Refusals("upstream_connect"), 1U);
  EXPECT_TRUE(upstream_->requests().empty());
}

TEST_F(UpstreamTlsTest, UnlessVerificationIsTurnedOff) {
  StartInner();
  StartOuter("tls_verify = false");
  EXPECT_EQ(Ask(), 200);
}

TEST_F(UpstreamTlsTest, ChecksSpeakTlsToo) {
  StartInner();
  StartOuter(CaLine() + "health_path = \"/\"\nhealth_host = \"localhost\"\nhealth_interval = \"20ms\"");
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_health_checks_total{result=\"ok\"}") >= 2; }));
}

}  // namespace
}  // namespace gatebook::e2e
