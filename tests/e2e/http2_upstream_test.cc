// HTTP/2 towards the upstream (upstream.protocol = "h2"), by prior knowledge and over TLS.
#include "tests/e2e/http2_upstream_fixture.h"

namespace gatebook::e2e {
namespace {

using testing::HasSubstr;

// A message of gRPC: not compressed, its length, its bytes.
std::string Framed(const std::string& message) {
  return std::string(1, '\0') + http::Uint32(static_cast<uint32_t>(message.size())) + message;
}

TEST_F(Http2UpstreamTest, RequestsOfManyClientsShareOneConnection) {
  StartH2([this](H2Call& call, H2Event event) {
    if (event != H2Event::kEnd) return;
    Note(call);
    call.Head(200, {{"content-type", "text/plain"}});
    call.Send("hello");
    call.End();
  });
  for (int i = 0; i < 3; ++i) {
    const auto answer = Ask(Request("GET /a?b=c",
                                    "Cookie: a=1; __Host-gatebook=x; b=2\r\nX-One: 1\r\n"
                                    "Connection: x-gone\r\nX-Gone: 1\r\n"));
    EXPECT_EQ(answer.status(), 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.first_line, "HTTP/1.1 200 OK");
  }
  EXPECT_EQ(upstream_->connections(), 1u);
  EXPECT_EQ(FieldSeen("host"), "localhost");  // as :authority said
  EXPECT_EQ(FieldSeen("x-one"), "1");
  EXPECT_EQ(FieldSeen("x-gone"), "(none)");
  EXPECT_EQ(FieldSeen("connection"), "(none)");
  EXPECT_EQ(FieldSeen("cookie"), "a=1; b=2");
  EXPECT_EQ(FieldSeen("x-forwarded-for"), "127.0.0.1");
  EXPECT_EQ(FieldSeen("x-forwarded-host"), "localhost");
  EXPECT_EQ(FieldSeen("forwarded"), "for=127.0.0.1;proto=http;host=\"localhost\"");
  EXPECT_EQ(FieldSeen("x-session-id").size(), 22u);
  EXPECT_EQ(FieldSeen("x-request-id").size(), 16u);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_reused_total"), 2u);
}

TEST_F(Http2UpstreamTest, ManyAtOnceShareItToo) {
  StartH2([](H2Call& call, H2Event event) {
    if (event == H2Event::kEnd) call.Head(204, {}, true);
  });
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<RawClient>(edge_->Plain()));
    clients.back()->Send(Request("GET /"));
  }
  for (auto& client : clients) EXPECT_EQ(client->ReadResponse().value_or(HttpMessage{}).status(), 204);
  EXPECT_LE(upstream_->connections(), 4u);  // one a worker, however many came before it was made
}

TEST_F(Http2UpstreamTest, BodiesArriveUnchangedBothWays) {
  StartH2([](H2Call& call, H2Event event) {
    if (event == H2Event::kHead) call.Head(200);
    if (event == H2Event::kData) call.Send(std::exchange(call.body, {}));
    if (event == H2Event::kEnd) call.End();
  });
  std::string content;
  for (size_t i = 0; i < 1'000'000; ++i) content += static_cast<char>(i * 7919 % 251);
  for (const bool chunked : {false, true}) {
    RawClient client(edge_->Plain());
    std::thread sender([&] {
      const std::string framing = chunked ? "Transfer-Encoding: chunked\r\n"
                                          : "Content-Length: " + std::to_string(content.size()) + "\r\n";
      client.Send(Request("POST /", framing));
      client.Send(chunked ? support::Chunk(content) + support::Chunk("") : content);
    });
    const auto answer = client.ReadResponse();
    sender.join();
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->body == content);
  }
}

TEST_F(Http2UpstreamTest, AnswersWithoutContentEnd) {
  StartH2([](H2Call& call, H2Event event) {
    if (event != H2Event::kEnd) return;
    if (call.method == "HEAD") return call.Head(200, {{"content-length", "5"}}, true);
    if (call.target == "/304") return call.Head(304, {{"etag", "\"x\""}}, true);
    // The end comes behind the head.
    call.Head(204);
    call.End();
  });
  RawClient client(edge_->Plain());
  client.Send(Request("HEAD /"));
  const auto head = client.ReadResponse(true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->Field("content-length"), "5");
  EXPECT_EQ(client.Get("/304").value_or(HttpMessage{}).status(), 304);
  EXPECT_EQ(client.Get("/204").value_or(HttpMessage{}).status(), 204);
}

