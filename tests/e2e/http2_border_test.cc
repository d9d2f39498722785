// HTTP/2's border: what must not get through to an upstream that speaks HTTP/1, how long anything
// may take, and how a connection ends.
#include <csignal>

#include "tests/e2e/edge_test.h"
#include "tests/e2e/h2_client.h"

namespace gatebook::e2e {
namespace {

using http::Data;
using http::H2FieldList;
using http::Headers;
using http::Rst;
using http::With;

class Http2BorderTest : public EdgeTest {
 protected:
  void TearDown() override {
    if (edge_->IsRunning() && !edge_->CountedRefusals().empty()) ExpectRefusalsInTheBook();
    EdgeTest::TearDown();
  }
  uint64_t Ends(const std::string& slug) const {
    return edge_->Metric("gatebook_http2_ends_total{reason=\"" + slug + "\"}");
  }
};

// GET with one pseudo-field, by its place, saying something else.
H2FieldList GetWith(size_t place, std::string value) {
  H2FieldList fields = http::Get();
  fields[place].second = std::move(value);
  return fields;
}
constexpr size_t kMethod = 0, kScheme = 1, kAuthority = 2, kPath = 3;

TEST_F(Http2BorderTest, NothingIsSmuggledIntoTheUpstreamsHttp1) {
  Start();
  const auto get_with = [](const std::string& name, const std::string& value) {
    return With(http::Get(), {{name, value}});
  };
  H2FieldList late = http::Get();
  late.insert(late.begin() + kPath, {"x", "y"});
  const std::vector<std::pair<H2FieldList, std::string>> cases = {
      {get_with("x-one", "a\r\nx-two: b"), "bad_field_value"},
      {get_with("x-one", "a\nx-two: b"), "bad_field_value"},
      {get_with("x-one", "a\rb"), "bad_field_value"},
      {get_with("x-one", std::string("a\0b", 3)), "bad_field_value"},
      {get_with("x-one", "a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x"), "bad_field_value"},
      {get_with("x-one", " a"), "padded_value"},
      {get_with("x-one: a\r\nx-two", "b"), "bad_field_name"},
      {get_with("x one", "a"), "bad_field_name"},
      {get_with("x-one:", "a"), "bad_field_name"},
      {get_with("", "a"), "bad_field_name"},
      {get_with("X-One", "a"), "upper_case_name"},
      {get_with("Transfer-Encoding", "chunked"), "upper_case_name"},
      {get_with("transfer-encoding", "chunked"), "connection_field"},
      {get_with("connection", "close"), "connection_field"},
      {get_with("connection", "x-forwarded-for"), "connection_field"},
      {get_with("keep-alive", "timeout=5"), "connection_field"},
      {get_with("proxy-connection", "close"), "connection_field"},
      {get_with("upgrade", "websocket"), "connection_field"},
      {get_with("te", "gzip"), "connection_field"},
      {get_with("content-length", "+5"), "bad_content_length"},
      {get_with("content-length", "5, 6"), "bad_content_length"},
      {get_with("content-length", "18446744073709551621"), "bad_content_length"},
      {With(http::Get(), {{"content-length", "5"}, {"content-length", "6"}}), "bad_content_length"},
      {get_with("content-length", "5"), "length_mismatch"},  // and the stream has ended
      {get_with("host", "other.example"), "host_mismatch"},
      {get_with(":path", "/twice"), "bad_pseudo_field"},
      {get_with(":method", "POST"), "bad_pseudo_field"},
      {get_with(":unknown", "x"), "bad_pseudo_field"},
      {late, "bad_pseudo_field"},
      {GetWith(kMethod, "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\nGET"), "bad_field_value"},
      {GetWith(kMethod, "GET /smuggled"), "bad_method"},
      {GetWith(kMethod, "TRACE"), "method_refused"},
      {GetWith(kMethod, "CONNECT"), "connect_refused"},
      {GetWith(kScheme, "http"), "bad_scheme"},
      {GetWith(kScheme, "https://x/?"), "bad_scheme"},
      {GetWith(kAuthority, "example.com\r\nx: y"), "bad_field_value"},
      {GetWith(kAuthority, "user@example.com"), "bad_host"},
      {GetWith(kAuthority, "example.com/path"), "bad_host"},
      {GetWith(kAuthority, ""), "missing_host"},
      {GetWith(kPath, "/a\r\nx: y"), "bad_field_value"},
      {GetWith(kPath, "/a HTTP/1.1\r\n\r\n"), "bad_field_value"},
      {GetWith(kPath, std::string("/a\0b", 4)), "bad_field_value"},
      {GetWith(kPath, "/a\x01"), "bad_field_value"},
      {GetWith(kPath, "/a b"), "bad_target"},
      {GetWith(kPath, "/a#b"), "bad_target"},
      {GetWith(kPath, "/a%0"), "bad_target"},
      {GetWith(kPath, ""), "bad_target"},
      {GetWith(kPath, "*"), "bad_target"},
      {GetWith(kPath, "no/slash"), "bad_target"},
      {GetWith(kPath, "https://example.com/absolute"), "bad_target"},
  };
  for (const auto& [fields, slug] : cases) {
    std::string shown;
    for (const auto& [name, value] : fields) shown += name + "=" + value + " ";
    const uint64_t before = Refusals(slug);
    H2Client client(edge_->Tls());
    ASSERT_TRUE(client.Send(Headers(1, fields)));
    // The connection lives, and what is asked next is understood as it was meant.
    EXPECT_THAT(client.Get(3, "/good"), testing::HasSubstr(":status=200")) << shown;
    EXPECT_EQ(Refusals(slug), before + 1) << shown << slug;
  }
  for (const HttpMessage& request : upstream_->requests()) {
    EXPECT_EQ(request.first_line, "GET /good HTTP/1.1");
    EXPECT_FALSE(request.Field("x-one") || request.Field("x-two"));
  }
  EXPECT_EQ(upstream_->requests().size(), cases.size());
  // Each stands in the book with its reason.
  std::multiset<std::string> wanted, found;
  for (const auto& [fields, slug] : cases) wanted.insert(slug);
  for (const json& visit : edge_->WaitForVisits(2 * cases.size())) {
    if (visit.contains("denied")) found.insert(visit["denied"].get<std::string>());
  }
  EXPECT_EQ(found, wanted);
}

TEST_F(Http2BorderTest, StreamsBeyondTheirNumberAreInTheBookWithTheirReason) {
  Behind([this](UpstreamConnection& connection, HttpMessage&) {
    connection.WaitFor([this] { return go_.load(); });
    connection.Send(Answer(200, ""));
  });
  Start();
  H2Client client(edge_->Tls());
  std::string all;
  // Without our settings acknowledged a client may not know better.
  for (int32_t i = 0; i < 103; ++i) all += Headers(2 * i + 1, http::Get());
  ASSERT_TRUE(client.Send(all));
  for (const char* stream : {"201", "203", "205"}) {
    EXPECT_EQ(client.WaitFor("RST "), "RST " + std::string(stream) + " 7");
  }
  EXPECT_EQ(Refusals("too_many_streams"), 3u);
  go_ = true;
  int denied = 0;
  for (const json& visit : edge_->WaitForVisits(103))
    denied += visit.value("denied", "") == "too_many_streams";
  EXPECT_EQ(denied, 3);
}

TEST_F(Http2BorderTest, ABodyOfAnotherLengthThanItSaysNeverLooksWhole) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    if (connection.ReadBody(&request)) connection.Send(Answer(200, "hello"));
  });
  Start();
  const H2FieldList five = With(http::Post(), {{"content-length", "5"}});
  for (const std::string& body : {Data(1, "1234567"), Data(1, "123", true), Data(1, "", true)}) {
    H2Client client(edge_->Tls());
    ASSERT_TRUE(client.Send(Headers(1, five, false) + body));
    EXPECT_EQ(client.WaitFor("RST 1"), "RST 1 1");
  }
  EXPECT_EQ(Refusals("length_mismatch"), 3u);
  EXPECT_TRUE(WaitUntil([this] { return edge_->Metric("gatebook_exchanges_open") == 0; }));
  for (const HttpMessage& request : upstream_->requests()) {
    EXPECT_LE(request.body.size(), 5u);
    EXPECT_EQ(request.body.find('6'), std::string::npos);
  }
}

