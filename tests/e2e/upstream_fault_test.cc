// An upstream that is dead, slow, broken or hostile: visible to the client, in time, and harmless to the next
// exchange.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

using support::Chunk;
using namespace std::string_literals;

class UpstreamFaultTest : public EdgeTest {
 protected:
  void TearDown() override {
    if (!edge_->CountedRefusals().empty()) ExpectRefusalsInTheBook();
    EdgeTest::TearDown();
  }
  HttpMessage Visit(const std::string& request = Request("GET /")) {
    RawClient client(edge_->Plain());
    client.Send(request);
    return client.ReadResponse().value_or(HttpMessage{});
  }
};

TEST_F(UpstreamFaultTest, ADeadUpstreamIsABadGatewayAtOnce) {
  options_.upstream = "127.0.0.1:" + std::to_string(support::FreePort());
  Start();
  EXPECT_EQ(Visit().status(), 502);
  EXPECT_EQ(Refusals("upstream_connect"), 1u);
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["denied"], "upstream_connect");
}

TEST_F(UpstreamFaultTest, AnUpstreamThatComesBackIsUsedAgain) {
  const uint16_t port = support::FreePort();
  options_.upstream = "127.0.0.1:" + std::to_string(port);
  Start();
  EXPECT_EQ(Visit().status(), 502);
  TestUpstream late({}, port);
  EXPECT_TRUE(WaitUntil([&] { return Visit().status() == 200; }));
}

TEST_F(UpstreamFaultTest, ANameThatDoesNotResolveIsABadGatewayAndNoReasonNotToStart) {
  options_.upstream = "no-such-host.invalid:80";
  Start();
  EXPECT_EQ(Visit().status(), 502);
  EXPECT_EQ(Refusals("upstream_unresolved"), 1u);
}

TEST_F(UpstreamFaultTest, ASilentUpstreamIsGivenUpInTime) {
  Say("timeouts", "first_byte = \"300ms\"");
  Behind([](UpstreamConnection& connection, HttpMessage&) { connection.WaitClosed(); });
  Start();
  EXPECT_EQ(Visit().status(), 504);
  EXPECT_EQ(Refusals("upstream_timeout"), 1u);
}

TEST_F(UpstreamFaultTest, AnAnswerThatStallsMidwayIsCutOffAndNotEndedWell) {
  Say("timeouts", "upstream_idle = \"300ms\"");
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk("half"));
    connection.WaitClosed();
  });
  Start();
  RawClient client(edge_->Plain());
  const auto answer = client.Get("/");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 200);
  EXPECT_EQ(answer->body, "half");
  EXPECT_FALSE(answer->complete);
  EXPECT_TRUE(client.WaitClosed());
  EXPECT_EQ(Refusals("upstream_stalled"), 1u);
}

TEST_F(UpstreamFaultTest, AHeadCutShortIsABadGateway) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Le");
    connection.Close();
  });
  Start();
  EXPECT_EQ(Visit(Request("POST /", "Content-Length: 0\r\n")).status(), 502);
  EXPECT_EQ(Refusals("upstream_closed"), 1u);
}

TEST_F(UpstreamFaultTest, ABodyCutShortIsNeverACleanEnd) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    const bool chunked = request.first_line.find("chunked") != std::string::npos;
    connection.Send(chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk("part")
                            : "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    connection.Close();
  });
  Start();
  for (const char* path : {"/chunked", "/length"}) {
    RawClient client(edge_->Tls());
    const auto answer = client.Get(path);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "part") << path;
    EXPECT_FALSE(answer->complete) << path;
    EXPECT_TRUE(client.WaitClosed());
  }
  EXPECT_EQ(Refusals("upstream_bad_body"), 2u);
}

TEST_F(UpstreamFaultTest, AHostileHeadIsABadGatewayAndItsConnectionIsNotUsedAgain) {
  static const std::vector<std::string> heads = {
      "garbage\r\n\r\n",
      "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: \0\r\nContent-Length: 0\r\n\r\n"s,
      "HTTP/1.1 200 OK\r\nLocation: /\rSet-Cookie: x\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: " + std::string(200'000, 'a') + "\r\n\r\n",
  };
  Behind([this](UpstreamConnection& connection, HttpMessage&) { connection.Send(heads[counted_]); });
  Start();
  for (; counted_ < heads.size(); ++counted_) {
    EXPECT_EQ(Visit().status(), 502) << heads[counted_].substr(0, 100);
  }
  EXPECT_EQ(upstream_->connections(), heads.size());
}

TEST_F(UpstreamFaultTest, SurplusBytesOfAnAnswerNeverBecomeTheNextOne) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.ReadBody(&request);
    if (request.first_line.find("/poison") != std::string::npos) {
      connection.Send(Answer(200, "first") + Answer(200, "poison"));
    } else if (request.first_line.starts_with("HEAD")) {
      connection.Send(Answer(200, "a body that HEAD has not"));
    } else {
      connection.Send(Answer(200, "good"));
    }
  });
  Start();
  for (int i = 0; i < 3; ++i) {
    RawClient one(edge_->Plain()), two(edge_->Plain());
    EXPECT_EQ(one.Get("/poison").value_or(HttpMessage{}).body, "first");
    EXPECT_EQ(two.Get("/").value_or(HttpMessage{}).body, "good");
    ASSERT_TRUE(two.Send(Request("HEAD /")));
    ASSERT_TRUE(two.ReadResponse(true));
    EXPECT_EQ(two.Get("/").value_or(HttpMessage{}).body, "good");
  }
}

