// What stands in front of us: PROXY headers and trusted proxies; and what a route does to fields.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class FrontTest : public EdgeTest {
 protected:
  HttpMessage Ask(support::ClientOptions options, const std::string& before, const std::string& fields = "") {
    RawClient client(std::move(options));
    client.Send(before + Request("GET /", fields));
    const auto answer = client.ReadResponse();
    return answer ? *answer : HttpMessage();
  }
};

TEST_F(FrontTest, AProxyHeaderNamesTheVisitor) {
  options_.plain_listener = "proxy_protocol = [\"127.0.0.1\"]\n";
  Start();
  EXPECT_EQ(Ask(edge_->Plain(), "PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n").status(), 200);
  EXPECT_EQ(upstream_->last_request().Field("x-forwarded-for"), "192.0.2.7");
  const auto visits = edge_->WaitForVisits(1, {"--reveal", "--reason", "a test"});
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["ip"], "192.0.2.7");
}

TEST_F(FrontTest, AProxyHeaderThatIsMissingOrSentByAStrangerEndsTheConnection) {
  options_.plain_listener = "proxy_protocol = [\"127.0.0.1\"]\n";
  Start();
  EXPECT_EQ(Ask(edge_->Plain(), "").status(), 0);
  EXPECT_TRUE(WaitUntil(
      [this] { return edge_->Metric("gatebook_connections_closed_total{reason=\"proxy_header\"}") == 1; }));
  // From anyone else it is read as the request that it isn't.
  EXPECT_EQ(Ask(edge_->Plain("127.0.0.2"), "PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n").status(), 400);
  EXPECT_EQ(upstream_->requests().size(), 0u);
}

TEST_F(FrontTest, OnlyATrustedProxyIsBelievedAndOnlyFromTheRight) {
  Say("edge", "trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]");
  Start();
  EXPECT_EQ(
      Ask(edge_->Plain(), "", "X-Forwarded-For: 6.6.6.6, 192.0.2.9, 10.1.2.3\r\nX-Forwarded-Proto: https\r\n")
          .status(),
      200);
  EXPECT_EQ(upstream_->last_request().Field("x-forwarded-for"), "192.0.2.9, 10.1.2.3, 127.0.0.1");
  EXPECT_EQ(upstream_->last_request().Field("x-forwarded-proto"), "https");
  EXPECT_EQ(Ask(edge_->Plain("127.0.0.2"), "", "X-Forwarded-For: 6.6.6.6\r\n").status(), 200);
  EXPECT_EQ(upstream_->last_request().Field("x-forwarded-for"), "127.0.0.2");
  const auto visits = edge_->WaitForVisits(2, {"--reveal", "--reason", "a test"});
  ASSERT_EQ(visits.size(), 2u);
  EXPECT_EQ(visits[0]["ip"], "192.0.2.9");
  EXPECT_EQ(visits[1]["ip"], "127.0.0.2");
}

TEST_F(FrontTest, ARouteSetsAddsAndRemovesFields) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\r\nServer: secret/1.0\r\nX-Old: 1\r\nContent-Length: 0\r\n\r\n");
  });
  Prepare();
  options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"" + upstream_->address() +
                       "\"]\n[[route]]\nupstream = \"service\"\n"
                       "request_headers = [\"set X-Edge: north\", \"remove X-Debug\"]\n"
                       "response_headers = [\"remove Server\", \"set X-Old: 2\", \"add Vary: Cookie\"]\n";
  edge_->Configure(options_);
  ASSERT_TRUE(edge_->Start());
  const HttpMessage answer = Ask(edge_->Plain(), "", "X-Edge: forged\r\nX-Debug: 1\r\n");
  EXPECT_EQ(upstream_->last_request().Field("x-edge"), "north");
  EXPECT_EQ(upstream_->last_request().Count("x-edge"), 1u);
  EXPECT_EQ(upstream_->last_request().Field("x-debug"), std::nullopt);
  EXPECT_EQ(answer.Field("server"), std::nullopt);
  EXPECT_EQ(answer.Field("x-old"), "2");
  EXPECT_EQ(answer.Field("vary"), "Cookie");
}

TEST_F(FrontTest, ATraceGoesOnOrBegins) {
  Start();
  Ask(edge_->Plain(), "",
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=b\r\n");
  HttpMessage seen = upstream_->last_request();
  EXPECT_THAT(seen.Field("traceparent").value_or(""),
              testing::StartsWith("00-0af7651916cd43dd8448eb211c80319c-"));
  EXPECT_EQ(seen.Field("tracestate"), "a=b");
  Ask(edge_->Plain(), "", "traceparent: 00-broken\r\ntracestate: a=b\r\n");
  seen = upstream_->last_request();
  EXPECT_EQ(seen.Count("traceparent"), 1u);
  EXPECT_EQ(seen.Field("traceparent").value_or("").size(), 55u);
  EXPECT_EQ(seen.Field("tracestate"), std::nullopt);
}

}  // namespace
}  // namespace gatebook::e2e
