// WebSocket over HTTP/2 (RFC 8441) to an upstream that speaks HTTP/1.
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "tests/e2e/edge_test.h"
#include "tests/e2e/h2_client.h"

namespace gatebook::e2e {
namespace {

using http::Data;
using http::H2FieldList;
using http::Headers;
using http::Rst;

const H2FieldList kSocket = {
    {":method", "CONNECT"},          {":protocol", "websocket"}, {":scheme", "https"},
    {":authority", "localhost"},     {":path", "/socket"},       {"sec-websocket-version", "13"},
    {"origin", "https://localhost"},
};

// RFC 6455 §4.2.2.
std::string AcceptOf(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string out(28, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), digest, sizeof digest);
  return out;
}

std::string Accepted(const HttpMessage& request) {
  return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Accept: " +
         AcceptOf(request.Field("sec-websocket-key").value_or("")) + "\r\n\r\n";
}

// Accepts and echoes until the client has nothing more to say.
void Echo(UpstreamConnection& connection, HttpMessage& request) {
  connection.Send(Accepted(request));
  for (std::string bytes; !(bytes = connection.ReadSome()).empty();) connection.Send(bytes);
  connection.Close();
}

class Http2TunnelTest : public EdgeTest {
 protected:
  void TearDown() override {
    if (edge_->IsRunning() && !edge_->CountedRefusals().empty()) ExpectRefusalsInTheBook();
    EdgeTest::TearDown();
  }
  // The one visit, once it says so many bytes came and went.
  json VisitWithBytes(int in, int out) {
    json found = json::object();
    WaitUntil([&] {
      const auto visits = edge_->Visits();
      if (visits.size() == 1) found = visits[0];
      return visits.size() == 1 && found.value("bytes_in", 0) == in && found.value("bytes_out", 0) == out;
    });
    return found;
  }
};

TEST_F(Http2TunnelTest, BytesPassBothWaysAndTheClientsEndEndsIt) {
  Behind(Echo);
  Start();
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(Headers(1, kSocket, false)));
  const std::string head = client.WaitFor("HEADERS 1");
  EXPECT_THAT(head, testing::HasSubstr(":status=200"));
  EXPECT_THAT(head, testing::Not(testing::HasSubstr("sec-websocket-accept")));
  const HttpMessage request = upstream_->last_request();
  EXPECT_EQ(request.first_line, "GET /socket HTTP/1.1");
  EXPECT_EQ(request.Field("upgrade"), "websocket");
  EXPECT_EQ(request.Field("sec-websocket-version"), "13");
  EXPECT_EQ(request.Field("sec-websocket-key").value_or("").size(), 24u);
  EXPECT_EQ(edge_->Metric("gatebook_tunnels_open"), 1u);

  const std::string much(16'000, '\x82');
  ASSERT_TRUE(client.Send(Data(1, "hello") + Data(1, much)));
  ASSERT_TRUE(client.WaitForPayload(16'005));
  EXPECT_TRUE(client.payload() == "hello" + much);
  ASSERT_TRUE(client.Send(Data(1, "bye", true)));
  EXPECT_NE(client.WaitFor("DATA 1 end"), "");
  EXPECT_TRUE(client.payload().ends_with("bye"));

  const json visit = VisitWithBytes(16'008, 16'008);
  EXPECT_EQ(visit.value("protocol", ""), "ws") << visit;
  EXPECT_EQ(visit.value("status", 0), 101) << visit;
  // The connection goes on.
  upstream_->CloseAll();
  EXPECT_EQ(edge_->Metric("gatebook_tunnels_open"), 0u);
  ASSERT_TRUE(client.Send(http::Ping()));
  EXPECT_EQ(client.WaitFor("PING ack"), "PING ack");
}

TEST_F(Http2TunnelTest, TheUpstreamsEndIsTheStreamsEnd) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.Send(Accepted(request) + "last words");
    connection.Close();
  });
  Start();
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(Headers(1, kSocket, false)));
  EXPECT_THAT(client.WaitFor("HEADERS 1"), testing::HasSubstr(":status=200"));
  EXPECT_NE(client.WaitFor("DATA 1 end"), "");
  EXPECT_EQ(client.payload(), "last words");
  ASSERT_TRUE(client.Send(Data(1, "", true)));
  EXPECT_EQ(VisitWithBytes(0, 10).value("protocol", ""), "ws");
}

TEST_F(Http2TunnelTest, AResetStreamClosesTheUpstreamAndNothingElse) {
  Behind([this](UpstreamConnection& connection, HttpMessage& request) {
    if (!request.Field("upgrade")) {
      connection.Send(Answer(200, "hello"));
      return;
    }
    connection.Send(Accepted(request));
    connection.WaitClosed();
    go_ = true;
  });
  Start();
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(Headers(1, kSocket, false)));
  EXPECT_THAT(client.WaitFor("HEADERS 1"), testing::HasSubstr(":status=200"));
  ASSERT_TRUE(client.Send(Data(1, "12345") + Rst(1)));
  EXPECT_TRUE(WaitUntil([this] { return go_.load(); }));
  EXPECT_THAT(client.Get(3), testing::HasSubstr(":status=200"));
}

