// How an upstream is reached: over TLS, verified and with a certificate of ours, and over a Unix socket.
// Another gatebook stands there, as good a server as any.
#include "tests/e2e/edge_test.h"
#include "tests/support/test_certificates.h"

namespace gatebook::e2e {
namespace {

class UpstreamTransportTest : public EdgeTest {
 protected:
  // The inner edge answers by its own upstream, over TLS, with a certificate for localhost.
  void StartInner() {
    Behind({});
    inner_redis_ = std::make_unique<support::RedisServer>(std::vector<std::string>{});
    GatebookOptions inner;
    inner.upstream = upstream_->address();
    inner.redis_url = inner_redis_->url();
    inner.edge = "inner";
    inner.more =
        "[[listen]]\naddress = \"unix:" + Socket() + "\"\ntls = false\nproxy_protocol = [\"unix\"]\n";
    inner.sections["tls"] = inner_tls_;
    const auto text = authority_.Issue({.dns_names = {"app.internal"}, .ip_addresses = {"127.0.0.1"}});
    inner.chain_file = directory_.Write("chain.pem", text.chain);
    inner.key_file = directory_.Write("key.pem", text.key);
    inner_ = std::make_unique<GatebookProcess>(GATEBOOK_BINARY, inner);
    ASSERT_TRUE(inner_->Start()) << inner_->process().Describe();
  }
  std::string Socket() const { return directory_.Path("inner.sock"); }
  void StartOuter(const std::string& more) {
    StartOuterTo("https://127.0.0.1:" + std::to_string(inner_->tls_port()), more);
  }
  void StartOuterTo(const std::string& server, const std::string& more) {
    options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"" + server + "\"]\n" + more + "\n";
    Start();
  }
  std::string CaLine() {
    return "tls_ca = \"" + directory_.Write("ca.pem", authority_.certificate()) + "\"\n";
  }
  // The inner edge asks for a certificate of the same authority.
  void AskForCertificates() {
    inner_tls_ = "client_certificates = \"required\"\nclient_ca = \"" +
                 directory_.Write("clients.pem", authority_.certificate()) + "\"\n";
  }
  int Ask() {
    RawClient client(edge_->Plain());
    client.Send(Request("GET /"));
    return client.ReadResponse().value_or(HttpMessage{}).status();
  }

  support::TempDirectory directory_;
  support::TestAuthority authority_;
  std::string inner_tls_;
  std::unique_ptr<support::RedisServer> inner_redis_;
  std::unique_ptr<GatebookProcess> inner_;
};

TEST_F(UpstreamTransportTest, AVerifiedServerIsSpokenToAndItsConnectionReused) {
  StartInner();
  StartOuter(CaLine() + "tls_name = \"app.internal\"");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(), 200);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_connects_total{result=\"ok\"}"), 1U);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_reused_total"), 2U);
  EXPECT_EQ(inner_->Metric("gatebook_tls_handshakes_total{result=\"full\"}"), 1U);
}

TEST_F(UpstreamTransportTest, AServerThatCannotBeVerifiedIsNotSpokenTo) {
  StartInner();
  StartOuter(CaLine() + "tls_name = \"other.internal\"");
  EXPECT_EQ(Ask(), 502);
  EXPECT_EQ(Refusals("upstream_connect"), 1U);
  EXPECT_TRUE(upstream_->requests().empty());
}

TEST_F(UpstreamTransportTest, NorOneOfAnotherAuthority) {
  StartInner();
  const support::TestAuthority other;
  StartOuter("tls_ca = \"" + directory_.Write("ca.pem", other.certificate()) + "\"");
  EXPECT_EQ(Ask(), 502);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_connects_total{result=\"failed\"}"), 1U);
  EXPECT_THAT(edge_->process().Errors(), testing::HasSubstr("no connection to server 1 of 1: "));
  ExpectRefusalsInTheBook();
}

TEST_F(UpstreamTransportTest, WhereACertificateIsAskedForOursIsShown) {
  AskForCertificates();
  StartInner();
  const auto ours = authority_.Issue({.common_name = "outer", .for_client = true});
  StartOuter(CaLine() + "tls_certificate = \"" + directory_.Write("ours.pem", ours.chain) +
             "\"\ntls_key = \"" + directory_.Write("ours.key", ours.key) + "\"");
  EXPECT_EQ(Ask(), 200);
}

TEST_F(UpstreamTransportTest, AndWithoutOneNobodyAnswers) {
  AskForCertificates();
  StartInner();
  StartOuter(CaLine());
  EXPECT_EQ(Ask(), 502);
  EXPECT_TRUE(upstream_->requests().empty());
  ExpectRefusalsInTheBook();
}

TEST_F(UpstreamTransportTest, UnlessVerificationIsTurnedOff) {
  StartInner();
  StartOuter("tls_verify = false");
  EXPECT_EQ(Ask(), 200);
}

TEST_F(UpstreamTransportTest, ChecksSpeakTlsToo) {
  StartInner();
  StartOuter(CaLine() + "health_path = \"/\"\nhealth_host = \"localhost\"\nhealth_interval = \"20ms\"");
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_health_checks_total{result=\"ok\"}") >= 2; }));
}

// Whoever stands on a Unix socket has no address, and says in a PROXY header for whom it speaks.
TEST_F(UpstreamTransportTest, AUnixSocketIsOneToo) {
  StartInner();
  StartOuterTo("unix:" + Socket(), "proxy_protocol = true");
  RawClient client(edge_->Plain("127.0.0.9"));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.Get("/").value_or(HttpMessage{}).body, "hello");
  EXPECT_EQ(edge_->Metric("gatebook_upstream_reused_total"), 1U);
  const auto visits = inner_->WaitForVisits(2);
  ASSERT_EQ(visits.size(), 2u);
  EXPECT_EQ(visits[0]["ip"], "127.0.0.9");
}

}  // namespace
}  // namespace gatebook::e2e