TEST_F(Http2UpstreamTest, InterimAnswersArePassedOn) {
  StartH2([](H2Call& call, H2Event event) {
    if (event != H2Event::kEnd) return;
    call.Interim(103, {{"link", "</a>; rel=preload"}});
    call.Head(200, {{"x-final", "1"}}, true);
  });
  RawClient client(edge_->Plain());
  client.Send(Request("GET /"));
  const auto interim = client.ReadResponse();
  ASSERT_TRUE(interim);
  EXPECT_EQ(interim->status(), 103);
  EXPECT_EQ(interim->Field("link"), "</a>; rel=preload");
  const auto last = client.ReadResponse();
  ASSERT_TRUE(last);
  EXPECT_EQ(last->Field("x-final"), "1");
}

// ---- gRPC

const http::H2FieldList kCall = {{":method", "POST"},         {":scheme", "https"},
                                 {":authority", "localhost"}, {":path", "/service/Method"},
                                 {"te", "trailers"},          {"content-type", "application/grpc"}};

TEST_F(Http2UpstreamTest, AUnaryCallOfGrpcEndsWithItsTrailers) {
  StartH2([this](H2Call& call, H2Event event) {
    if (event != H2Event::kEnd) return;
    Note(call);
    call.Head(200, {{"content-type", "application/grpc"}});
    call.Send(Framed("answer"));
    call.End(
        {{"grpc-status", "0"}, {"grpc-message", "fine"}, {"content-length", "1"}, {"set-cookie", "a=b"}});
  });
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(http::Headers(1, kCall, false) + http::Data(1, Framed("question"), true)));
  EXPECT_THAT(client.WaitFor("HEADERS 1"), HasSubstr(":status=200"));
  // Those that may not stand there stay behind.
  EXPECT_EQ(client.WaitFor("HEADERS 1 end"), "HEADERS 1 end grpc-status=0 grpc-message=fine");
  EXPECT_EQ(client.payload(), Framed("answer"));
  EXPECT_EQ(FieldSeen("te"), "trailers");
  EXPECT_EQ(FieldSeen("content-type"), "application/grpc");
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(body_, Framed("question"));
}

TEST_F(Http2UpstreamTest, AStreamOfGrpcGoesBothWaysAtOnce) {
  StartH2([](H2Call& call, H2Event event) {
    if (event == H2Event::kHead) call.Head(200, {{"content-type", "application/grpc"}});
    if (event == H2Event::kData) call.Send(std::exchange(call.body, {}));
    if (event == H2Event::kEnd) call.End({{"grpc-status", "0"}});
  });
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(http::Headers(1, kCall, false)));
  EXPECT_THAT(client.WaitFor("HEADERS 1"), HasSubstr(":status=200"));
  std::string said;
  for (int i = 0; i < 20; ++i) {
    // Each message is answered before the next is sent: nobody holds anything back.
    const std::string message = Framed("message " + std::to_string(i));
    said += message;
    ASSERT_TRUE(client.Send(http::Data(1, message)));
    ASSERT_TRUE(client.WaitForPayload(said.size())) << i;
  }
  EXPECT_EQ(client.payload(), said);
  ASSERT_TRUE(client.Send(http::Data(1, "", true)));
  EXPECT_EQ(client.WaitFor("HEADERS 1 end"), "HEADERS 1 end grpc-status=0");
}

TEST_F(Http2UpstreamTest, AnAnswerOfTrailersOnlyIsOne) {
  StartH2([](H2Call& call, H2Event event) {
    if (event == H2Event::kEnd) {
      call.Head(200, {{"content-type", "application/grpc"}, {"grpc-status", "12"}}, true);
    }
  });
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(http::Headers(1, kCall, false) + http::Data(1, Framed("question"), true)));
  const std::string head = client.WaitFor("HEADERS 1 end");
  EXPECT_THAT(head, HasSubstr("grpc-status=12"));
}

