// A client that nobody here wrote.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class CurlTest : public EdgeTest {
 protected:
  support::Finished Curl(std::vector<std::string> arguments) {
    const std::string port = std::to_string(edge_->tls_port());
    std::vector<std::string> command = {"curl",
                                        "--silent",
                                        "--show-error",
                                        "--cacert",
                                        edge_->directory() + "/chain.pem",
                                        "--resolve",
                                        "localhost:" + port + ":127.0.0.1"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return support::Run(std::move(command));
  }
  std::string Url(const std::string& path) {
    return "https://localhost:" + std::to_string(edge_->tls_port()) + path;
  }
};

TEST_F(CurlTest, VisitsWithACookieJarAreOneSession) {
  Start();
  const std::string jar = edge_->directory() + "/jar";
  for (const char* path : {"/", "/a", "/b"}) {
    const auto done = Curl({"-b", jar, "-c", jar, Url(path)});
    ASSERT_EQ(done.exit_code, 0) << done.errors;
    EXPECT_EQ(done.output, "hello");
  }
  const auto visits = edge_->WaitForVisits(3);
  ASSERT_EQ(visits.size(), 3u);
  EXPECT_EQ(visits[0]["session"], visits[2]["session"]);
  EXPECT_THAT(visits[0]["user_agent"].get<std::string>(), testing::StartsWith("curl/"));
}

TEST_F(CurlTest, UploadsAndDownloadsArriveUnchanged) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.ReadBody(&request);
    connection.Send(Answer(200, request.body));
  });
  Start();
  std::string content;
  for (size_t i = 0; i < 300'000; ++i) content += static_cast<char>(i * 7919 % 251);
  support::TempDirectory files;
  const std::string up = files.Write("up", content);
  for (const char* coding : {"X-Nothing: 1", "Transfer-Encoding: chunked"}) {
    const auto done = Curl({"--data-binary", "@" + up, "-H", coding, "-o", files.Path("down"), Url("/echo")});
    ASSERT_EQ(done.exit_code, 0) << done.errors;
    EXPECT_TRUE(support::ReadFile(files.Path("down")) == content) << coding;
  }
}

TEST_F(CurlTest, ManyParallelTransfersAreNotMixedUp) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.Send(Answer(200, request.first_line.substr(4, request.first_line.rfind(' ') - 4) + "\n"));
  });
  options_.workers = 2;
  Start();
  const auto done = Curl({"--parallel", "--parallel-max", "20", Url("/n[1-200]")});
  ASSERT_EQ(done.exit_code, 0) << done.errors;
  std::set<std::string> lines;
  std::istringstream output(done.output);
  for (std::string line; std::getline(output, line);) lines.insert(line);
  EXPECT_EQ(lines.size(), 200u);
  EXPECT_EQ(edge_->WaitForVisits(200).size(), 200u);
}

TEST_F(CurlTest, ARedirectFromPlainHttpIsFollowedToHttps) {
  Start();
  const uint16_t plain = edge_->Redirecting().port;
  const auto done = Curl({"-o", "/dev/null", "-w", "%{http_code} %{redirect_url}",
                          "http://localhost:" + std::to_string(plain) + "/x?y=z"});
  ASSERT_EQ(done.exit_code, 0) << done.errors;
  EXPECT_THAT(done.output, testing::ContainsRegex("30[178] https://localhost(:[0-9]+)?/x\\?y=z"));
}

}  // namespace
}  // namespace gatebook::e2e
