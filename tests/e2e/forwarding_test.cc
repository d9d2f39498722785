// What passes between client and upstream, and in which form.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

using support::Chunk;

class ForwardingTest : public EdgeTest {
 protected:
  // Sends `request` over a plain connection and reads one answer.
  HttpMessage Exchange(const std::string& request, bool head_only = false) {
    RawClient client(edge_->Plain());
    EXPECT_TRUE(client.Send(request));
    return client.ReadResponse(head_only).value_or(HttpMessage{});
  }
};

TEST_F(ForwardingTest, TheRequestLineAndOrdinaryFieldsPassUnchanged) {
  Start();
  Exchange(
      "PATCH /a/b;c?d=e&f=%20 HTTP/1.1\r\nHost: LocalHost:8443\r\nX-Own: a, b\r\nX-own: c\r\nAccept: "
      "*/*\r\n\r\n");
  const HttpMessage request = upstream_->last_request();
  EXPECT_EQ(request.first_line, "PATCH /a/b;c?d=e&f=%20 HTTP/1.1");
  EXPECT_EQ(request.Field("accept"), "*/*");
  EXPECT_EQ(request.Count("x-own"), 2u);
  EXPECT_EQ(request.Count("host"), 1u);
  EXPECT_THAT(request.head, testing::HasSubstr("X-Own: a, b\r\n"));
}

TEST_F(ForwardingTest, HopByHopFieldsAndThoseThatConnectionNamesStayHere) {
  Start();
  Exchange(
      Request("GET /",
              "Connection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n"
              "Proxy-Authorization: x\r\nProxy-Connection: keep-alive\r\nTrailer: X\r\n"
              "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nX-Stays: 1\r\n"));
  const HttpMessage request = upstream_->last_request();
  for (const char* name : {"x-secret", "keep-alive", "te", "proxy-authorization", "proxy-connection",
                           "trailer", "upgrade", "http2-settings"}) {
    EXPECT_FALSE(request.Field(name)) << name;
  }
  EXPECT_EQ(request.Field("x-stays"), "1");
}

TEST_F(ForwardingTest, HopByHopFieldsOfTheAnswerStayHereToo) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send(
        Answer(200, "x", "Connection: X-Inner\r\nX-Inner: 1\r\nKeep-Alive: timeout=9\r\nX-Outer: 1\r\n"));
  });
  Start();
  const HttpMessage answer = Exchange(Request("GET /"));
  EXPECT_FALSE(answer.Field("x-inner"));
  EXPECT_FALSE(answer.Field("keep-alive"));
  EXPECT_EQ(answer.Field("x-outer"), "1");
}

TEST_F(ForwardingTest, TheAbsoluteFormsAuthorityWinsOverHost) {
  Start();
  Exchange("GET http://right.example/path HTTP/1.1\r\nHost: wrong.example\r\n\r\n");
  const HttpMessage request = upstream_->last_request();
  EXPECT_EQ(request.first_line, "GET /path HTTP/1.1");
  EXPECT_EQ(request.Field("host"), "right.example");
}

TEST_F(ForwardingTest, ManyExchangesShareOneConnectionOnBothSides) {
  Start();
  RawClient client(edge_->Tls());
  for (int i = 0; i < 20; ++i) {
    const auto answer = client.Get("/" + std::to_string(i));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "hello");
  }
  EXPECT_EQ(upstream_->connections(), 1u);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_reused_total"), 19u);
}

TEST_F(ForwardingTest, PipelinedRequestsAreAnsweredInTheirOrder) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.ReadBody(&request);
    connection.Send(Answer(200, request.first_line + request.body));
  });
  Start();
  RawClient client(edge_->Tls());
  std::string requests;
  for (int i = 0; i < 30; ++i) {
    requests += i % 3 == 0 ? Request("POST /" + std::to_string(i), "Content-Length: 4\r\n") + "body"
                           : Request("GET /" + std::to_string(i));
  }
  ASSERT_TRUE(client.Send(requests));
  for (int i = 0; i < 30; ++i) {
    const auto answer = client.ReadResponse();
    ASSERT_TRUE(answer) << i;
    EXPECT_THAT(answer->body, testing::HasSubstr(" /" + std::to_string(i) + " ")) << i;
    EXPECT_EQ(answer->body.ends_with("body"), i % 3 == 0);
  }
}