TEST_F(Http2UpstreamTest, TrailersOfARequestArriveToo) {
  StartH2([this](H2Call& call, H2Event event) {
    if (event != H2Event::kEnd) return;
    Note(call);
    call.Head(204, {}, true);
  });
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(http::Headers(1, kCall, false) + http::Data(1, "body") +
                          http::Headers(1, http::H2FieldList{{"x-sum", "7"}, {"host", "evil"}})));
  EXPECT_THAT(client.WaitFor("HEADERS 1"), HasSubstr(":status=204"));
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(trailers_, (FieldTexts{{"x-sum", "7"}}));
}

TEST_F(Http2UpstreamTest, AClientThatReadsNothingHoldsUpNobodyElse) {
  StartH2([](H2Call& call, H2Event event) {
    if (event != H2Event::kEnd) return;
    call.Head(200);
    call.Send(std::string(call.target == "/much" ? 8'000'000 : 5, 'x'));
    call.End();
  });
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 30; ++i) {
    slow.push_back(std::make_unique<RawClient>(edge_->Plain()));
    slow.back()->Send(Request("GET /much"));
  }
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ask(Request("GET /")).body, "xxxxx");
  EXPECT_LE(edge_->ResidentKib(), 200'000u);
}

TEST_F(Http2UpstreamTest, StreamsEndUnderTheGenerationTheyBeganWith) {
  StartH2([](H2Call& call, H2Event event) {
    if (event == H2Event::kHead) call.Head(200);
    if (event == H2Event::kData) call.Send(std::exchange(call.body, {}));
    if (event == H2Event::kEnd) call.End();
  });
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(http::Headers(1, http::Post("/talk"), false) + http::Data(1, "one ")));
  ASSERT_TRUE(client.WaitForPayload(4));
  ASSERT_EQ(edge_->Command({"reload", "--wait"}).exit_code, 0);
  EXPECT_EQ(Ask(Request("GET /")).status(), 200);
  EXPECT_EQ(upstream_->connections(), 2u);  // what is new begins anew
  ASSERT_TRUE(client.Send(http::Data(1, "two", true)));
  EXPECT_NE(client.WaitFor("DATA 1 end"), "");
  EXPECT_EQ(client.payload(), "one two");
  EXPECT_TRUE(WaitUntil([&] {
    return edge_->Metric("gatebook_generations_live") == 1 &&
           edge_->Metric("gatebook_upstream_connections_open") == 1;
  }));
}

// ---- tunnels

constexpr char kHandshake[] =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

void EchoTunnel(H2Call& call, H2Event event) {
  if (event == H2Event::kHead && call.tunnel) {
    call.Head(call.Field("sec-websocket-key").empty() ? 200 : 400, {{"sec-websocket-protocol", "sip"}});
  } else if (event == H2Event::kHead) {
    call.Head(204, {}, true);
  }
  if (event == H2Event::kData) call.Send(std::exchange(call.body, {}));
  if (event == H2Event::kEnd && call.tunnel) call.End();
}

