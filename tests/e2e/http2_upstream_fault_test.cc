// How exchanges end over an upstream's HTTP/2: early, broken, refused, and by an upstream that breaks rules.
#include "tests/e2e/http2_upstream_fixture.h"

namespace gatebook::e2e {
namespace {

using testing::HasSubstr;

// ---- ends of every kind

TEST_F(Http2UpstreamTest, AnEarlyAnswerIsWholeAlthoughTheRequestIsNot) {
  StartH2([](H2Call& call, H2Event event) {
    if (event != H2Event::kHead) return;
    call.Head(413, {{"content-length", "3"}});
    call.Send("no!");
    call.End();
    call.Reset(H2Error::kNoError);
  });
  RawClient client(edge_->Plain());
  client.Send(Request("POST /", "Content-Length: 1000000\r\n") + "begun");
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 413);
  EXPECT_EQ(answer->body, "no!");
}

TEST_F(Http2UpstreamTest, ABrokenAnswerIsAVisibleBreak) {
  StartH2([](H2Call& call, H2Event event) {
    if (event != H2Event::kEnd) return;
    call.Head(200);
    call.Send("half");
    call.Reset(H2Error::kInternalError);
  });
  const auto answer = Ask(Request("GET /"));
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(Refusals("upstream_bad_body"), 1u);
}

TEST_F(Http2UpstreamTest, AResetBeforeTheHeadIsABadGateway) {
  StartH2([](H2Call& call, H2Event event) {
    if (event == H2Event::kEnd) call.Reset(H2Error::kInternalError);
  });
  EXPECT_EQ(Ask(Request("GET /")).status(), 502);
  EXPECT_EQ(Refusals("upstream_closed"), 1u);
}

TEST_F(Http2UpstreamTest, AClientThatLeavesCancelsItsStreamAlone) {
  StartH2([this](H2Call& call, H2Event event) {
    if (event == H2Event::kClosed && call.target == "/wait") code_ = call.code;
    if (event != H2Event::kEnd) return;
    if (call.target == "/wait") {
      go_ = true;
    } else {
      call.Head(204, {}, true);
    }
  });
  {
    RawClient client(edge_->Plain());
    client.Send(Request("GET /wait"));
    ASSERT_TRUE(WaitUntil([this] { return go_.load(); }));
  }
  EXPECT_TRUE(WaitUntil([this] { return code_ == static_cast<uint32_t>(H2Error::kCancel); }));
  EXPECT_EQ(Ask(Request("GET /")).status(), 204);
}

TEST_F(Http2UpstreamTest, WhatTheUpstreamHasNotLookedAtIsAskedAgain) {
  StartH2([this](H2Call& call, H2Event event) {
    if (event == H2Event::kHead && counted_++ % 2 == 0) return call.Reset(H2Error::kRefusedStream);
    if (event == H2Event::kEnd) call.Head(200, {}, true);
  });
  EXPECT_EQ(Ask(Request("GET /")).status(), 200);
  EXPECT_EQ(Ask(Request("POST /", "Content-Length: 0\r\n")).status(), 200);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_retries_total"), 2u);
}

TEST_F(Http2UpstreamTest, ABodyThatItHasNotLookedAtIsSentAgain) {
  StartH2([this](H2Call& call, H2Event event) {
    // Refused when the body is there, so that it has to come from somewhere else than the client.
    if (event == H2Event::kEnd && counted_++ % 2 == 0) return call.Reset(H2Error::kRefusedStream);
    if (event != H2Event::kEnd) return;
    Note(call);
    call.Head(200);
    call.Send(call.body);
    call.End();
  });
  const auto answer = Ask(Request("POST /", "Content-Length: 5\r\n") + "hello");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.body, "hello");
  const std::string chunked = support::Chunk("hel") + support::Chunk("lo") + "0\r\nX-Sum: 7\r\n\r\n";
  EXPECT_EQ(Ask(Request("POST /", "Transfer-Encoding: chunked\r\n") + chunked).body, "hello");
  {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(trailers_, (FieldTexts{{"x-sum", "7"}}));
  }
  // More than is kept is not sent twice.
  const std::string much(200'000, 'x');
  EXPECT_EQ(Ask(Request("POST /", "Content-Length: 200000\r\n") + much).status(), 502);
  const auto visits = edge_->WaitForVisits(3);
  ASSERT_EQ(visits.size(), 3u);
  EXPECT_EQ(visits[0]["bytes_in"], 5);
  EXPECT_EQ(visits[2]["denied"], "upstream_closed");
}

TEST_F(Http2UpstreamTest, AfterAGoawayTheNextRequestTakesANewConnection) {
  StartRaw([](UpstreamConnection& connection, HttpMessage&) {
    http::H2Listener listener;
    connection.Send(http::Settings());
    std::string heard;
    while (heard.find("HEADERS 1") == std::string::npos) {
      const std::string bytes = connection.ReadSome();
      if (bytes.empty()) return;
      heard += listener.Hear(bytes.starts_with("SM\r\n\r\n") ? bytes.substr(6) : bytes);
    }
    connection.Send(http::Headers(1, http::H2FieldList{{":status", "204"}}) + http::Goaway(1));
    connection.WaitClosed();
  });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(Request("GET /")).status(), 204);
  EXPECT_EQ(upstream_->connections(), 3u);
}

