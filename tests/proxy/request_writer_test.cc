#include "proxy/request_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "base/ascii.h"
#include "http/request_parser.h"

namespace gatebook::proxy {
namespace {

constexpr uint64_t kId = 0x0123456789abcdef;

ClientFacts Facts() {
  ClientFacts facts;
  facts.ip = *base::IpAddress::Parse("192.0.2.1");
  facts.tls_version = 13;
  facts.forwarding_fields = MakeForwardingFields(facts.ip, true);
  return facts;
}

// What stands at the end of every request, for the authority given.
std::string Ours(const std::string& authority, const std::string& via = "1.1") {
  return "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nForwarded: "
         "for=192.0.2.1;proto=https;host=\"" +
         authority + "\"\r\nX-Forwarded-Host: " + authority + "\r\nVia: " + via +
         " gatebook\r\nX-Request-ID: 0123456789abcdef\r\nX-Session-ID: AAAAAAAAAAAAAAAAAAAAAA\r\n\r\n";
}

// What upstream gets for these bytes of a client; "refused" if they are.
std::string Forwarded(const std::string& received) {
  http::RequestParser parser(http::HeadLimits{});
  if (parser.Parse(received) != http::ParseStatus::kDone) return "refused";
  base::BufferPool pool;
  base::Buffer out(pool);
  const ClientFacts facts = Facts();
  const logger::SessionId session;
  WriteRequestHead(out, {.head = parser.head(),
                         .facts = facts,
                         .session = session,
                         .request_id = kId,
                         .cookie_name = "__Host-gatebook",
                         .upgrade = parser.head().websocket ? "websocket" : ""});
  return std::string(out.data());
}

std::string With(const std::string& fields) {
  return Forwarded("GET / HTTP/1.1\r\nHost: h.example\r\n" + fields + "\r\n");
}
std::string Expected(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: h.example\r\n" + fields + Ours("h.example");
}

TEST(RequestWriter, AGetWithoutABodyIsWrittenFromItsParts) {
  EXPECT_EQ(Forwarded("GET /a%20b?c=d HTTP/1.1\r\nhost:  h.example:8443 \r\nAccept:\t*/*\r\n\r\n"),
            "GET /a%20b?c=d HTTP/1.1\r\nHost: h.example:8443\r\nAccept: */*\r\n" + Ours("h.example:8443"));
}

TEST(RequestWriter, TheOriginOfAnAbsoluteFormBecomesTheHost) {
  EXPECT_EQ(Forwarded("GET http://b.example/x HTTP/1.1\r\nHost: b.example\r\n\r\n"),
            "GET /x HTTP/1.1\r\nHost: b.example\r\n" + Ours("b.example"));
}

TEST(RequestWriter, FramingIsOurOwn) {
  EXPECT_EQ(Forwarded("POST / HTTP/1.1\r\nHost: h.example\r\ncontent-length: 5\r\n\r\n"),
            "POST / HTTP/1.1\r\nHost: h.example\r\nContent-Length: 5\r\n" + Ours("h.example"));
  EXPECT_EQ(Forwarded("POST / HTTP/1.1\r\nHost: h.example\r\nContent-Length: 0\r\n\r\n"),
            "POST / HTTP/1.1\r\nHost: h.example\r\nContent-Length: 0\r\n" + Ours("h.example"));
  EXPECT_EQ(Forwarded("POST / HTTP/1.1\r\nHost: h.example\r\ntransfer-encoding: Chunked\r\n\r\n"),
            "POST / HTTP/1.1\r\nHost: h.example\r\nTransfer-Encoding: chunked\r\n" + Ours("h.example"));
}

TEST(RequestWriter, AnOldClientsRequestIsVersion11ToTheUpstreamAndViaSaysHowItCame) {
  EXPECT_EQ(Forwarded("GET / HTTP/1.0\r\nHost: h.example\r\nConnection: keep-alive\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: h.example\r\n" + Ours("h.example", "1.0"));
}

TEST(RequestWriter, EndToEndFieldsArePassedOnInTheirOrderAndSpelling) {
  const std::string fields =
      "User-Agent: a\r\naccept: b\r\nACCEPT: c\r\nAuthorization: Bearer x\r\nReferer: r\r\nOrigin: o\r\n"
      "If-None-Match: \"e\"\r\nRange: bytes=0-1\r\nContent-Type: text/plain; charset=\"x\"\r\nTraceparent: "
      "00-1\r\n"
      "Date: d\r\nDNT: 1\r\nSec-GPC: 1\r\nVia: 1.1 earlier\r\nX-Custom: \r\nX-Other: \xc3\xa4\r\n";
  EXPECT_EQ(With(fields), Expected(fields));
}

TEST(RequestWriter, FieldsOfThisHopAreDropped) {
  for (const char* field : {"Connection: close", "connection: keep-alive", "Keep-Alive: timeout=5",
                            "TE: trailers", "Trailer: X-Sum", "Proxy-Connection: keep-alive",
                            "Proxy-Authorization: Basic x", "Proxy-Authenticate: Basic", "Proxy: http://evil",
                            "HTTP2-Settings: AAMAAABkAAQAAP__", "Upgrade: h2c", "Expect: 100-continue"}) {
    const std::string forwarded = With(std::string(field) + "\r\nAccept: */*\r\n");
    EXPECT_EQ(forwarded, Expected("Accept: */*\r\n")) << field;
  }
}

TEST(RequestWriter, FieldsThatConnectionNamesAreDropped) {
  EXPECT_EQ(With("X-Secret: 1\r\nAccept: */*\r\nConnection: close, x-SECRET\r\n"),
            Expected("Accept: */*\r\n"));
}

TEST(RequestWriter, WhatAClientSaysOfForwardingSessionAndRequestIsNotBelieved) {
  for (const char* field : {"Forwarded: for=10.0.0.1", "X-Forwarded-For: 10.0.0.1", "x-forwarded-proto: http",
                            "X-Forwarded-Host: evil", "X-Forwarded-Port: 1", "X-Forwarded-Anything: 1",
                            "X-Real-IP: 10.0.0.1", "X-Request-ID: mine", "X-SESSION-ID: theirs"}) {
    EXPECT_EQ(With(std::string(field) + "\r\n"), Expected("")) << field;
  }
}

TEST(RequestWriter, NamesWithAnUnderscoreAreDropped) {
  EXPECT_EQ(With("X_Forwarded_For: 10.0.0.1\r\nContent_Length: 5\r\nAccept: */*\r\n"),
            Expected("Accept: */*\r\n"));
}

TEST(RequestWriter, OurCookieIsTakenOutAndOthersStay) {
  EXPECT_EQ(With("Cookie: a=1; __Host-gatebook=abc; b=2\r\n"), Expected("Cookie: a=1; b=2\r\n"));
  EXPECT_EQ(With("Cookie: __Host-gatebook=abc\r\nAccept: */*\r\n"), Expected("Accept: */*\r\n"));
  EXPECT_EQ(With("Cookie: __Host-gatebook=abc\r\ncookie: c=3\r\n"), Expected("cookie: c=3\r\n"));
}

TEST(RequestWriter, AWebSocketHandshakeKeepsItsOwnFieldsAndNoOtherUpgrade) {
  EXPECT_EQ(With("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
            Expected("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
}

// Whatever one byte of a head is changed to, upstream is sent one request with one of each field that is
// ours.
TEST(RequestWriter, NoByteOfAClientsMakesALineOfItsOwn) {
  const std::string base_head =
      "GET /path?q=1 HTTP/1.1\r\nHost: h.example\r\nCookie: a=1; __Host-gatebook=abc\r\nX-Custom: v1 "
      "v2\r\n\r\n";
  size_t accepted = 0;
  for (size_t at = 0; at < base_head.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string head = base_head;
      head[at] = static_cast<char>(value);
      const std::string forwarded = Forwarded(head);
      if (forwarded == "refused") continue;
      ++accepted;
      http::RequestParser parser(http::HeadLimits{});
      ASSERT_EQ(parser.Parse(forwarded), http::ParseStatus::kDone) << head;
      ASSERT_EQ(parser.head().size, forwarded.size()) << head;  // one head and nothing behind it
      size_t ours = 0;
      for (const http::Field& field : parser.head().fields) {
        ours += base::EqualsIgnoreCase(field.name, "x-session-id") ||
                base::EqualsIgnoreCase(field.name, "host") ||
                base::EqualsIgnoreCase(field.name, "x-forwarded-for") ||
                base::EqualsIgnoreCase(field.name, "forwarded");
      }
      ASSERT_EQ(ours, 4U) << head;
    }
  }
  EXPECT_GT(accepted, 1000U);
}

}  // namespace
}  // namespace gatebook::proxy
