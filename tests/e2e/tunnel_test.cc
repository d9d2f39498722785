// WebSocket tunnels (RFC 6455 §4, RFC 9110 §7.8): opened by a 101 that was asked for, and by nothing else.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

constexpr char kHandshake[] =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://localhost\r\n";
constexpr char kAccepted[] =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

// Accepts and echoes until the client has nothing more to say.
void Echo(UpstreamConnection& connection, HttpMessage&) {
  connection.Send(kAccepted);
  for (std::string bytes; !(bytes = connection.ReadSome()).empty();) connection.Send(bytes);
  connection.Close();
}

class TunnelTest : public EdgeTest {};

TEST_F(TunnelTest, BytesPassBothWaysAfterTheHandshake) {
  Behind(Echo);
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /socket", kHandshake)));
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status(), 101);
  EXPECT_EQ(answer->Field("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(answer->Field("upgrade"), "websocket");
  EXPECT_EQ(upstream_->last_request().Field("sec-websocket-key"), "dGhlIHNhbXBsZSBub25jZQ==");
  EXPECT_NE(upstream_->last_request().Field("x-session-id"), std::nullopt);
  for (const std::string& message :
       {std::string("\x81\x05hello"), std::string(50'000, '\x00'), std::string("end")}) {
    ASSERT_TRUE(client.Send(message));
    EXPECT_EQ(client.Read(message.size()), message);
  }
  EXPECT_EQ(edge_->Metric("gatebook_tunnels_open"), 1u);
  client.ShutdownWrite();
  EXPECT_TRUE(client.WaitClosed());
}

TEST_F(TunnelTest, ATunnelIsInTheBookWhenItOpensAndCompletedWhenItCloses) {
  Behind(Echo);
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /socket", kHandshake)));
  ASSERT_TRUE(client.ReadResponse());
  const auto opened = std::chrono::steady_clock::now();
  auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["protocol"], "ws");
  EXPECT_EQ(visits[0]["status"], 101);
  EXPECT_TRUE(visits[0].value("open", false));
  const int64_t open_for_us =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - opened)
          .count();
  ASSERT_TRUE(client.Send("12345"));
  EXPECT_EQ(client.Read(5), "12345");
  client.ShutdownWrite();
  EXPECT_TRUE(client.WaitClosed());
  EXPECT_TRUE(WaitUntil([&] {
    visits = edge_->Visits();
    return visits.size() == 1 && visits[0].value("bytes_in", 0) == 5 && visits[0].value("bytes_out", 0) == 5;
  })) << json(visits).dump(1);
  EXPECT_FALSE(visits[0].value("open", true));
  EXPECT_GE(visits[0].value("duration_us", int64_t{0}), open_for_us);
}

TEST_F(TunnelTest, BytesSentBeforeThe101ReachTheUpstreamOnlyAfterIt) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    if (request.first_line.find("/socket") == std::string::npos) return;
    Echo(connection, request);
  });
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /socket", kHandshake) + "early"));
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 101);
  EXPECT_EQ(client.Read(5), "early");
}

TEST_F(TunnelTest, WhatFollowsARefusedUpgradeIsTheNextRequest) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.Send(Answer(request.Field("upgrade") ? 403 : 200, request.first_line));
  });
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /socket", kHandshake) + Request("GET /next")));
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).status(), 403);
  const auto next = client.ReadResponse();
  ASSERT_TRUE(next);
  EXPECT_THAT(next->body, testing::HasSubstr("/next"));
  // It was judged like any request: it has the fields that only we set.
  EXPECT_TRUE(upstream_->last_request().Field("x-session-id"));
}

TEST_F(TunnelTest, AnUnasked101IsABadGateway) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send(std::string(kAccepted) + "injected");
  });
  Start();
  RawClient client(edge_->Tls());
  const auto answer = client.Get("/");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 502);
  EXPECT_EQ(answer->head.find("injected"), std::string::npos);
  EXPECT_EQ(Refusals("upstream_bad_upgrade"), 1u);
}

TEST_F(TunnelTest, AnotherProtocolThanTheOneAskedForIsABadGateway) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  });
  Start();
  RawClient client(edge_->Tls());
  EXPECT_EQ(client.Get("/socket", kHandshake).value_or(HttpMessage{}).status(), 502);
}

