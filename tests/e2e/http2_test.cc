// HTTP/2 towards clients, as clients that nobody here wrote speak it (curl, nghttp, h2load).
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class Http2Test : public EdgeTest {
 protected:
  support::Finished Curl(std::vector<std::string> arguments) {
    const std::string port = std::to_string(edge_->tls_port());
    std::vector<std::string> command = {"curl",         "--silent",
                                        "--show-error", "--http2",
                                        "--cacert",     edge_->directory() + "/chain.pem",
                                        "--resolve",    "localhost:" + port + ":127.0.0.1"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return support::Run(std::move(command));
  }
  std::string Url(const std::string& path) {
    return "https://localhost:" + std::to_string(edge_->tls_port()) + path;
  }
};

TEST_F(Http2Test, AVisitOverHttp2IsInTheBookAsOne) {
  Start();
  const auto done = Curl({"-w", " %{http_version} %{http_code}", Url("/page?utm_source=news")});
  ASSERT_EQ(done.exit_code, 0) << done.errors;
  EXPECT_EQ(done.output, "hello 2 200");
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["protocol"], "h2");
  EXPECT_EQ(visits[0]["path"], "/page");
  EXPECT_EQ(visits[0]["host"], "localhost");
  EXPECT_EQ(visits[0]["status"], 200);
  EXPECT_EQ(visits[0]["bytes_out"], 5);
}

TEST_F(Http2Test, TheUpstreamGetsTheSameRequestAsOverHttp1) {
  Start();
  const std::vector<std::string> fields = {"-H", "Accept: a/b", "-H", "X-One: 1", "-H", "Cookie: a=1; b=2"};
  for (const char* version : {"--http1.1", "--http2"}) {
    std::vector<std::string> arguments = {version, "-A", "test"};
    arguments.insert(arguments.end(), fields.begin(), fields.end());
    arguments.push_back(Url("/x?y=z"));
    ASSERT_EQ(Curl(arguments).exit_code, 0);
  }
  const auto requests = upstream_->requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].first_line, requests[1].first_line);
  // By name: what is new each time, and the protocol that Via speaks of, aside.
  const auto known = [](const HttpMessage& request) {
    std::map<std::string, std::string> fields_of;
    for (const auto& [name, value] : request.fields) {
      if (name != "x-request-id" && name != "x-session-id" && name != "traceparent" && name != "via") {
        fields_of[name] = value;
      }
    }
    return fields_of;
  };
  EXPECT_EQ(known(requests[0]), known(requests[1]));
}

TEST_F(Http2Test, TheCookieComesAndIsKnownAgain) {
  Start();
  const std::string jar = edge_->directory() + "/jar";
  for (int i = 0; i < 2; ++i) ASSERT_EQ(Curl({"-b", jar, "-c", jar, Url("/")}).exit_code, 0);
  const auto visits = edge_->WaitForVisits(2);
  ASSERT_EQ(visits.size(), 2u);
  EXPECT_EQ(visits[0]["session"], visits[1]["session"]);
  EXPECT_EQ(upstream_->last_request().Field("cookie"), std::nullopt);
}

TEST_F(Http2Test, UploadsAndDownloadsArriveUnchanged) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.ReadBody(&request);
    connection.Send(Answer(200, request.body));
  });
  Start();
  std::string content;
  for (size_t i = 0; i < 3'000'000; ++i) content += static_cast<char>(i * 7919 % 251);
  support::TempDirectory files;
  const std::string up = files.Write("up", content);
  const auto done = Curl({"--data-binary", "@" + up, "-o", files.Path("down"), Url("/echo")});
  ASSERT_EQ(done.exit_code, 0) << done.errors;
  EXPECT_TRUE(support::ReadFile(files.Path("down")) == content);
}

TEST_F(Http2Test, AHeadAnswerAndOneWithoutContentEnd) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    if (request.first_line.starts_with("HEAD")) {
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    } else {
      connection.Send("HTTP/1.1 204 No Content\r\n\r\n");
    }
  });
  Start();
  const auto head = Curl({"-I", Url("/")});
  EXPECT_EQ(head.exit_code, 0) << head.errors;
  EXPECT_THAT(head.output, testing::HasSubstr("content-length: 5"));
  EXPECT_EQ(Curl({Url("/")}).exit_code, 0);
}

TEST_F(Http2Test, ABrokenAnswerIsAResetAndNeverACleanEnd) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    connection.Close();
  });
  Start();
  const auto done = Curl({Url("/")});
  EXPECT_EQ(done.exit_code, 92) << done.errors;  // CURLE_HTTP2_STREAM
  EXPECT_EQ(Refusals("upstream_bad_body"), 1u);
}

TEST_F(Http2Test, ARefusedRequestIsAnsweredAndInTheBookWithItsReason) {
  options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"127.0.0.1:1\"]\n";
  Start();
  const auto done = Curl({"-w", "%{http_code}", "-o", "/dev/null", Url("/")});
  EXPECT_EQ(done.output, "502");
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["denied"], "upstream_connect");
}

TEST_F(Http2Test, AnEventStreamComesAsItIsWritten) {
  Behind([this](UpstreamConnection& connection, HttpMessage&) {
    connection.Send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    connection.Send(support::Chunk("data: first\n\n"));
    connection.WaitFor([this] { return go_.load(); });
    connection.Send(support::Chunk("data: last\n\n") + support::Chunk(""));
  });
  Start();
  support::TempDirectory files;
  const std::string out = files.Path("out");
  std::thread curl([&] { EXPECT_EQ(Curl({"-N", "-o", out, Url("/events")}).exit_code, 0); });
  EXPECT_TRUE(WaitUntil([&] { return support::ReadFile(out) == "data: first\n\n"; }));
  go_ = true;
  curl.join();
  EXPECT_EQ(support::ReadFile(out), "data: first\n\ndata: last\n\n");
}

// A whole answer, and then a reset: curl 7 would say that the stream broke and show nothing.
TEST_F(Http2Test, AnEarlyAnswerReachesAClientThatStillUploads) {
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send(Answer(413, "too much", "Connection: close\r\n"));
    connection.Close();
  });
  Start();
  support::TempDirectory files;
  const std::string up = files.Write("up", std::string(20'000'000, 'u'));
  const auto done = Curl({"--data-binary", "@" + up, "-H", "Expect:", "-w", " %{http_code}", Url("/upload")});
  EXPECT_EQ(done.exit_code, 0) << done.errors;
  EXPECT_EQ(done.output, "too much 413");
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["status"], 413);
  EXPECT_LT(visits[0].value("bytes_in", 0), 20'000'000);
}

TEST_F(Http2Test, ManyStreamsOfManyConnectionsAreEachAVisit) {
  Start();
  const auto done = support::Run({"h2load", "-n", "2000", "-c", "4", "-m", "32", Url("/")});
  EXPECT_THAT(done.output, testing::HasSubstr("2000 succeeded, 0 failed")) << done.errors;
  EXPECT_TRUE(WaitUntil([this] { return edge_->Metric("gatebook_visits_stored_total") == 2000; }));
}

TEST_F(Http2Test, OtherClientsAreServedToo) {
  Start();
  const auto done = support::Run({"nghttp", Url("/")});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_EQ(done.output, "hello");
}

}  // namespace
}  // namespace gatebook::e2e