// Its answer waits for the disk, when nothing is left of what was asked but that it was HEAD.
TEST_F(Http2BorderTest, ARefusedHeadIsAnsweredWithoutABody) {
  Say("journal", "flush = \"always\"");
  Start();
  H2Client client(edge_->Tls());
  H2FieldList head = GetWith(kPath, "/a#b");
  head[kMethod].second = "HEAD";
  ASSERT_TRUE(client.Send(Headers(1, head) + Headers(3, GetWith(kPath, "/a#b"))));
  EXPECT_THAT(client.WaitFor("HEADERS 1"), testing::StartsWith("HEADERS 1 end :status=400"));
  EXPECT_THAT(client.WaitFor("HEADERS 3"), testing::StartsWith("HEADERS 3 :status=400"));
  EXPECT_THAT(client.WaitFor("DATA"), testing::StartsWith("DATA 3 end"));
}

TEST_F(Http2BorderTest, WhatAClientsFramesBreakIsInTheBookWithItsReason) {
  Behind([this](UpstreamConnection& connection, HttpMessage&) {
    connection.WaitFor([this] { return go_.load(); });
  });
  Start();
  H2Client stream(edge_->Tls());
  ASSERT_TRUE(stream.Send(Headers(1, http::Get("/stream"))));
  ASSERT_TRUE(upstream_->WaitForRequests(1));
  ASSERT_TRUE(stream.Send(http::WindowUpdate(1, 0x7fffffff)));
  EXPECT_EQ(stream.WaitFor("RST 1"), "RST 1 3");
  H2Client connection(edge_->Tls());
  ASSERT_TRUE(connection.Send(Headers(1, http::Get("/connection"))));
  ASSERT_TRUE(upstream_->WaitForRequests(2));
  ASSERT_TRUE(connection.Send(http::WindowUpdate(0, 0x7fffffff)));
  EXPECT_THAT(connection.ReadToClose(), testing::HasSubstr("GOAWAY 1 3"));
  const auto visits = edge_->WaitForVisits(2);
  ASSERT_EQ(visits.size(), 2u);
  for (const json& visit : visits) {
    EXPECT_EQ(visit["denied"], visit["path"] == "/stream" ? "stream_broken" : "connection_broken") << visit;
  }
  EXPECT_EQ(Refusals("stream_broken"), 1u);
  EXPECT_EQ(Refusals("connection_broken"), 1u);
  go_ = true;
}

