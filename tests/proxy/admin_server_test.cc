#include "proxy/admin_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "proxy/admin_client.h"
#include "tests/net/loop_driver.h"
#include "tests/support/temp_directory.h"

namespace gatebook::proxy {
namespace {

using net::RunReady;
using net::RunUntil;

class AdminServerTest : public testing::Test {
 protected:
  AdminServerTest() {
    auto fd = net::BindListener(address_, path_, 0600);
    EXPECT_TRUE(fd.ok());
    const auto pages = [this](std::string_view path) {
      asked_ += path;
      if (path == "/healthz") return AdminServer::Page{200, "text/plain; charset=utf-8", "well\n"};
      if (path == "/large") return AdminServer::Page{200, "text/plain", std::string(3'000'000, 'x')};
      return AdminServer::Page{404, "text/plain", "nothing here\n"};
    };
    const auto actions = [this](std::string_view path) {
      done_ += path;
      return AdminServer::Page{200, "text/plain", "done\n"};
    };
    server_ = std::make_unique<AdminServer>(loop_, std::move(*fd), pages, actions);
  }

  base::UniqueFd Connect() {
    base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), address_.get(), address_.size()), 0);
    return fd;
  }
  void Send(const base::UniqueFd& fd, std::string_view bytes) {
    EXPECT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // All up to the server's end.
  std::string Answer(const base::UniqueFd& fd) {
    std::string answer;
    EXPECT_TRUE(RunUntil(loop_, [&] {
      char bytes[65536];
      ssize_t got;
      while ((got = ::recv(fd.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        answer.append(bytes, static_cast<size_t>(got));
      }
      return got == 0;
    }));
    return answer;
  }
  std::string Ask(std::string_view request) {
    const base::UniqueFd fd = Connect();
    Send(fd, request);
    return Answer(fd);
  }

  support::TempDirectory directory_;
  const std::string path_ = directory_.Path("admin.sock");
  const net::SocketAddress address_ = *net::SocketAddress::FromUnixPath(path_);
  net::Loop loop_;
  std::string asked_;
  std::string done_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, AnswersWithThePageAndEnds) {
  EXPECT_EQ(Ask("GET /healthz HTTP/1.1\r\nHost: admin\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n"
            "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\nwell\n");
}

TEST_F(AdminServerTest, IdleConnectionsKeepNobodyOut) {
  const auto config = std::make_shared<const config::Config>();
  base::MetricsBlock metrics;
  review::Desk desk({loop_, base::Clock::System(), metrics, [] { return std::string("{}"); }}, config,
                    review::DeskReaders::Load({}).value());
  server_.reset();
  auto fd = net::BindListener(*net::SocketAddress::FromUnixPath(directory_.Path("desk.sock")),
                              directory_.Path("desk.sock"), 0600);
  ASSERT_TRUE(fd.ok());
  AdminServer server(
      loop_, std::move(*fd),
      [](std::string_view) {
        return AdminServer::Page{200, "text/plain", "well\n"};
      },
      {}, &desk);
  const auto connect = [this] {
    const auto address = *net::SocketAddress::FromUnixPath(directory_.Path("desk.sock"));
    base::UniqueFd made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(made.get(), address.get(), address.size()), 0);
    return made;
  };
  std::vector<base::UniqueFd> idle;
  for (int i = 0; i < 64; ++i) {
    idle.push_back(connect());
    Send(idle.back(), "GET /desk/api/me HTTP/1.1\r\nHost: localhost\r\n\r\n");
    char bytes[8192];
    ASSERT_TRUE(
        RunUntil(loop_, [&] { return ::recv(idle.back().get(), bytes, sizeof bytes, MSG_DONTWAIT) > 0; }));
  }
  const base::UniqueFd next = connect();
  Send(next, "GET /healthz HTTP/1.1\r\nHost: admin\r\n\r\n");
  EXPECT_TRUE(Answer(next).ends_with("well\n"));
  EXPECT_EQ(Answer(idle.front()), "") << "it has given way";
  std::vector<base::UniqueFd> silent;
  for (int i = 0; i < 64; ++i) silent.push_back(connect());
  const base::UniqueFd last = connect();
  Send(last, "GET /healthz HTTP/1.1\r\nHost: admin\r\n\r\n");
  EXPECT_TRUE(Answer(last).ends_with("well\n"));
}

TEST_F(AdminServerTest, AQueryIsNoPartOfThePath) {
  EXPECT_TRUE(Ask("GET /healthz?x=1 HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("well\n"));
  EXPECT_EQ(asked_, "/healthz");
}

TEST_F(AdminServerTest, AHeadHasTheLengthAndNoBody) {
  const std::string answer = Ask("HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(AdminServerTest, WhatIsNotThereIs404AndOtherMethodsAreRefused) {
  EXPECT_TRUE(Ask("GET /etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(Ask("DELETE /healthz HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 405 "));
  EXPECT_EQ(asked_, "/etc/passwd");
}

TEST_F(AdminServerTest, APostActs) {
  EXPECT_TRUE(Ask("POST /reload HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").ends_with("done\n"));
  EXPECT_EQ(done_, "/reload");
  EXPECT_EQ(asked_, "");
}

TEST_F(AdminServerTest, APageInABrowserCannotAct) {
  for (const char* field :
       {"Origin: https://elsewhere.example", "Origin: null", "sec-fetch-site: cross-site"}) {
    EXPECT_TRUE(
        Ask(std::string("POST /reload HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n") + field + "\r\n\r\n")
            .starts_with("HTTP/1.1 403 "));
  }
  EXPECT_EQ(done_, "");
}

TEST_F(AdminServerTest, ABrokenOrHugeRequestIsRefused) {
  EXPECT_TRUE(Ask("GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(Ask("GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + std::string(17000, 'x') + "\r\n\r\n")
                  .starts_with("HTTP/1.1 431 "));
  EXPECT_EQ(asked_, "");
}

TEST_F(AdminServerTest, ARequestMayComeByteByByte) {
  const base::UniqueFd fd = Connect();
  for (const char byte : std::string_view("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")) {
    Send(fd, {&byte, 1});
    RunReady(loop_);
  }
  EXPECT_TRUE(Answer(fd).ends_with("well\n"));
}

TEST_F(AdminServerTest, ALargePageComesWhole) {
  const std::string answer = Ask("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + std::string(3'000'000, 'x')));
}

TEST_F(AdminServerTest, AClientThatLeavesTakesNothingWithIt) {
  Connect().Reset();
  {
    const base::UniqueFd half = Connect();
    Send(half, "GET /hea");
    RunReady(loop_);
  }
  {
    const base::UniqueFd unread = Connect();
    Send(unread, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    RunReady(loop_);
  }
  RunReady(loop_);
  EXPECT_TRUE(Ask("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("well\n"));
}

TEST_F(AdminServerTest, ManyWhoSayNothingDoNotGrowWithoutBound) {
  std::vector<base::UniqueFd> silent;
  for (int i = 0; i < 64; ++i) silent.push_back(Connect());
  RunReady(loop_);
  EXPECT_EQ(Answer(Connect()), "");  // closed at once
  silent.pop_back();
  RunReady(loop_);
  EXPECT_TRUE(Ask("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("well\n"));
}

TEST_F(AdminServerTest, DestroyingItClosesEveryConnection) {
  const base::UniqueFd fd = Connect();
  Send(fd, "GET /hea");
  RunReady(loop_);
  server_.reset();
  char byte;
  EXPECT_EQ(::recv(fd.get(), &byte, 1, 0), 0);
}

TEST_F(AdminServerTest, TheCommandsQuestionGetsTheBodyOrAClearError) {
  config::Admin admin;
  config::Endpoint& endpoint = admin.address;
  endpoint.kind = config::Endpoint::Kind::kUnix;
  endpoint.path = path_;
  endpoint.text = "unix:" + path_;
  std::atomic<bool> done{false};
  std::thread command([&] {
    const auto page = AskAdmin(admin, "/healthz");
    EXPECT_TRUE(page.ok() && *page == "well\n");
    const auto missing = AskAdmin(admin, "/none");
    EXPECT_TRUE(!missing.ok() && missing.error().exit_code == base::ExitCode::kUnavailable);
    done = true;
  });
  EXPECT_TRUE(RunUntil(loop_, [&] { return done.load(); }));
  command.join();

  endpoint.path = directory_.Path("none.sock");
  const auto nobody = AskAdmin(admin, "/healthz");
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().exit_code, base::ExitCode::kUnavailable);
  EXPECT_NE(nobody.error().message.find(endpoint.text), std::string::npos);
}

}  // namespace
}  // namespace gatebook::proxy
