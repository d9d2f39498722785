// Upgrades to other protocols than WebSocket (RFC 9110 §7.8): only where a route says so, and only
// to what was offered.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

std::string Switch(const std::string& protocol) {
  return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n\r\n";
}
std::string Offer(const std::string& protocols) {
  return "Connection: Upgrade\r\nUpgrade: " + protocols + "\r\n";
}

class UpgradeTest : public EdgeTest {
 protected:
  void StartAllowing(const std::string& upgrades) {
    options_.more =
        "[[route]]\nhost = \"*\"\npath = \"/\"\nupstream = \"service\"\nupgrades = " + upgrades + "\n";
    Start();
  }
  // Switches to what it was offered and echoes.
  void BehindEcho() {
    Behind([](UpstreamConnection& connection, HttpMessage& request) {
      if (!request.Field("upgrade")) {
        connection.ReadBody(&request);
        connection.Send(Answer(200, "plain"));
        return;
      }
      connection.Send(Switch(*request.Field("upgrade")));
      for (std::string bytes; !(bytes = connection.ReadSome()).empty();) connection.Send(bytes);
      connection.Close();
    });
  }
};

TEST_F(UpgradeTest, BytesPassBothWaysAfterThe101) {
  BehindEcho();
  StartAllowing("[\"tcp\", \"mqtt\"]");
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("POST /attach", Offer("other/2, MQTT/3.1, tcp")) + "early"));
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status(), 101);
  // The first of those offered that the route allows, and it alone.
  EXPECT_EQ(answer->Field("upgrade"), "MQTT/3.1");
  EXPECT_EQ(upstream_->last_request().Field("upgrade"), "MQTT/3.1");
  EXPECT_EQ(upstream_->last_request().Field("connection"), "Upgrade");
  EXPECT_EQ(client.Read(5), "early");
  ASSERT_TRUE(client.Send("hello"));
  EXPECT_EQ(client.Read(5), "hello");
  EXPECT_EQ(edge_->Metric("gatebook_tunnels_open"), 1u);
  client.ShutdownWrite();
  EXPECT_TRUE(client.WaitClosed());
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["status"], 101);
  EXPECT_EQ(visits[0]["protocol"], "h1");
}

TEST_F(UpgradeTest, WhatARouteDoesNotAllowIsAnOrdinaryRequest) {
  BehindEcho();
  StartAllowing("[\"websocket\", \"mqtt\"]");
  RawClient client(edge_->Tls());
  for (const std::string& fields :
       {Offer("tcp"), Offer("h2c"), Offer("mqttx"), std::string("Upgrade: mqtt\r\n"),
        Offer("mqtt") + "Upgrade: mqtt\r\n", Offer("mqtt") + "Content-Length: 2\r\n"}) {
    const bool body = fields.find("Length") != std::string::npos;
    client.Send(Request("POST /", fields) + (body ? "hi" : ""));
    EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).body, "plain") << fields;
    EXPECT_EQ(upstream_->last_request().Field("upgrade"), std::nullopt) << fields;
    EXPECT_EQ(upstream_->last_request().Field("connection"), std::nullopt) << fields;
  }
}

TEST_F(UpgradeTest, AnotherProtocolThanTheOneOfferedIsABadGateway) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.Send(
        Switch(request.first_line.find("/none") != std::string::npos ? "mqtt\r\nUpgrade: mqtt" : "tcp") +
        "injected");
  });
  StartAllowing("[\"mqtt\", \"tcp\"]");
  for (const char* path : {"/", "/none"}) {
    RawClient client(edge_->Tls());
    const auto answer = client.Get(path, Offer("mqtt"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status(), 502);
    EXPECT_EQ(answer->head.find("injected"), std::string::npos);
  }
  EXPECT_EQ(Refusals("upstream_bad_upgrade"), 2u);
}

TEST_F(UpgradeTest, WhatFollowsARefusedUpgradeIsTheNextRequest) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.Send(Answer(request.Field("upgrade") ? 403 : 200, request.first_line));
  });
  StartAllowing("[\"mqtt\"]");
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /a", Offer("mqtt")) + Request("GET /next")));
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).status(), 403);
  EXPECT_THAT(client.ReadResponse().value_or(HttpMessage{}).body, testing::HasSubstr("/next"));
}

TEST_F(UpgradeTest, AnUpstreamOfHttp2IsOfferedNone) {
  Behind([this](UpstreamConnection& connection, HttpMessage&) {
    ++counted_;
    connection.WaitClosed();
  });
  options_.upstreams =
      "[[upstream]]\nname = \"service\"\nservers = [\"" + upstream_->address() + "\"]\nprotocol = \"h2\"\n";
  Say("timeouts", "connect = \"100ms\"");
  StartAllowing("[\"mqtt\"]");
  RawClient client(edge_->Tls());
  // It is asked as if nothing had been offered, and says nothing.
  EXPECT_EQ(client.Get("/", Offer("mqtt")).value_or(HttpMessage{}).status(), 504);
}

}  // namespace
}  // namespace gatebook::e2e