// ---- time

TEST_F(Http2BorderTest, PingsDoNotKeepAnIdleConnection) {
  Say("timeouts", "keep_alive = \"300ms\"");
  Start();
  H2Client client(edge_->Tls());
  EXPECT_THAT(client.Get(1), testing::HasSubstr(":status=200"));
  EXPECT_TRUE(WaitUntil([&] {
    client.Send(http::Ping());
    return Ends("drained") == 1;
  }));
  const std::string rest = client.ReadToClose();
  EXPECT_THAT(rest, testing::ContainsRegex("GOAWAY 1 0 "));
  EXPECT_TRUE(WaitUntil([this] {
    return edge_->Metric("gatebook_connections_closed_total{reason=\"keep_alive_timeout\"}") == 1;
  }));
}

// Nothing else can come on a connection before a head is whole, whatever is open there.
TEST_F(Http2BorderTest, AHeadThatDoesNotEndIsGivenUpInTime) {
  Say("timeouts", "request_header = \"300ms\"");
  Behind([this](UpstreamConnection& connection, HttpMessage& request) {
    if (request.first_line.find("/held") != std::string::npos)
      connection.WaitFor([this] { return go_.load(); });
    connection.Send(Answer(200, "hello"));
  });
  Start();
  const std::string half =
      http::Frame(http::H2FrameType::kHeaders, http::kH2EndStream, 3, http::Block(http::Get()));
  const std::string begun = half.substr(0, half.size() - 3);
  const std::string padded =
      http::Frame(http::H2FrameType::kHeaders, http::kH2Padded, 3, "12345").substr(0, 9);
  uint64_t ends = 0;
  for (const std::string& head : {half, begun, padded}) {
    H2Client client(edge_->Tls());
    ASSERT_TRUE(client.Send(Headers(1, http::Get("/held"))));
    ASSERT_TRUE(upstream_->WaitForRequests(ends + 1));
    ASSERT_TRUE(client.Send(head));
    EXPECT_THAT(client.ReadToClose(), testing::ContainsRegex("GOAWAY [0-9]+ 11 header_timeout"));
    EXPECT_EQ(Ends("header_timeout"), ++ends);
    EXPECT_EQ(Refusals("header_timeout"), ends);
    EXPECT_EQ(Refusals("connection_broken"), ends);
  }
  // Also where nothing else is, and after a head that was in time.
  H2Client alone(edge_->Tls());
  EXPECT_THAT(alone.Get(1), testing::HasSubstr(":status=200"));
  ASSERT_TRUE(alone.Send(half));
  EXPECT_THAT(alone.ReadToClose(), testing::ContainsRegex("GOAWAY [0-9]+ 11 header_timeout"));
  int told = 0;
  for (const json& visit : edge_->WaitForVisits(8)) told += visit.value("denied", "") == "header_timeout";
  EXPECT_EQ(told, 4);
  go_ = true;
}