TEST_F(Http2TunnelTest, AWrongAnswerToTheHandshakeIsABadGateway) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\ninjected");
  });
  Start();
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(Headers(1, kSocket, false)));
  EXPECT_THAT(client.WaitFor("HEADERS 1"), testing::HasSubstr(":status=502"));
  EXPECT_EQ(Refusals("upstream_bad_upgrade"), 1u);
  EXPECT_EQ(client.payload().find("injected"), std::string::npos);
}

TEST_F(Http2TunnelTest, APlainAnswerDoesNotLookLikeATunnel) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.Send(Answer(request.first_line.find("/socket") == std::string::npos ? 403 : 200, "no"));
  });
  Start();
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(Headers(1, kSocket, false)));
  EXPECT_THAT(client.WaitFor("HEADERS 1"), testing::HasSubstr(":status=502"));
  H2FieldList elsewhere = kSocket;
  elsewhere[4].second = "/closed";
  ASSERT_TRUE(client.Send(Headers(3, elsewhere, false)));
  EXPECT_THAT(client.WaitFor("HEADERS 3"), testing::HasSubstr(":status=403"));
}

TEST_F(Http2TunnelTest, WhatARouteDoesNotAllowIsNotImplemented) {
  options_.more = "[[route]]\nhost = \"*\"\npath = \"/\"\nupstream = \"service\"\nupgrades = []\n";
  Start();
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(Headers(1, kSocket, false)));
  EXPECT_THAT(client.WaitFor("HEADERS 1"), testing::HasSubstr(":status=501"));
  EXPECT_EQ(Refusals("unknown_protocol"), 1u);
  EXPECT_EQ(upstream_->requests().size(), 0u);
}

TEST_F(Http2TunnelTest, AMalformedHandshakeReachesNobody) {
  Start();
  H2Client client(edge_->Tls());
  H2FieldList other = kSocket, bare = kSocket, get = kSocket, version = kSocket;
  other[1].second = "connect-udp";
  bare.erase(bare.begin() + 1);  // CONNECT alone
  get[0].second = "GET";
  version[5].second = "8";
  int32_t stream = 1;
  for (const auto& [fields, status] : std::vector<std::pair<H2FieldList, std::string>>{
           {other, "501"},
           {bare, "405"},
           {version, "400"},
           {http::With(kSocket, {{"content-length", "5"}}), "400"}}) {
    ASSERT_TRUE(client.Send(Headers(stream, fields, false)));
    EXPECT_THAT(client.WaitFor("HEADERS " + std::to_string(stream)), testing::HasSubstr(":status=" + status));
    stream += 2;
  }
  ASSERT_TRUE(client.Send(Headers(stream, get, false)));
  EXPECT_EQ(client.WaitFor("RST " + std::to_string(stream)), "RST " + std::to_string(stream) + " 1");
  EXPECT_EQ(upstream_->requests().size(), 0u);
}

TEST_F(Http2TunnelTest, AnIdleTunnelIsGivenUp) {
  Say("timeouts", "tunnel_idle = \"300ms\"");
  Behind(Echo);
  Start();
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(Headers(1, kSocket, false)));
  EXPECT_EQ(client.WaitFor("RST 1"), "RST 1 8");
  EXPECT_TRUE(WaitUntil([this] {
    const auto visits = edge_->Visits();
    return visits.size() == 1 && visits[0].value("denied", "") == "tunnel_idle";
  }));
  EXPECT_EQ(Refusals("tunnel_idle"), 1u);
}

TEST_F(Http2TunnelTest, ATunnelWhosePingsFlowIsNotIdle) {
  Say("timeouts",
      "tunnel_idle = \"400ms\"\nkeep_alive = \"100ms\"\nfirst_byte = \"100ms\"\nupstream_idle = \"100ms\"");
  Behind(Echo);
  Start();
  H2Client client(edge_->Tls(), http::Setting(4, 0x7fffffff));  // windows for as many as there may be
  ASSERT_TRUE(client.Send(http::WindowUpdate(0, 0x7ffe0000) + Headers(1, kSocket, false)));
  const std::string ping = "\x89\x80mask";
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  for (size_t sent = ping.size(); std::chrono::steady_clock::now() < until; sent += ping.size()) {
    ASSERT_TRUE(client.Send(Data(1, ping)));
    ASSERT_TRUE(client.WaitForPayload(sent));
  }
  EXPECT_EQ(client.WaitFor("RST 1"), "RST 1 8");  // now that they do not flow any more
}

TEST_F(Http2TunnelTest, AClientThatReadsNothingOfATunnelIsGivenUp) {
  Say("timeouts", "write_idle = \"300ms\"");
  Behind([this](UpstreamConnection& connection, HttpMessage& request) {
    connection.Send(Accepted(request));
    while (connection.Send(std::string(16'384, 'x'))) {
    }
    go_ = true;
  });
  Start();
  H2Client client(edge_->Tls());  // never opens its windows of 65,535 bytes again
  ASSERT_TRUE(client.Send(Headers(1, kSocket, false)));
  EXPECT_NE(client.WaitFor("RST 1"), "");
  EXPECT_EQ(client.payload().size(), 65'535u);
  EXPECT_TRUE(WaitUntil([this] { return go_.load(); }));
  EXPECT_EQ(edge_->Metric("gatebook_tunnels_open"), 0u);
  EXPECT_EQ(Refusals("write_timeout"), 1u);
  EXPECT_EQ(VisitWithBytes(0, 65'535).value("status", 0), 101);
}

}  // namespace
}  // namespace gatebook::e2e
