// What stands in front of us: PROXY headers and trusted proxies; and what a route does to fields.
#include "http/proxy_protocol.h"
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
  // curl's own HTTP/2, over TLS: what it prints with `arguments`, head of the answer first.
  std::string AskH2(std::vector<std::string> arguments) {
    std::vector<std::string> command = {"curl", "--silent", "--http2", "--insecure", "--dump-header", "-"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.push_back("https://127.0.0.1:" + std::to_string(edge_->tls_port()) + "/");
    return support::Run(std::move(command)).output;
  }
  uint64_t Closed(const std::string& reason) {
    return edge_->Metric("gatebook_connections_closed_total{reason=\"" + reason + "\"}");
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

TEST_F(FrontTest, AProxyHeaderOfVersion2NamesTheVisitorAndAMalformedOneNobody) {
  options_.plain_listener = "proxy_protocol = [\"127.0.0.1\"]\n";
  Start();
  http::ProxiedAddresses ends{*base::IpAddress::Parse("2001:db8::7"), *base::IpAddress::Parse("2001:db8::1"),
                              4711, 80};
  const std::string header = http::MakeProxyHeader(ends);
  EXPECT_EQ(Ask(edge_->Plain(), header).status(), 200);
  EXPECT_EQ(upstream_->last_request().Field("x-forwarded-for"), "2001:db8::7");
  // From a check of the proxy's own.
  EXPECT_EQ(Ask(edge_->Plain(), http::MakeProxyHeader(std::nullopt)).status(), 200);
  EXPECT_EQ(upstream_->last_request().Field("x-forwarded-for"), "127.0.0.1");
  const auto with = [&header](size_t place, char byte) {
    std::string broken = header;
    broken[place] = byte;
    return broken;
  };
  const std::vector<std::string> malformed = {
      with(12, '\x31'),  // version 3
      with(12, '\x22'),  // an unknown command
      with(13, '\x41'),  // an unassigned family
      with(15, '\x05'),  // too short for its addresses
      with(14, '\x7f'),  // longer than any
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
      "PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 70000\r\n",
      "PROXY TCP4 0.0.0.0 5.6.7.8 1 2\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
  };
  for (const std::string& bytes : malformed) EXPECT_EQ(Ask(edge_->Plain(), bytes).status(), 0) << bytes;
  EXPECT_TRUE(WaitUntil([&] { return Closed("proxy_header") == malformed.size(); }));
  EXPECT_EQ(upstream_->requests().size(), 2u);
}

TEST_F(FrontTest, AProxyHeaderThatIsNotWholeInTimeIsGivenUp) {
  options_.plain_listener = "proxy_protocol = [\"127.0.0.1\"]\n";
  Say("timeouts", "handshake = \"200ms\"");
  Start();
  RawClient client(edge_->Plain());
  ASSERT_TRUE(client.Send("PROXY TCP4 192.0.2.7"));
  EXPECT_TRUE(client.WaitClosed());
  EXPECT_TRUE(WaitUntil([this] { return Closed("proxy_header") == 1; }));
  EXPECT_EQ(edge_->Metric("gatebook_tls_handshakes_total{result=\"timeout\"}"), 0u);
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

TEST_F(FrontTest, OfTheTwoFieldsOnlyTheOneThatIsChosenIsRead) {
  Say("edge", "trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]\nforwarded_field = \"forwarded\"");
  Start();
  EXPECT_EQ(Ask(edge_->Plain(), "",
                "Forwarded: for=6.6.6.6;by=\", for=\"[2001:db8::9]:4711\";proto=https, for=10.1.2.3\r\n"
                "X-Forwarded-For: 7.7.7.7\r\n")
                .status(),
            200);
  EXPECT_EQ(upstream_->last_request().Field("x-forwarded-for"), "2001:db8::9, 10.1.2.3, 127.0.0.1");
  EXPECT_THAT(upstream_->last_request().Field("forwarded").value_or(""),
              testing::StartsWith("for=\"[2001:db8::9]\", for=10.1.2.3, for=127.0.0.1;proto=https;"));
  const auto visits = edge_->WaitForVisits(1, {"--reveal", "--reason", "a test"});
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["ip"], "2001:db8::9");
}

TEST_F(FrontTest, WhoIsBelievedIsTheSameOverHttp2) {
  Say("edge", "trusted_proxies = [\"127.0.0.1\"]");
  Start();
  for (const char* field : {"X-Forwarded-For: 6.6.6.6, 192.0.2.9:4711", "X-Forwarded-For: 6.6.6.6, nonsense",
                            "Forwarded: for=6.6.6.6"}) {
    EXPECT_THAT(AskH2({"-H", field}), testing::HasSubstr("HTTP/2 200"));
  }
  const auto requests = upstream_->requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].Field("x-forwarded-for"), "192.0.2.9, 127.0.0.1");
  EXPECT_EQ(requests[1].Field("x-forwarded-for"), "127.0.0.1");
  EXPECT_EQ(requests[2].Field("x-forwarded-for"), "127.0.0.1");
}

