// Who came: session ids and the cookie that carries them.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

// "__Host-gatebook=VALUE" of an answer's Set-Cookie; empty if it has none.
std::string CookieOf(const HttpMessage& answer) {
  const std::string cookie = answer.Field("set-cookie").value_or("");
  return cookie.substr(0, cookie.find(';'));
}

class SessionTest : public EdgeTest {
 protected:
  // One visit over a connection of its own.
  HttpMessage Visit(const std::string& fields = "") {
    RawClient client(edge_->Tls());
    return client.Get("/", fields).value_or(HttpMessage{});
  }
  std::string SessionSeenByUpstream() { return upstream_->last_request().Field("x-session-id").value_or(""); }
};

TEST_F(SessionTest, AFirstVisitGetsASignedCookieThatScriptsCannotRead) {
  Start();
  const HttpMessage answer = Visit();
  const std::string cookie = answer.Field("set-cookie").value_or("");
  EXPECT_THAT(cookie, testing::StartsWith("__Host-gatebook="));
  for (const char* attribute : {"; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax"}) {
    EXPECT_THAT(cookie, testing::HasSubstr(attribute));
  }
  EXPECT_THAT(cookie, testing::Not(testing::HasSubstr("Domain")));
}

TEST_F(SessionTest, ACookieContinuesItsSession) {
  Start();
  const std::string cookie = CookieOf(Visit());
  const std::string first = SessionSeenByUpstream();
  Visit("Cookie: theme=dark; " + cookie + "\r\n");
  EXPECT_EQ(SessionSeenByUpstream(), first);
  const auto visits = edge_->WaitForVisits(2);
  ASSERT_EQ(visits.size(), 2u);
  EXPECT_EQ(visits[0]["session"], first);
  EXPECT_EQ(visits[1]["session"], first);
  EXPECT_EQ(visits[0]["session_new"], true);
  EXPECT_EQ(visits[1]["session_new"], false);
}

TEST_F(SessionTest, AForgedCookieOpensANewSessionAndIsCounted) {
  Start();
  std::string cookie = CookieOf(Visit());
  const std::string first = SessionSeenByUpstream();
  // Another letter in the id, which the signature covers.
  char& letter = cookie[std::string("__Host-gatebook=v1.").size() + 4];
  letter = letter == 'A' ? 'B' : 'A';
  const HttpMessage answer = Visit("Cookie: " + cookie + "\r\n");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_NE(SessionSeenByUpstream(), first);
  EXPECT_NE(CookieOf(answer), "");
  EXPECT_EQ(edge_->Metric("gatebook_sessions_total{kind=\"forged\"}"), 1u);
}

TEST_F(SessionTest, GarbageForACookieIsANewSession) {
  Start();
  for (const char* value : {"", "v1", "v1..", "v1.AAAA.AAAA", "%00%00", "v9.x.y"}) {
    const HttpMessage answer = Visit(std::string("Cookie: __Host-gatebook=") + value + "\r\n");
    EXPECT_EQ(answer.status(), 200) << value;
    EXPECT_NE(CookieOf(answer), "") << value;
  }
}

TEST_F(SessionTest, AClientWithoutCookiesKeepsOneSessionForItsConnection) {
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Get("/1"));
  const std::string first = SessionSeenByUpstream();
  ASSERT_TRUE(client.Get("/2"));
  EXPECT_EQ(SessionSeenByUpstream(), first);
  Visit();
  EXPECT_NE(SessionSeenByUpstream(), first);
}

TEST_F(SessionTest, TheUpstreamSeesTheSessionButNotTheCookie) {
  Start();
  const std::string cookie = CookieOf(Visit());
  Visit("Cookie: a=1; " + cookie + "; b=2\r\n");
  const HttpMessage request = upstream_->last_request();
  EXPECT_EQ(request.head.find("__Host-gatebook"), std::string::npos) << request.head;
  EXPECT_THAT(request.Field("cookie").value_or(""),
              testing::AllOf(testing::HasSubstr("a=1"), testing::HasSubstr("b=2")));
  Visit("Cookie: " + cookie + "\r\n");
  EXPECT_FALSE(upstream_->last_request().Field("cookie"));
}

TEST_F(SessionTest, WhatAClientSaysOfItselfIsNotBelieved) {
  Start();
  Visit(
      "X-Session-ID: mine\r\nX-Request-ID: mine\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: "
      "gopher\r\n"
      "X-Forwarded-Host: evil.example\r\nX-Real-IP: 192.0.2.2\r\nForwarded: for=192.0.2.3\r\nX_Session_ID: "
      "mine\r\n");
  const HttpMessage request = upstream_->last_request();
  EXPECT_EQ(request.Count("x-session-id"), 1u);
  EXPECT_EQ(request.Count("x-request-id"), 1u);
  EXPECT_NE(request.Field("x-session-id"), "mine");
  EXPECT_NE(request.Field("x-request-id"), "mine");
  EXPECT_EQ(request.Field("x-forwarded-for"), "127.0.0.1");
  EXPECT_EQ(request.Field("x-forwarded-proto"), "https");
  for (const char* lie : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "gopher", "evil.example", "X_Session_ID"}) {
    EXPECT_EQ(request.head.find(lie), std::string::npos) << request.head;
  }
}

TEST_F(SessionTest, TheRequestIdOfTheBookIsTheOneTheUpstreamSaw) {
  Start();
  Visit();
  const std::string id = upstream_->last_request().Field("x-request-id").value_or("");
  EXPECT_THAT(id, testing::MatchesRegex("[0-9a-f]{16}"));
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["request_id"], id);
}

TEST_F(SessionTest, SessionsOutliveARestart) {
  Start();
  const std::string cookie = CookieOf(Visit());
  const std::string first = SessionSeenByUpstream();
  EXPECT_EQ(edge_->Stop(), 0);
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  Visit("Cookie: " + cookie + "\r\n");
  EXPECT_EQ(SessionSeenByUpstream(), first);
}

TEST_F(SessionTest, WithoutTlsThereIsNoCookieButASession) {
  Start();
  RawClient client(edge_->Plain());
  const auto answer = client.Get("/");
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->Field("set-cookie"));
  EXPECT_NE(SessionSeenByUpstream(), "");
}

TEST_F(SessionTest, TheUpstreamsOwnCookiesPass) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send(Answer(200, "", "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"));
  });
  Start();
  EXPECT_EQ(Visit().Count("set-cookie"), 3u);
}

}  // namespace
}  // namespace gatebook::e2e
