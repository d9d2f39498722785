// PROXY headers towards the upstream (upstream.proxy_protocol).
#include "http/proxy_protocol.h"
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class ProxyHeaderTest : public EdgeTest {
 protected:
  // A service that reads the header of each connection, then answers requests of HTTP/1.
  void StartTelling(const std::string& more = "") {
    Behind([this](UpstreamConnection& connection, HttpMessage&) {
      // The header's first bytes look like the end of a head.
      std::string bytes = "\r\n\r\n";
      http::ProxyHeader header;
      while ((header = http::ParseProxyHeader(bytes)).status == http::ProxyHeader::Status::kNeedMore) {
        const std::string more_bytes = connection.ReadSome();
        if (more_bytes.empty()) return;
        bytes += more_bytes;
      }
      if (header.status != http::ProxyHeader::Status::kDone) return connection.Close();
      bytes.erase(0, header.size);
      const std::string source = !header.addresses ? "local"
                                                   : header.addresses->source.ToText() + " " +
                                                         std::to_string(header.addresses->source_port) + " " +
                                                         std::to_string(header.addresses->destination_port);
      while (true) {
        while (bytes.find("\r\n\r\n") == std::string::npos) {
          const std::string more_bytes = connection.ReadSome();
          if (more_bytes.empty()) return connection.Close();
          bytes += more_bytes;
        }
        bytes.erase(0, bytes.find("\r\n\r\n") + 4);
        connection.Send(Answer(200, source));
      }
    });
    options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"" + upstream_->address() +
                         "\"]\nproxy_protocol = true\n" + more;
    Start();
  }
};

TEST_F(ProxyHeaderTest, TellsWhoAsksAndIsSharedByNobodyElse) {
  StartTelling();
  RawClient one(edge_->Plain("127.0.0.2"));
  RawClient other(edge_->Plain("127.0.0.3"));
  const std::string first = one.Get("/").value_or(HttpMessage{}).body;
  EXPECT_TRUE(first.starts_with("127.0.0.2 "));
  EXPECT_TRUE(first.ends_with(" " + std::to_string(edge_->Plain().port)));
  EXPECT_TRUE(other.Get("/").value_or(HttpMessage{}).body.starts_with("127.0.0.3 "));
  // A client's own connection is used again.
  EXPECT_EQ(one.Get("/").value_or(HttpMessage{}).body, first);
  EXPECT_EQ(upstream_->connections(), 2u);
  RawClient again(edge_->Plain("127.0.0.2"));
  EXPECT_NE(again.Get("/").value_or(HttpMessage{}).body, first);  // from another port
  EXPECT_EQ(upstream_->connections(), 3u);
}

TEST_F(ProxyHeaderTest, PassesOnWhatAProxyInFrontSaid) {
  options_.plain_listener = "proxy_protocol = [\"127.0.0.1\"]\n";
  StartTelling();
  RawClient client(edge_->Plain());
  client.Send("PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n" + Request("GET /"));
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).body, "192.0.2.7 4711 80");
}

TEST_F(ProxyHeaderTest, BehindATrustedProxyItIsTheClientWithoutItsPort) {
  Say("edge", "trusted_proxies = [\"127.0.0.1\"]");
  StartTelling();
  RawClient client(edge_->Plain());
  EXPECT_TRUE(client.Get("/", "X-Forwarded-For: 192.0.2.9\r\n")
                  .value_or(HttpMessage{})
                  .body.starts_with("192.0.2.9 0 "));
}

TEST_F(ProxyHeaderTest, ChecksSpeakForThemselves) {
  StartTelling("health_path = \"/\"\nhealth_interval = \"20ms\"\n");
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_health_checks_total{result=\"ok\"}") >= 1; }));
  EXPECT_EQ(edge_->Metric("gatebook_health_checks_total{result=\"failed\"}"), 0u);
}

// The inner edge takes the header off before TLS begins, and answers HTTP/2 behind it.
TEST_F(ProxyHeaderTest, StandsBeforeTls) {
  Behind({});
  support::RedisServer inner_redis{std::vector<std::string>{}};
  GatebookOptions inner_options;
  inner_options.upstream = upstream_->address();
  inner_options.redis_url = inner_redis.url();
  inner_options.edge = "inner";
  const std::string port = std::to_string(support::FreePort());
  inner_options.more = "[[listen]]\naddress = \"127.0.0.1:" + port + "\"\nproxy_protocol = [\"127.0.0.1\"]\n";
  GatebookProcess inner(GATEBOOK_BINARY, inner_options);
  ASSERT_TRUE(inner.Start()) << inner.process().Describe();
  options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"https://127.0.0.1:" + port +
                       "\"]\ntls_verify = false\nprotocol = \"h2\"\nproxy_protocol = true\n";
  Start();
  RawClient client(edge_->Plain("127.0.0.4"));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.Get("/").value_or(HttpMessage{}).body, "hello");
  RawClient other(edge_->Plain("127.0.0.5"));
  EXPECT_EQ(other.Get("/").value_or(HttpMessage{}).body, "hello");
  const auto visits = inner.WaitForVisits(3);
  ASSERT_EQ(visits.size(), 3u);
  EXPECT_EQ(visits[1]["ip"], "127.0.0.4");
  EXPECT_EQ(visits[2]["ip"], "127.0.0.5");
  EXPECT_EQ(visits[0]["protocol"], "h2");
  EXPECT_EQ(edge_->Stop(), 0);
  EXPECT_EQ(inner.Verify(), "");
  verify_ = false;
}

}  // namespace
}  // namespace gatebook::e2e