TEST_F(Http2BorderTest, AnAnswerOfOursIsWholeAlthoughOthersFillTheConnection) {
  Say("timeouts", "first_byte = \"300ms\"");
  Behind([this](UpstreamConnection& connection, HttpMessage& request) {
    if (request.first_line.find("/never") != std::string::npos) {
      connection.WaitFor([this] { return go_.load(); });
    } else {
      connection.Send(Answer(200, std::string(20'000'000, 'x')));
    }
  });
  Start();
  auto options = edge_->Tls();
  options.receive_buffer = 4096;
  H2Client client(options, http::Setting(4, 0x7fffffff));
  ASSERT_TRUE(client.Send(http::WindowUpdate(0, 0x7ffe0000) + Headers(1, http::Get("/large")) +
                          Headers(3, http::Get("/never"))));
  // Nothing is read before the second is given up.
  EXPECT_TRUE(WaitUntil([this] { return Refusals("upstream_timeout") == 1; }));
  EXPECT_THAT(client.WaitFor("HEADERS 3"), testing::HasSubstr(":status=504"));
  EXPECT_NE(client.WaitFor("DATA 3 end"), "");
  client.Reset();
  go_ = true;
}

TEST_F(Http2BorderTest, AHelloAloneDoesNotHoldAConnection) {
  Say("timeouts", "request_header = \"300ms\"");
  Start();
  H2Client client(edge_->Tls());
  EXPECT_THAT(client.ReadToClose(), testing::ContainsRegex("GOAWAY 0 0 "));
}

// Nothing more is wanted of these streams, and their client never ends its side of them.
TEST_F(Http2BorderTest, StreamsThatTheirClientLeavesOpenDoNotHoldAConnection) {
  Say("timeouts", "keep_alive = \"300ms\"");
  Start();
  const H2FieldList empty = With(http::Post(), {{"content-length", "0"}});
  H2FieldList socket = http::Get("/socket");
  socket[kMethod].second = "CONNECT";
  socket.insert(socket.begin(), {":protocol", "websocket"});
  socket.push_back({"sec-websocket-version", "13"});
  for (const H2FieldList& fields : {empty, socket}) {
    H2Client client(edge_->Tls());
    ASSERT_TRUE(client.Send(Headers(1, fields, false)));
    EXPECT_NE(client.WaitFor("HEADERS 1"), "");
    EXPECT_EQ(client.WaitFor("RST 1"), "RST 1 0");
    EXPECT_THAT(client.ReadToClose(), testing::ContainsRegex("GOAWAY 1 0 "));
  }
  EXPECT_TRUE(WaitUntil([this] { return Ends("drained") == 2; }));
}

