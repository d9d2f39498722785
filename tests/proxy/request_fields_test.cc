// An upstream is told the same of a request whichever protocol it speaks.
#include "proxy/request_fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "http/request_parser.h"

namespace gatebook::proxy {
namespace {

// Lines "name: value" in lower case, sorted.
using Lines = std::vector<std::string>;

class RequestFieldsTest : public testing::Test {
 protected:
  RequestFieldsTest() {
    facts_.ip = *base::IpAddress::Parse("2001:db8::1");
    facts_.forwarding_fields = MakeForwardingFields(facts_.ip, true);
    rules_.Set("X-Edge", "north");
    rules_.Remove("X-Debug");
  }

  OutgoingRequest Outgoing(const std::string& text, std::string_view upgrade = {}) {
    text_ = text;
    parser_.Reset();
    EXPECT_EQ(parser_.Parse(text_), http::ParseStatus::kDone);
    return {.head = parser_.head(),
            .facts = facts_,
            .session = session_,
            .request_id = 7,
            .cookie_name = "__Host-gatebook",
            .upgrade = upgrade,
            .rules = &rules_};
  }
  Lines AsHttp1(const OutgoingRequest& request) {
    base::Buffer out(buffers_);
    WriteRequestHead(out, request);
    Lines lines;
    std::string_view rest = out.data();
    rest.remove_prefix(rest.find("\r\n") + 2);
    while (rest != "\r\n") {
      const size_t end = rest.find("\r\n");
      const std::string_view line = rest.substr(0, end);
      const size_t colon = line.find(':');
      const std::string name = base::ToAsciiLower(line.substr(0, colon));
      if (name != "host" && name != "transfer-encoding") {
        lines.push_back(name + std::string(line.substr(colon)));
      }
      rest.remove_prefix(end + 2);
    }
    std::ranges::sort(lines);
    return lines;
  }
  Lines AsHttp2(const OutgoingRequest& request) {
    made_ = fields_.Make(request, "https");
    Lines lines;
    for (const http::Field& field : made_.fields) {
      if (field.id != http::FieldId::kTe) {
        lines.push_back(base::ToAsciiLower(field.name) + ": " + std::string(field.value));
      }
    }
    std::ranges::sort(lines);
    return lines;
  }

  base::BufferPool buffers_;
  RequestFields fields_{buffers_};
  ClientFacts facts_;
  logger::SessionId session_;
  http::HeaderRules rules_;
  http::RequestParser parser_{http::HeadLimits{}};
  std::string text_;
  http::H2Request made_;
};

TEST_F(RequestFieldsTest, BothProtocolsSayTheSame) {
  const std::string begin = "POST /a?b=c HTTP/1.1\r\nHost: h.example:8443\r\n";
  for (const std::string fields : {
           "",
           "Accept: a\r\naccept: b\r\nX-Debug: 1\r\nX-Edge: south\r\n",
           "Content-Length: 5\r\n",
           "Content-Length: 0\r\n",
           "Transfer-Encoding: chunked\r\n",
           "Cookie: a=1; __Host-gatebook=x; b=2\r\n",
           "Cookie: __Host-gatebook=x\r\nCookie: c=3\r\n",
           "Connection: close, x-gone\r\nX-Gone: 1\r\n",
           "X-Forwarded-For: 1.2.3.4\r\nForwarded: for=x\r\nX-Real-IP: 1\r\nX-Request-ID: 1\r\nX-Session-ID: "
           "2\r\n",
           "X_Odd: 1\r\nProxy: evil\r\nKeep-Alive: 1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n",
           "TE: trailers\r\nTrailer: X-Sum\r\nUpgrade: h2c\r\n",
       }) {
    const OutgoingRequest request = Outgoing(begin + fields + "\r\n");
    EXPECT_EQ(AsHttp2(request), AsHttp1(request)) << fields;
    EXPECT_EQ(made_.method, "POST");
    EXPECT_EQ(made_.scheme, "https");
    EXPECT_EQ(made_.authority, "h.example:8443");
    EXPECT_EQ(made_.path, "/a?b=c");
    EXPECT_EQ(made_.protocol, "");
    fields_.Release();
  }
  EXPECT_EQ(buffers_.taken(), 0U);
}

TEST_F(RequestFieldsTest, TrailersAreAskedForWhereTheClientDoes) {
  const auto te_of = [this](const std::string& fields) {
    AsHttp2(Outgoing("GET / HTTP/1.1\r\nHost: h.example\r\n" + fields + "\r\n"));
    std::string te;
    for (const http::Field& field : made_.fields) {
      if (field.id == http::FieldId::kTe) te += std::string(field.value) + ";";
    }
    return te;
  };
  EXPECT_EQ(te_of("TE: gzip, trailers\r\n"), "trailers;");
  EXPECT_EQ(te_of("TE: gzip\r\n"), "");
  EXPECT_EQ(te_of(""), "");
}

TEST_F(RequestFieldsTest, AWebSocketIsAnExtendedConnectWithoutItsKey) {
  const OutgoingRequest request = Outgoing(
      "GET /socket HTTP/1.1\r\nHost: h.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      "websocket");
  const Lines lines = AsHttp2(request);
  EXPECT_EQ(made_.method, "CONNECT");
  EXPECT_EQ(made_.protocol, "websocket");
  EXPECT_EQ(made_.path, "/socket");
  EXPECT_TRUE(std::ranges::count(lines, "sec-websocket-version: 13"));
  EXPECT_TRUE(std::ranges::none_of(lines, [](const std::string& line) {
    return line.starts_with("sec-websocket-key") || line.starts_with("upgrade") ||
           line.starts_with("connection");
  }));
}

}  // namespace
}  // namespace gatebook::proxy