TEST_F(Http2UpstreamTest, AWebSocketOfHttp1BecomesAnExtendedConnect) {
  StartH2(EchoTunnel);
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /socket", kHandshake) + "early"));
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status(), 101);
  EXPECT_EQ(answer->Field("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(answer->Field("upgrade"), "websocket");
  EXPECT_EQ(answer->Field("sec-websocket-protocol"), "sip");
  EXPECT_EQ(client.Read(5), "early");
  const std::string much(200'000, 'z');
  std::thread sender([&] { client.Send(much); });
  EXPECT_TRUE(client.Read(much.size()) == much);
  sender.join();
  client.ShutdownWrite();
  EXPECT_TRUE(client.WaitClosed());
}

TEST_F(Http2UpstreamTest, AWebSocketOfHttp2StaysOne) {
  StartH2(EchoTunnel);
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(http::Headers(1,
                                        http::H2FieldList{{":method", "CONNECT"},
                                                          {":protocol", "websocket"},
                                                          {":scheme", "https"},
                                                          {":authority", "localhost"},
                                                          {":path", "/socket"},
                                                          {"sec-websocket-version", "13"}},
                                        false)));
  const std::string head = client.WaitFor("HEADERS 1");
  EXPECT_THAT(head, HasSubstr(":status=200"));
  EXPECT_THAT(head, testing::Not(HasSubstr("sec-websocket-accept")));
  ASSERT_TRUE(client.Send(http::Data(1, "hello")));
  ASSERT_TRUE(client.WaitForPayload(5));
  ASSERT_TRUE(client.Send(http::Data(1, "", true)));
  EXPECT_NE(client.WaitFor("DATA 1 end"), "");
}

TEST_F(Http2UpstreamTest, WhereTheUpstreamTakesNoTunnelsAWebSocketIsABadGateway) {
  StartH2(EchoTunnel, "", false);
  EXPECT_EQ(Ask(Request("GET /socket", kHandshake)).status(), 502);
  EXPECT_EQ(Refusals("upstream_no_tunnels"), 1u);
  EXPECT_EQ(Ask(Request("GET /")).status(), 204);
}

// ---- checks and TLS

TEST_F(Http2UpstreamTest, ChecksSpeakHttp2) {
  StartH2(
      [this](H2Call& call, H2Event event) {
        if (event != H2Event::kEnd) return;
        Note(call);
        call.Head(call.target == "/healthz" ? 200 : 500, {}, true);
      },
      "health_path = \"/healthz\"\nhealth_interval = \"20ms\"");
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_health_checks_total{result=\"ok\"}") >= 2; }));
  EXPECT_EQ(edge_->Metric("gatebook_health_checks_total{result=\"failed\"}"), 0u);
  EXPECT_EQ(FieldSeen("user-agent"), "gatebook-health");
}

class Http2UpstreamTlsTest : public EdgeTest {
 protected:
  void TearDown() override {
    EdgeTest::TearDown();
    if (inner_) {
      EXPECT_EQ(inner_->Verify(), "");
    }
  }
  // Another edge stands in for a service with TLS.
  void StartBoth(const std::string& inner_tls) {
    Behind({});
    inner_redis_ = std::make_unique<support::RedisServer>(std::vector<std::string>{});
    GatebookOptions inner;
    inner.upstream = upstream_->address();
    inner.redis_url = inner_redis_->url();
    inner.edge = "inner";
    inner.sections["tls"] = inner_tls;
    inner_ = std::make_unique<GatebookProcess>(GATEBOOK_BINARY, inner);
    ASSERT_TRUE(inner_->Start()) << inner_->process().Describe();
    options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"https://127.0.0.1:" +
                         std::to_string(inner_->tls_port()) + "\"]\ntls_verify = false\nprotocol = \"h2\"\n";
    Start();
  }

  std::unique_ptr<support::RedisServer> inner_redis_;
  std::unique_ptr<GatebookProcess> inner_;
};

TEST_F(Http2UpstreamTlsTest, OverTlsItIsAgreedUponByAlpn) {
  StartBoth("");
  for (int i = 0; i < 3; ++i) {
    RawClient client(edge_->Plain());
    EXPECT_EQ(client.Get("/").value_or(HttpMessage{}).body, "hello");
  }
  const auto visits = inner_->WaitForVisits(3);
  ASSERT_EQ(visits.size(), 3u);
  EXPECT_EQ(visits[0]["protocol"], "h2");
  EXPECT_LE(inner_->MetricSum("gatebook_tls_handshakes_total"), 2u);
}

TEST_F(Http2UpstreamTlsTest, WhoDoesNotChooseItIsNotSpokenTo) {
  StartBoth("http2 = false\n");
  RawClient client(edge_->Plain());
  EXPECT_EQ(client.Get("/").value_or(HttpMessage{}).status(), 502);
  EXPECT_EQ(Refusals("upstream_connect"), 1u);
  EXPECT_EQ(upstream_->requests().size(), 0u);
}

}  // namespace
}  // namespace gatebook::e2e