TEST_F(ForwardingTest, ARequestInSingleBytesIsTheSameRequest) {
  Start();
  const std::string request = Request("POST /split?x=1", "Transfer-Encoding: chunked\r\nX-A: b\r\n") +
                              "3;ext=1\r\nabc\r\n" + Chunk("defg") + "0\r\nX-Trailer: no\r\n\r\n";
  RawClient whole(edge_->Tls()), bytes(edge_->Tls());
  ASSERT_TRUE(whole.Send(request));
  ASSERT_TRUE(whole.ReadResponse());
  ASSERT_TRUE(bytes.SendByteByByte(request));
  ASSERT_TRUE(bytes.ReadResponse());
  const auto requests = upstream_->requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].first_line, requests[1].first_line);
  EXPECT_EQ(requests[0].body, "abcdefg");
  EXPECT_EQ(requests[1].body, "abcdefg");
  EXPECT_EQ(requests[0].fields.size(), requests[1].fields.size());
}

TEST_F(ForwardingTest, AChunkedRequestIsReframedWithoutExtensionsAndTrailers) {
  Start();
  Exchange(Request("POST /", "Transfer-Encoding: CHUNKED\r\nTrailer: Authorization\r\n") +
           "5;name=\"v\"\r\nhello\r\n0\r\nAuthorization: x\r\nContent-Length: 5\r\n\r\n");
  ASSERT_TRUE(upstream_->WaitForRequests(1));
  const HttpMessage request = upstream_->last_request();
  EXPECT_TRUE(request.chunked);
  EXPECT_EQ(request.body, "hello");
  EXPECT_FALSE(request.Field("authorization"));
  EXPECT_EQ(request.Count("transfer-encoding"), 1u);
  EXPECT_FALSE(request.Field("content-length"));
}

TEST_F(ForwardingTest, AChunkedAnswerArrivesWhole) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 100; ++i) connection.Send(Chunk(std::string(100, static_cast<char>('a' + i % 26))));
    connection.Send("0\r\nX-Trailer: 1\r\n\r\n");
  });
  Start();
  RawClient client(edge_->Tls());
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.Get("/");
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->complete);
    EXPECT_EQ(answer->body.size(), 10'000u);
  }
  EXPECT_EQ(upstream_->connections(), 1u);
}

TEST_F(ForwardingTest, AnAnswerWithoutLengthEndsWithItsConnectionAndArrivesWhole) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nto the close");
    connection.Close();
  });
  Start();
  const HttpMessage answer = Exchange(Request("GET /"));
  EXPECT_EQ(answer.body, "to the close");
  EXPECT_TRUE(answer.complete);
}

TEST_F(ForwardingTest, AnHttp10ClientGetsAnAnswerItUnderstands) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk("old") + Chunk(""));
  });
  Start();
  RawClient client(edge_->Plain());
  ASSERT_TRUE(client.Send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"));
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->chunked);
  EXPECT_EQ(answer->body, "old");
  EXPECT_TRUE(client.WaitClosed());
}

TEST_F(ForwardingTest, HeadHasTheFieldsOfGetAndNoBody) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
    if (request.first_line.starts_with("GET")) connection.Send(std::string(1234, 'x'));
  });
  Start();
  RawClient client(edge_->Plain());
  ASSERT_TRUE(client.Send(Request("HEAD /") + Request("GET /")));
  const auto head = client.ReadResponse(true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->Field("content-length"), "1234");
  const auto get = client.ReadResponse();
  ASSERT_TRUE(get);
  EXPECT_EQ(get->body.size(), 1234u);
}

TEST_F(ForwardingTest, AnswersWithoutContentStayWithoutIt) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    const bool not_modified = request.first_line.find("304") != std::string::npos;
    connection.Send(not_modified ? "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 99\r\n\r\n"
                                 : "HTTP/1.1 204 No Content\r\n\r\n");
  });
  Start();
  RawClient client(edge_->Plain());
  for (const char* path : {"/304", "/204", "/304"}) {
    const auto answer = client.Get(path);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "");
    EXPECT_FALSE(answer->chunked);
  }
}

