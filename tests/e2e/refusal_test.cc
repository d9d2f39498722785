// Requests that are turned down: a short clear answer, a close, a counter, and nothing reaches the upstream.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

using namespace std::string_literals;

struct Refused {
  const char* name;
  std::string request;
  int status;
  const char* slug;
};

std::string Get(const std::string& fields) { return "GET / HTTP/1.1\r\n" + fields + "\r\n"; }
std::string Post(const std::string& fields, const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + body;
}

// The classes of docs/threat-model.md that a client can send over HTTP/1. Each request
// is followed by another one that must never be seen.
const std::vector<Refused>& Table() {
  const std::string host = "Host: localhost\r\n";
  static const std::vector<Refused> table = {
      // Lines (RFC 9112 §2.2) and what stands in them.
      {"BareLf", "GET / HTTP/1.1\nHost: localhost\n\n", 400, "bare_lf"},
      {"BareLfInAField", Get(host + "A: b\nC: d\r\n"), 400, "bare_lf"},
      {"BareCr", Get(host + "A: b\rC: d\r\n"), 400, "bare_cr"},
      {"Nul", Get(host + "A: b\0c\r\n"s), 400, "bad_field_value"},
      {"ObsFold", Get(host + "A: b\r\n c\r\n"), 400, "obs_fold"},
      {"SpaceBeforeColon", Get(host + "A : b\r\n"), 400, "bad_field_name"},
      {"EmptyName", Get(host + ": b\r\n"), 400, "bad_field_name"},
      {"NameWithoutColon", Get(host + "Abc\r\n"), 400, "bad_field_name"},
      // The request line.
      {"TwoSpaces", "GET  / HTTP/1.1\r\n" + host + "\r\n", 400, nullptr},
      {"NoTarget", "GET HTTP/1.1\r\n" + host + "\r\n", 400, nullptr},
      {"BadMethod", "G(T / HTTP/1.1\r\n" + host + "\r\n", 400, "bad_method"},
      {"Fragment", "GET /a#b HTTP/1.1\r\n" + host + "\r\n", 400, "bad_target"},
      {"ControlByteInTarget", "GET /a\x01 HTTP/1.1\r\n" + host + "\r\n", 400, nullptr},
      {"BadEscape", "GET /%zz HTTP/1.1\r\n" + host + "\r\n", 400, "bad_target"},
      {"NoSlash", "GET a HTTP/1.1\r\n" + host + "\r\n", 400, "bad_target"},
      {"Version2", "GET / HTTP/2.0\r\n" + host + "\r\n", 505, "bad_version"},
      {"Version09", "GET /\r\n", 400, nullptr},
      {"Trace", "TRACE / HTTP/1.1\r\n" + host + "\r\n", 405, "method_refused"},
      {"Connect", "CONNECT localhost:443 HTTP/1.1\r\n" + host + "\r\n", 405, "connect_refused"},
      // Host (RFC 9112 §3.2).
      {"NoHost", Get(""), 400, "missing_host"},
      {"TwoHosts", Get(host + host), 400, "repeated_host"},
      {"HostWithSpace", Get("Host: local host\r\n"), 400, "bad_host"},
      {"HostWithUser", Get("Host: a@localhost\r\n"), 400, "bad_host"},
      {"HostWithPath", Get("Host: localhost/x\r\n"), 400, "bad_host"},
      {"HostWithBadPort", Get("Host: localhost:99999\r\n"), 400, "bad_host"},
      {"HostWithTwoNames", Get("Host: a, b\r\n"), 400, "bad_host"},
      {"BadAuthority", "GET http://a@b/ HTTP/1.1\r\n" + host + "\r\n", 400, nullptr},
      // Framing (RFC 9112 §6).
      {"LengthWithCoding", Post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400,
       "length_with_coding"},
      {"CodingWithLength", Post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400,
       "length_with_coding"},
      {"TwoLengths", Post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), 400, "bad_content_length"},
      {"TwoEqualLengths", Post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400,
       "bad_content_length"},
      {"LengthList", Post("Content-Length: 5, 5\r\n", "hello"), 400, "bad_content_length"},
      {"EmptyLength", Post("Content-Length:\r\n", ""), 400, "bad_content_length"},
      {"SignedLength", Post("Content-Length: +5\r\n", "hello"), 400, "bad_content_length"},
      {"NegativeLength", Post("Content-Length: -1\r\n", ""), 400, "bad_content_length"},
      {"HexLength", Post("Content-Length: 0x5\r\n", "hello"), 400, "bad_content_length"},
      {"LengthOf2To63", Post("Content-Length: 9223372036854775808\r\n", ""), 400, "bad_content_length"},
      {"LengthOf2To64And5", Post("Content-Length: 18446744073709551621\r\n", "hello"), 400,
       "bad_content_length"},
      {"UnknownCoding", Post("Transfer-Encoding: gzip\r\n", ""), 501, "unknown_coding"},
      {"CodingBeforeChunked", Post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501,
       "unknown_coding"},
      {"ObfuscatedCoding", Post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501, "unknown_coding"},
      {"VerticalTabCoding",
       Post("Transfer-Encoding: \x0b"
            "chunked\r\n",
            "0\r\n\r\n"),
       400, nullptr},
      {"ChunkedTwice", Post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400, "repeated_coding"},
      {"CodingTwice", Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400,
       "repeated_coding"},
      {"CodingInHttp10", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
       "coding_in_http10"},
      // Connection and friends.
      {"ConnectionNamesHost", Get(host + "Connection: close, Host\r\n"), 400, "bad_connection"},
      {"ConnectionNamesLength", Post("Connection: Content-Length\r\nContent-Length: 5\r\n", "hello"), 400,
       "bad_connection"},
      {"ConnectionNamesForwarding", Get(host + "Connection: X-Forwarded-For\r\n"), 400, "bad_connection"},
      {"ConnectionNamesSession", Get(host + "Connection: x-session-id\r\n"), 400, "bad_connection"},
      {"Expectation", Post("Expect: 200-ok\r\nContent-Length: 5\r\n", "hello"), 417, "bad_expect"},
      // Size.
      {"LongTarget", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 414,
       "target_too_long"},
      {"LargeHead", Get(host + "A: " + std::string(40'000, 'a') + "\r\n"), 431, "head_too_large"},
      {"ManyFields",
       Get(host +
           [] {
             std::string fields;
             for (int i = 0; i < 150; ++i) fields += "A: b\r\n";
             return fields;
           }()),
       431, "too_many_fields"},
  };
  return table;
}

class RefusalTest : public EdgeTest {};

TEST_F(RefusalTest, EveryAmbiguousRequestIsRefusedAndReachesNobody) {
  Start();
  size_t with_connection = 0;
  for (const Refused& refused : Table()) {
    SCOPED_TRACE(refused.name);
    const uint64_t before = refused.slug ? Refusals(refused.slug) : 0;
    RawClient client(edge_->Plain());
    client.Send(refused.request + Request("GET /smuggled"));
    const auto answer = client.ReadResponse();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status(), refused.status);
    EXPECT_TRUE(answer->complete);
    EXPECT_EQ(answer->Field("connection"), "close");
    EXPECT_LT(answer->head.size() + answer->body.size(), 1024u);
    EXPECT_TRUE(client.WaitClosed());
    if (refused.slug) {
      EXPECT_EQ(Refusals(refused.slug), before + 1);
    }
    ++with_connection;
  }
  EXPECT_EQ(upstream_->requests().size(), 0u);
  EXPECT_EQ(upstream_->bytes_received(), 0u);
  EXPECT_EQ(edge_->Metric("gatebook_connections_accepted_total"), with_connection);
  ExpectRefusalsInTheBook();
}

TEST_F(RefusalTest, TheSameOverTlsByteByByte) {
  Start();
  for (const Refused& refused : Table()) {
    if (refused.request.size() > 2000) continue;
    SCOPED_TRACE(refused.name);
    RawClient client(edge_->Tls());
    client.SendByteByByte(refused.request);
    const auto answer = client.ReadResponse();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status(), refused.status);
  }
  EXPECT_EQ(upstream_->requests().size(), 0u);
}