TEST_F(UpstreamFaultTest, ABodyAfter204And304NeverBecomesTheNextAnswer) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    if (request.first_line.find("/204") != std::string::npos) {
      connection.Send("HTTP/1.1 204 No Content\r\n\r\n" + Answer(200, "poison"));
    } else if (request.first_line.find("/304") != std::string::npos) {
      connection.Send("HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison");
    } else {
      connection.Send(Answer(200, "good"));
    }
  });
  Start();
  for (const char* path : {"/204", "/304", "/204"}) {
    RawClient client(edge_->Plain());
    ASSERT_TRUE(client.Get(path));
    EXPECT_EQ(client.Get("/").value_or(HttpMessage{}).body, "good");
  }
}

TEST_F(UpstreamFaultTest, EndlessInterimAnswersAreBounded) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    while (connection.Send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")) {
    }
  });
  Start();
  RawClient client(edge_->Plain());
  ASSERT_TRUE(client.Send(Request("GET /")));
  int interim = 0;
  HttpMessage last;
  while (auto answer = client.ReadResponse()) {
    last = *answer;
    if (last.status() != 103) break;
    ASSERT_LT(++interim, 1000);
  }
  EXPECT_EQ(last.status(), 502);
  EXPECT_EQ(Refusals("upstream_too_many_1xx"), 1u);
}

TEST_F(UpstreamFaultTest, AStalePooledConnectionIsReplacedForAGetOnce) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    // Each connection answers once; at its second request it dies before the first byte.
    if (connection.exchange > 0) {
      connection.Reset();
      return;
    }
    connection.Send(Answer(200, request.first_line));
  });
  Start();
  RawClient client(edge_->Plain());
  EXPECT_EQ(client.Get("/1").value_or(HttpMessage{}).status(), 200);
  EXPECT_EQ(client.Get("/2").value_or(HttpMessage{}).status(), 200);
  EXPECT_EQ(upstream_->requests().size(), 3u);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_retries_total"), 1u);
}

TEST_F(UpstreamFaultTest, WhatTheBudgetDoesNotPayForIsNotSentAgain) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    if (connection.exchange > 0) return connection.Reset();
    connection.Send(Answer(200, ""));
  });
  options_.upstreams =
      "[[upstream]]\nname = \"service\"\nservers = [\"" + upstream_->address() + "\"]\nretry_budget = 0\n";
  Start();
  RawClient client(edge_->Plain());
  EXPECT_EQ(client.Get("/1").value_or(HttpMessage{}).status(), 200);
  EXPECT_EQ(client.Get("/2").value_or(HttpMessage{}).status(), 502);
  EXPECT_EQ(upstream_->requests().size(), 2u);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_retries_total"), 0u);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_retries_refused_total"), 1u);
}

TEST_F(UpstreamFaultTest, APostIsNeverSentTwice) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.ReadBody(&request);
    if (connection.exchange > 0) {
      connection.Reset();
      return;
    }
    connection.Send(Answer(200, ""));
  });
  Start();
  RawClient client(edge_->Plain());
  ASSERT_TRUE(client.Get("/"));
  ASSERT_TRUE(client.Send(Request("POST /pay", "Content-Length: 3\r\n") + "100"));
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).status(), 502);
  const auto requests = upstream_->requests();
  EXPECT_EQ(std::count_if(requests.begin(), requests.end(),
                          [](const HttpMessage& request) { return request.first_line.starts_with("POST"); }),
            1);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_retries_total"), 0u);
}

TEST_F(UpstreamFaultTest, AFreshConnectionThatDiesIsNotTriedAgain) {
  Behind([](UpstreamConnection& connection, HttpMessage&) { connection.Reset(); });
  Start();
  EXPECT_EQ(Visit().status(), 502);
  EXPECT_EQ(upstream_->requests().size(), 1u);
}

TEST_F(UpstreamFaultTest, PooledConnectionsThatTheUpstreamClosedAreForgotten) {
  Start();
  {
    RawClient client(edge_->Plain());
    ASSERT_TRUE(client.Get("/"));
  }
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_upstream_connections_idle") == 1; }));
  upstream_->CloseAll();
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_upstream_connections_open") == 0; }));
  EXPECT_EQ(Visit(Request("POST /", "Content-Length: 0\r\n")).status(), 200);
}

TEST_F(UpstreamFaultTest, AnUpstreamThatSpeaksUnaskedLosesItsPlaceInThePool) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send(Answer(200, "good"));
    // Unasked, after the exchange: it must not answer the next one.
    connection.Send(connection.number == 0 ? Answer(200, "unasked") : "");
  });
  Start();
  EXPECT_EQ(Visit().body, "good");
  // Before it is noticed nobody could tell it from an answer.
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_upstream_connections_open") == 0; }));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Visit().body, "good");
}

}  // namespace
}  // namespace gatebook::e2e
