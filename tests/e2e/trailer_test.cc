// Trailers (RFC 9110 §6.5), passed on where the other side can carry them.
#include "tests/e2e/edge_test.h"
#include "tests/e2e/h2_client.h"

namespace gatebook::e2e {
namespace {

// Those that may not stand there, and one that may.
constexpr char kTrailers[] =
    "X-Sum: 7\r\nHost: evil\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nAuthorization: Basic x\r\n"
    "X-Forwarded-For: 1.2.3.4\r\nSet-Cookie: a=b\r\nContent-Type: text/html\r\nCache-Control: public\r\n"
    "X_Odd: 1\r\nConnection: close\r\n";

class TrailerTest : public EdgeTest {
 protected:
  // Answers with trailers and remembers what came behind the request.
  void BehindTrailers() {
    Behind([this](UpstreamConnection& connection, HttpMessage& request) {
      if (request.Field("transfer-encoding")) {
        std::string rest;
        while (rest.find("\r\n0\r\n") == std::string::npos || !rest.ends_with("\r\n\r\n")) {
          const std::string bytes = connection.ReadSome();
          if (bytes.empty()) return;
          rest += bytes;
        }
        const std::lock_guard lock(mutex_);
        rest_ = rest;
      }
      connection.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" +
                      std::string(kTrailers) + "\r\n");
    });
  }
  std::string Rest() {
    const std::lock_guard lock(mutex_);
    return rest_;
  }
  // Everything behind the head of the answer.
  std::string BodyOf(const std::string& request) {
    RawClient client(edge_->Plain());
    client.Send(request);
    const std::string all = client.ReadToClose();
    return all.substr(all.find("\r\n\r\n") + 4);
  }

  std::mutex mutex_;
  std::string rest_;
};

TEST_F(TrailerTest, AnAnswersReachAClientOfHttp1ThatAsksForThem) {
  BehindTrailers();
  Start();
  EXPECT_EQ(BodyOf(Request("GET /", "TE: gzip;q=0.5, trailers\r\nConnection: close, te\r\n")),
            "5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n");
  EXPECT_EQ(BodyOf(Request("GET /", "Connection: close\r\n")), "5\r\nhello\r\n0\r\n\r\n");
  EXPECT_EQ(BodyOf("GET / HTTP/1.0\r\nHost: localhost\r\nTE: trailers\r\n\r\n"), "hello");
}

TEST_F(TrailerTest, AnAnswersReachAClientOfHttp2) {
  BehindTrailers();
  Start();
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(http::Headers(1, http::Get())));
  EXPECT_THAT(client.WaitFor("HEADERS 1"), testing::HasSubstr(":status=200"));
  EXPECT_EQ(client.WaitFor("HEADERS 1 end"), "HEADERS 1 end x-sum=7");
  EXPECT_EQ(client.payload(), "hello");
}

TEST_F(TrailerTest, ARequestsReachAnUpstreamOfHttp1BehindAChunkedBody) {
  BehindTrailers();
  Start();
  RawClient client(edge_->Plain());
  client.Send(Request("POST /", "Transfer-Encoding: chunked\r\n") + "2\r\nhi\r\n0\r\n" + kTrailers + "\r\n");
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).status(), 200);
  EXPECT_EQ(Rest(), "2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n");
  H2Client other(edge_->Tls());
  ASSERT_TRUE(other.Send(http::Headers(1, http::Post(), false) + http::Data(1, "yo") +
                         http::Headers(1, http::H2FieldList{{"x-sum", "8"}, {"cookie", "a"}})));
  EXPECT_THAT(other.WaitFor("HEADERS 1"), testing::HasSubstr(":status=200"));
  EXPECT_EQ(Rest(), "2\r\nyo\r\n0\r\nx-sum: 8\r\n\r\n");
}

TEST_F(TrailerTest, ARoutesRulesHoldForThemToo) {
  options_.more =
      "[[route]]\nhost = \"*\"\npath = \"/\"\nupstream = \"service\"\nresponse_headers = [\"remove "
      "X-Sum\"]\n";
  BehindTrailers();
  Start();
  EXPECT_EQ(BodyOf(Request("GET /", "TE: trailers\r\nConnection: close\r\n")), "5\r\nhello\r\n0\r\n\r\n");
}

TEST_F(TrailerTest, MalformedOnesAreRefused) {
  BehindTrailers();
  Start();
  RawClient client(edge_->Plain());
  client.Send(Request("POST /", "Transfer-Encoding: chunked\r\n") + "0\r\nX-Sum : 7\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).status(), 400);
  EXPECT_EQ(Refusals("bad_trailer"), 1u);
}

}  // namespace
}  // namespace gatebook::e2e