struct BadChunks {
  const char* name;
  std::string body;
};

TEST_F(RefusalTest, AMalformedChunkedBodyNeverEndsWellForTheUpstream) {
  // Without a whole body the upstream only waits; what it has seen is no whole request.
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    request.complete = connection.ReadBody(&request);
    if (request.complete) connection.Send(Answer(200, ""));
    connection.Close();
  });
  Start();
  const std::vector<BadChunks> table = {
      {"BareLfAfterSize", "5\nhello\r\n0\r\n\r\n"},
      {"BareLfAfterData", "5\r\nhello\n0\r\n\r\n"},
      {"BareLfInExtension", "5;a\nb\r\nhello\r\n0\r\n\r\n"},
      {"BareCrInExtension", "5;a\rb\r\nhello\r\n0\r\n\r\n"},
      {"SpaceBeforeSize", " 5\r\nhello\r\n0\r\n\r\n"},
      {"SpaceAfterSize", "5 \r\nhello\r\n0\r\n\r\n"},
      {"Hex", "0x5\r\nhello\r\n0\r\n\r\n"},
      {"Sign", "+5\r\nhello\r\n0\r\n\r\n"},
      {"Negative", "-5\r\nhello\r\n0\r\n\r\n"},
      {"HexFloat", "0x1p2\r\nhell\r\n0\r\n\r\n"},
      {"EmptySize", "\r\nhello\r\n0\r\n\r\n"},
      {"Overflow", "10000000000000005\r\nhello\r\n0\r\n\r\n"},
      {"ThousandZeros", std::string(1000, '0') + "5\r\nhello\r\n0\r\n\r\n"},
      {"SizeTooSmall", "4\r\nhello\r\n0\r\n\r\n"},
      {"SizeTooLarge", "6\r\nhello\r\n0\r\n\r\n"},
      {"LongExtension", "5;" + std::string(5000, 'e') + "\r\nhello\r\n0\r\n\r\n"},
      {"BadTrailer", "5\r\nhello\r\n0\r\nX Y: z\r\n\r\n"},
      {"FoldedTrailer", "5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n"},
      {"LargeTrailer", "5\r\nhello\r\n0\r\nX: " + std::string(60'000, 'y') + "\r\n\r\n"},
      {"BareLfAtTheEnd", "5\r\nhello\r\n0\r\n\n"},
  };
  for (const BadChunks& bad : table) {
    SCOPED_TRACE(bad.name);
    RawClient client(edge_->Plain());
    client.Send(Request("POST /chunks", "Transfer-Encoding: chunked\r\n") + bad.body +
                Request("GET /smuggled"));
    const auto answer = client.ReadResponse();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status(), 400);
    EXPECT_TRUE(client.WaitClosed());
  }
  upstream_->CloseAll();
  for (const HttpMessage& request : upstream_->requests()) {
    EXPECT_FALSE(request.complete) << request.body;
    EXPECT_EQ(request.first_line.find("smuggled"), std::string::npos);
  }
  EXPECT_GE(Refusals("bad_chunk") + Refusals("bad_trailer"), table.size());
  ExpectRefusalsInTheBook();
}