TEST_F(ForwardingTest, InterimAnswersArePassedOnBeforeTheFinalOne) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
    connection.Send("HTTP/1.1 102 Processing\r\n\r\n" + Answer(200, "done"));
  });
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /")));
  const auto hints = client.ReadResponse();
  ASSERT_TRUE(hints);
  EXPECT_EQ(hints->status(), 103);
  EXPECT_EQ(hints->Field("link"), "</a.css>; rel=preload");
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).status(), 102);
  const auto final_answer = client.ReadResponse();
  ASSERT_TRUE(final_answer);
  EXPECT_EQ(final_answer->status(), 200);
  EXPECT_EQ(final_answer->body, "done");
}

TEST_F(ForwardingTest, AnHttp10ClientIsSparedInterimAnswers) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 103 Early Hints\r\n\r\n" + Answer(200, "done"));
  });
  Start();
  EXPECT_EQ(Exchange("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n").status(), 200);
}

TEST_F(ForwardingTest, AClientThatExpectsToContinueIsToldTo) {
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("POST /", "Content-Length: 4\r\nExpect: 100-continue\r\n")));
  const auto go = client.ReadResponse();
  ASSERT_TRUE(go);
  EXPECT_EQ(go->status(), 100);
  ASSERT_TRUE(client.Send("data"));
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 200);
  EXPECT_EQ(upstream_->last_request().body, "data");
}

TEST_F(ForwardingTest, AnEarlyAnswerEndsTheConnectionRatherThanMixingItsBodyWithTheNextRequest) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send(Answer(403, "no"));
    connection.WaitClosed();
    connection.Close();
  });
  Start();
  RawClient client(edge_->Tls());
  const std::string smuggled = Request("GET /smuggled");
  ASSERT_TRUE(client.Send(Request("POST /", "Content-Length: 1000\r\n") + smuggled));
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 403);
  client.ShutdownWrite();
  EXPECT_TRUE(client.WaitClosed());
  for (const HttpMessage& request : upstream_->requests()) {
    EXPECT_EQ(request.first_line.find("smuggled"), std::string::npos);
  }
}

TEST_F(ForwardingTest, ConnectionCloseIsHonoured) {
  Start();
  RawClient client(edge_->Tls());
  const auto answer = client.Get("/", "Connection: close\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->Field("connection"), "close");
  EXPECT_TRUE(client.WaitClosed());
  EXPECT_TRUE(client.closed_cleanly());
}

TEST_F(ForwardingTest, RoutesChooseTheUpstreamByHostAndLongestPath) {
  TestUpstream other(
      [](UpstreamConnection& connection, HttpMessage&) { connection.Send(Answer(200, "other")); });
  Behind({});
  options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"" + upstream_->address() +
                       "\"]\n[[upstream]]\nname = \"other\"\nservers = [\"" + other.address() + "\"]\n";
  options_.more =
      "[[route]]\nhost = \"localhost\"\npath = \"/\"\nupstream = \"service\"\n"
      "[[route]]\nhost = \"localhost\"\npath = \"/api\"\nupstream = \"other\"\n"
      "[[route]]\nhost = \"*.example.com\"\npath = \"/\"\nupstream = \"other\"\n";
  Start();
  const auto body = [&](const std::string& host, const std::string& path) {
    return Exchange("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n").body;
  };
  EXPECT_EQ(body("localhost", "/"), "hello");
  EXPECT_EQ(body("localhost", "/api"), "other");
  EXPECT_EQ(body("localhost", "/api/x"), "other");
  EXPECT_EQ(body("localhost", "/apis"), "hello");
  EXPECT_EQ(body("A.Example.Com", "/"), "other");
  EXPECT_EQ(Exchange("GET / HTTP/1.1\r\nHost: nowhere.test\r\n\r\n").status(), 404);
  EXPECT_EQ(Refusals("no_route"), 1u);
  ExpectRefusalsInTheBook();
}

}  // namespace
}  // namespace gatebook::e2e