TEST_F(TunnelTest, AMalformedHandshakeReachesNobody) {
  Start();
  const std::string good(kHandshake);
  const auto without = [&](const std::string& line) {
    std::string fields = good;
    fields.erase(fields.find(line), fields.find("\r\n", fields.find(line)) + 2 - fields.find(line));
    return fields;
  };
  for (const std::string& request : {
           Request("GET /", without("Sec-WebSocket-Key")),
           Request("GET /", without("Sec-WebSocket-Version")),
           Request("GET /", without("Sec-WebSocket-Key") + "Sec-WebSocket-Key: short\r\n"),
           Request("GET /", without("Sec-WebSocket-Version") + "Sec-WebSocket-Version: 8\r\n"),
           Request("POST /", good + "Content-Length: 0\r\n"),
           Request("GET /", good + "Content-Length: 5\r\n") + "hello",
           Request("GET /", good + "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
       }) {
    RawClient client(edge_->Tls());
    ASSERT_TRUE(client.Send(request));
    EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).status(), 400) << request;
    EXPECT_TRUE(client.WaitClosed());
  }
  EXPECT_EQ(upstream_->requests().size(), 0u);
}

TEST_F(TunnelTest, AnIdleTunnelIsGivenUp) {
  Say("timeouts", "tunnel_idle = \"300ms\"");
  Behind(Echo);
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /socket", kHandshake)));
  ASSERT_TRUE(client.ReadResponse());
  EXPECT_TRUE(client.WaitClosed());
  EXPECT_TRUE(WaitUntil([this] {
    const auto visits = edge_->Visits();
    return visits.size() == 1 && visits[0].value("denied", "") == "tunnel_idle";
  }));
  EXPECT_EQ(Refusals("tunnel_idle"), 1u);
}

TEST_F(TunnelTest, ATunnelWhosePingsFlowIsNotIdle) {
  Say("timeouts",
      "tunnel_idle = \"400ms\"\nkeep_alive = \"100ms\"\nfirst_byte = \"100ms\"\nupstream_idle = \"100ms\"\n"
      "body_idle = \"100ms\"\nwrite_idle = \"100ms\"\nrequest_header = \"100ms\"");
  Behind(Echo);
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /socket", kHandshake)));
  ASSERT_TRUE(client.ReadResponse());
  const std::string ping = "\x89\x80mask";
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (std::chrono::steady_clock::now() < until) {
    ASSERT_TRUE(client.Send(ping));
    ASSERT_EQ(client.Read(ping.size()), ping);
  }
  EXPECT_TRUE(client.WaitClosed());  // now that they do not flow any more
  EXPECT_EQ(Refusals("tunnel_idle"), 1u);
}

TEST_F(TunnelTest, AClientThatReadsNothingOfATunnelIsGivenUp) {
  Say("timeouts", "write_idle = \"300ms\"");
  Behind([this](UpstreamConnection& connection, HttpMessage&) {
    connection.Send(kAccepted);
    while (connection.Send(std::string(16'384, 'x'))) {
    }
    ++counted_;
  });
  Start();
  size_t given_up = 0;
  for (auto options : {edge_->Tls(), edge_->Plain()}) {
    options.receive_buffer = 4096;
    RawClient client(options);
    ASSERT_TRUE(client.Send(Request("GET /socket", kHandshake)));
    ++given_up;
    EXPECT_TRUE(WaitUntil([&] { return counted_ == given_up; })) << "the upstream is stopped too";
    EXPECT_EQ(Refusals("write_timeout"), given_up);
  }
  EXPECT_EQ(edge_->Metric("gatebook_tunnels_open"), 0u);
}

TEST_F(TunnelTest, TheUpstreamsEndEndsTheTunnel) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send(std::string(kAccepted) + "last words");
    connection.Close();
  });
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /socket", kHandshake)));
  ASSERT_TRUE(client.ReadResponse());
  EXPECT_EQ(client.ReadToClose(), "last words");
}

}  // namespace
}  // namespace gatebook::e2e