TEST_F(RefusalTest, ABodyOverTheLimitIsRefusedBeforeItIsSent) {
  Say("limits", "body_size = \"1KiB\"");
  Start();
  RawClient client(edge_->Plain());
  ASSERT_TRUE(client.Send(Request("POST /", "Content-Length: 2000\r\nExpect: 100-continue\r\n")));
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).status(), 413);
  EXPECT_TRUE(client.WaitClosed());
  EXPECT_EQ(Refusals("body_too_large"), 1u);
  ExpectRefusalsInTheBook();
  EXPECT_EQ(upstream_->requests().size(), 0u);
}

TEST_F(RefusalTest, AChunkedBodyThatGrowsOverTheLimitIsCutOff) {
  Say("limits", "body_size = \"1KiB\"");
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    request.complete = connection.ReadBody(&request);
    connection.Close();
  });
  Start();
  RawClient client(edge_->Plain());
  client.Send(Request("POST /", "Transfer-Encoding: chunked\r\n") + support::Chunk(std::string(600, 'a')) +
              support::Chunk(std::string(600, 'b')) + support::Chunk(""));
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).status(), 413);
  EXPECT_TRUE(client.WaitClosed());
  upstream_->CloseAll();
  for (const HttpMessage& request : upstream_->requests()) EXPECT_FALSE(request.complete);
}