// ---- an upstream that breaks rules

class Http2BadUpstreamTest : public Http2UpstreamTest {
 protected:
  // Greets, waits for a request and says this.
  void StartSaying(const std::string& frames) {
    StartRaw([frames](UpstreamConnection& connection, HttpMessage&) {
      http::H2Listener listener;
      connection.Send(http::Settings());
      std::string heard;
      while (heard.find("HEADERS 1") == std::string::npos) {
        const std::string bytes = connection.ReadSome();
        if (bytes.empty()) return;
        heard += listener.Hear(bytes.starts_with("SM\r\n\r\n") ? bytes.substr(6) : bytes);
      }
      connection.Send(frames);
      connection.WaitClosed();
    });
  }
};

TEST_F(Http2BadUpstreamTest, AMalformedHeadIsABadGateway) {
  StartSaying(
      http::Headers(1, http::H2FieldList{{":status", "200"}, {"a", "b\r\nSet-Cookie: evil=1"}}, false));
  const auto answer = Ask(Request("GET /"));
  EXPECT_EQ(answer.status(), 502);
  EXPECT_EQ(answer.head.find("evil"), std::string::npos);
  EXPECT_EQ(Refusals("upstream_bad_head"), 1u);
}

TEST_F(Http2BadUpstreamTest, AConnectionFieldIsNone) {
  StartSaying(
      http::Headers(1, http::H2FieldList{{":status", "200"}, {"transfer-encoding", "chunked"}}, false));
  EXPECT_EQ(Ask(Request("GET /")).status(), 502);
  EXPECT_EQ(Refusals("upstream_bad_head"), 1u);
}

TEST_F(Http2BadUpstreamTest, ABodyShorterThanItsLengthNeverLooksWhole) {
  StartSaying(http::Headers(1, http::H2FieldList{{":status", "200"}, {"content-length", "10"}}, false) +
              http::Data(1, "half", true));
  const auto answer = Ask(Request("GET /"));
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(Refusals("upstream_bad_body"), 1u);
}

TEST_F(Http2BadUpstreamTest, AFloodEndsTheConnectionAndNothingElse) {
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += http::Ping();
  StartSaying(pings);
  EXPECT_EQ(Ask(Request("GET /")).status(), 502);
  EXPECT_EQ(Ask(Request("POST /", "Content-Length: 0\r\n")).status(), 502);
  EXPECT_EQ(upstream_->connections(), 2u);
}

TEST_F(Http2BadUpstreamTest, WhoSpeaksHttp1InsteadIsNotSpokenTo) {
  StartRaw([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    connection.WaitClosed();
  });
  EXPECT_EQ(Ask(Request("POST /", "Content-Length: 2\r\n") + "hi").status(), 502);
  EXPECT_EQ(Refusals("upstream_connect"), 1u);
  EXPECT_THAT(edge_->process().Errors(), HasSubstr("no connection to server 1 of 1"));
}

TEST_F(Http2BadUpstreamTest, WhoSaysNothingIsGivenUpInTime) {
  Say("timeouts", "connect = \"200ms\"");
  StartRaw([](UpstreamConnection& connection, HttpMessage&) { connection.WaitClosed(); });
  EXPECT_EQ(Ask(Request("GET /")).status(), 504);
  EXPECT_EQ(Refusals("upstream_connect_timeout"), 1u);
}

TEST_F(Http2BadUpstreamTest, StreamsAreNoMoreThanItAllows) {
  StartRaw([this](UpstreamConnection& connection, HttpMessage&) {
    http::H2Listener listener;
    connection.Send(http::Settings(http::Setting(3, 1)));
    for (std::string bytes; !(bytes = connection.ReadSome()).empty();) {
      const std::string heard = listener.Hear(bytes.starts_with("SM\r\n\r\n") ? bytes.substr(6) : bytes);
      if (heard.find("HEADERS 1 ") == std::string::npos) continue;
      EXPECT_EQ(heard.find("HEADERS 3"), std::string::npos);
      ++counted_;
      connection.WaitFor([this] { return counted_ >= 2; });
      connection.Send(http::Headers(1, http::H2FieldList{{":status", "204"}}));
    }
  });
  RawClient one(edge_->Plain());
  RawClient other(edge_->Plain());
  one.Send(Request("GET /"));
  other.Send(Request("GET /"));
  EXPECT_EQ(one.ReadResponse().value_or(HttpMessage{}).status(), 204);
  EXPECT_EQ(other.ReadResponse().value_or(HttpMessage{}).status(), 204);
  EXPECT_EQ(upstream_->connections(), 2u);
}

}  // namespace
}  // namespace gatebook::e2e