TEST_F(Http2BorderTest, ABodyThatDoesNotComeIsGivenUp) {
  Say("timeouts", "body_idle = \"300ms\"");
  Start();
  H2Client client(edge_->Tls());
  ASSERT_TRUE(
      client.Send(Headers(1, With(http::Post(), {{"content-length", "1000"}}), false) + Data(1, "a")));
  EXPECT_THAT(client.WaitFor("HEADERS 1"), testing::HasSubstr(":status=408"));
  EXPECT_EQ(client.WaitFor("RST 1"), "RST 1 0");
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["denied"], "body_timeout");
  // Other streams of the connection are none the worse for it.
  EXPECT_THAT(client.Get(3), testing::HasSubstr(":status=200"));
}

TEST_F(Http2BorderTest, AResetInTheMiddleOfAnAnswerStopsTheUpstreamAndTheVisitStands) {
  Behind([this](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
    while (connection.Send(std::string(16'384, 'x'))) {
    }
    go_ = true;
  });
  Start();
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(Headers(1, http::Get())));
  ASSERT_TRUE(client.WaitForPayload(10'000));
  ASSERT_TRUE(client.Send(Rst(1)));
  EXPECT_TRUE(WaitUntil([this] { return go_.load(); }));
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["protocol"], "h2");
  EXPECT_EQ(visits[0]["status"], 200);
  EXPECT_GE(visits[0].value("bytes_out", 0), 10'000);
  ASSERT_TRUE(client.Send(http::Ping()));
  EXPECT_EQ(client.WaitFor("PING ack"), "PING ack");
}

// ---- the end

TEST_F(Http2BorderTest, ADrainLetsWhatIsUnderWayFinish) {
  Behind([this](UpstreamConnection& connection, HttpMessage&) {
    connection.WaitFor([this] { return go_.load(); });
    connection.Send(Answer(200, "hello"));
  });
  Start();
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(Headers(1, http::Get())));
  ASSERT_TRUE(upstream_->WaitForRequests(1));
  edge_->process().Signal(SIGTERM);
  EXPECT_THAT(client.WaitFor("GOAWAY"), testing::StartsWith("GOAWAY 2147483647 0"));
  EXPECT_THAT(client.WaitFor("GOAWAY"), testing::StartsWith("GOAWAY 1 0"));
  go_ = true;
  EXPECT_THAT(client.WaitFor("HEADERS 1"), testing::HasSubstr(":status=200"));
  EXPECT_NE(client.WaitFor("DATA 1"), "");
  EXPECT_EQ(client.payload(), "hello");
  EXPECT_THAT(client.ReadToClose(), testing::Not(testing::ContainsRegex("RST|GOAWAY")));
  EXPECT_EQ(edge_->process().WaitExit(), 0);
  verify_ = false;
}

TEST_F(Http2BorderTest, AConnectionEndsAfterItsShareOfRequestsThoughMoreAreAsked) {
  Say("limits", "requests_per_connection = 2");
  Start();
  H2Client client(edge_->Tls());
  EXPECT_THAT(client.Get(1), testing::HasSubstr(":status=200"));
  EXPECT_THAT(client.Get(3), testing::HasSubstr(":status=200"));
  EXPECT_THAT(client.WaitFor("GOAWAY"), testing::StartsWith("GOAWAY 2147483647 0"));
  // It was asked before the client could know.
  EXPECT_THAT(client.Get(5), testing::HasSubstr(":status=200"));
  EXPECT_THAT(client.WaitFor("GOAWAY"), testing::StartsWith("GOAWAY 5 0"));
  client.ReadToClose();
  EXPECT_TRUE(WaitUntil([this] { return Ends("drained") == 1; }));
}

}  // namespace
}  // namespace gatebook::e2e