TEST_F(RefusalTest, AHeadThatTakesTooLongIsGivenUp) {
  Say("timeouts", "request_header = \"300ms\"");
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nHost: loc"));
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 408);
  EXPECT_TRUE(client.WaitClosed());
  EXPECT_EQ(Refusals("header_timeout"), 1u);
  ExpectRefusalsInTheBook();
}

TEST_F(RefusalTest, ABodyThatDripsIsGivenUp) {
  Say("timeouts", "body_idle = \"300ms\"");
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    request.complete = connection.ReadBody(&request);
    connection.Close();
  });
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("POST /", "Content-Length: 1000\r\n") + "x"));
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).status(), 408);
  EXPECT_TRUE(client.WaitClosed());
  EXPECT_EQ(Refusals("body_timeout"), 1u);
  ExpectRefusalsInTheBook();
}

TEST_F(RefusalTest, AnIdleConnectionIsClosedWithoutAWord) {
  Say("timeouts", "keep_alive = \"300ms\"\nrequest_header = \"300ms\"");
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Get("/"));
  EXPECT_TRUE(client.WaitClosed());
  EXPECT_TRUE(client.closed_cleanly());
}

TEST_F(RefusalTest, AHandshakeThatNeverEndsIsGivenUp) {
  Say("timeouts", "handshake = \"300ms\"");
  Start();
  auto options = edge_->Tls();
  options.tls = false;
  RawClient client(options);
  ASSERT_TRUE(client.Send("\x16\x03\x01"));
  client.ReadToClose();
  EXPECT_TRUE(
      WaitUntil([&] { return edge_->Metric("gatebook_tls_handshakes_total{result=\"timeout\"}") == 1; }));
}

TEST_F(RefusalTest, MoreConnectionsThanAllowedAreClosedAtOnceAndCounted) {
  Say("limits", "connections = 3");
  Start();
  std::vector<std::unique_ptr<RawClient>> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(std::make_unique<RawClient>(edge_->Plain()));
    ASSERT_TRUE(held.back()->Get("/"));
  }
  RawClient refused(edge_->Plain());
  refused.Send(Request("GET /"));
  EXPECT_FALSE(refused.ReadResponse());
  EXPECT_GE(edge_->Metric("gatebook_connections_refused_total{reason=\"limit\"}"), 1u);
  held.pop_back();
  EXPECT_TRUE(WaitUntil([&] { return RawClient(edge_->Plain()).Get("/").has_value(); }));
}

TEST_F(RefusalTest, OneAddressCanNotTakeAllConnections) {
  Say("limits", "connections_per_address = 2");
  Start();
  RawClient one(edge_->Plain("127.0.0.2")), two(edge_->Plain("127.0.0.2"));
  ASSERT_TRUE(one.Get("/"));
  ASSERT_TRUE(two.Get("/"));
  RawClient three(edge_->Plain("127.0.0.2"));
  three.Send(Request("GET /"));
  EXPECT_FALSE(three.ReadResponse());
  RawClient other(edge_->Plain("127.0.0.3"));
  EXPECT_TRUE(other.Get("/"));
}

}  // namespace
}  // namespace gatebook::e2e