TEST_F(FrontTest, ARouteSetsAddsAndRemovesFields) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\r\nServer: secret/1.0\r\nX-Old: 1\r\nContent-Length: 0\r\n\r\n");
  });
  Say("tls", "hsts = \"365d\"");
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
  // The same over HTTP/2, with what we say ourselves.
  const std::string over_h2 = AskH2({"-H", "X-Edge: forged", "-H", "X-Debug: 1"});
  EXPECT_EQ(upstream_->last_request().Field("x-edge"), "north");
  EXPECT_EQ(upstream_->last_request().Count("x-edge"), 1u);
  EXPECT_EQ(upstream_->last_request().Field("x-debug"), std::nullopt);
  EXPECT_THAT(over_h2, testing::HasSubstr("\r\nx-old: 2\r\n"));
  EXPECT_THAT(over_h2, testing::HasSubstr("\r\nvary: Cookie\r\n"));
  EXPECT_THAT(over_h2, testing::HasSubstr("\r\nstrict-transport-security: max-age=31536000\r\n"));
  EXPECT_THAT(over_h2, testing::Not(testing::HasSubstr("server:")));
}

TEST_F(FrontTest, WhatARouteRemovesIsNotInInterimAnswersEither) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nServer: secret/1.0\r\n\r\n" +
                    Answer(200, "hello", "Server: secret/1.0\r\n"));
  });
  options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"" + upstream_->address() +
                       "\"]\n[[route]]\nupstream = \"service\"\nresponse_headers = [\"remove Server\"]\n";
  Start();
  RawClient client(edge_->Plain());
  ASSERT_TRUE(client.Send(Request("GET /")));
  const auto hints = client.ReadResponse();
  ASSERT_TRUE(hints);
  EXPECT_EQ(hints->status(), 103);
  EXPECT_EQ(hints->Field("link"), "</a.css>");
  EXPECT_EQ(hints->Field("server"), std::nullopt);
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).Field("server"), std::nullopt);
  const std::string over_h2 = AskH2({});
  EXPECT_THAT(over_h2, testing::HasSubstr("HTTP/2 103"));
  EXPECT_THAT(over_h2, testing::Not(testing::HasSubstr("server:")));
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

TEST_F(FrontTest, OrIsTheClientsAlone) {
  Say("edge", "traceparent = false");
  Start();
  Ask(edge_->Plain(), "", "traceparent: 00-broken\r\n");
  EXPECT_EQ(upstream_->last_request().Field("traceparent"), "00-broken");
  Ask(edge_->Plain(), "");
  EXPECT_EQ(upstream_->last_request().Field("traceparent"), std::nullopt);
}

}  // namespace
}  // namespace gatebook::e2e
