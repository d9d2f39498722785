// Limits of the small servers and clients on the main thread.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <string>
#include <vector>

#include "proxy/admin_server.h"
#include "proxy/upstream_lookups.h"
#include "tests/net/loop_driver.h"
#include "tests/support/fake_dns.h"
#include "tests/support/temp_directory.h"

namespace gatebook::proxy {
namespace {

using namespace std::chrono_literals;

class SlowAdminClientTest : public testing::Test {
 protected:
  SlowAdminClientTest()
      : server_(loop_, net::BindListener(address_, path_, 0600).value(), [](std::string_view path) {
          return AdminServer::Page{200, "text/plain", std::string(path == "/large" ? 8'000'000 : 5, 'x')};
        }) {}

  base::UniqueFd Connect() {
    base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), address_.get(), address_.size()), 0);
    net::RunReady(loop_);
    return fd;
  }
  void Send(const base::UniqueFd& fd, std::string_view bytes) {
    EXPECT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    net::RunReady(loop_);
  }
  // As if so much time had gone by since the turn that is now.
  void PassTime(base::Duration time) {
    loop_.timers().Advance(loop_.now() + time);
    net::RunReady(loop_);
  }
  // Reads all there is; whether the server has closed.
  static bool IsClosed(const base::UniqueFd& fd) {
    char bytes[65536];
    ssize_t got;
    while ((got = ::recv(fd.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
    }
    return got == 0;
  }

  support::TempDirectory directory_;
  const std::string path_ = directory_.Path("admin.sock");
  const net::SocketAddress address_ = *net::SocketAddress::FromUnixPath(path_);
  net::Loop loop_;
  AdminServer server_;
};

TEST_F(SlowAdminClientTest, OneThatSaysNothingHasFiveSeconds) {
  const base::UniqueFd fd = Connect();
  PassTime(4900ms);
  EXPECT_FALSE(IsClosed(fd));
  PassTime(5100ms);
  EXPECT_TRUE(IsClosed(fd));
}

TEST_F(SlowAdminClientTest, ADropNowAndThenBuysNoTime) {
  const base::UniqueFd fd = Connect();
  Send(fd, "GET /healthz HTTP/1.1\r\n");
  PassTime(2s);
  Send(fd, "Host:");
  PassTime(4s);
  Send(fd, " a\r\n");
  EXPECT_FALSE(IsClosed(fd));
  PassTime(5500ms);
  EXPECT_TRUE(IsClosed(fd));
}

TEST_F(SlowAdminClientTest, OneThatDoesNotReadIsCutOffToo) {
  const base::UniqueFd fd = Connect();
  Send(fd, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  PassTime(5100ms);
  EXPECT_TRUE(IsClosed(fd)) << "what had been sent, and then the end";
}

config::Config WithServers(const std::vector<std::string>& hostnames) {
  config::Config config;
  config::Upstream& upstream = config.upstreams.emplace_back();
  for (const std::string& hostname : hostnames) {
    config::Endpoint& server = upstream.servers.emplace_back();
    server.kind = config::Endpoint::Kind::kHostname;
    server.hostname = hostname;
    server.port = 80;
  }
  return config;
}

TEST(UpstreamLookups, AHostThatThisMachineKnowsIsToldLaterAndOnce) {
  net::Loop loop;
  int told = 0;
  std::vector<base::IpAddress> addresses;
  UpstreamLookups lookups(loop, WithServers({"localhost", "localhost"}),
                          [&](const std::string& hostname, const std::vector<base::IpAddress>& found) {
                            EXPECT_EQ(hostname, "localhost");
                            ++told;
                            addresses = found;
                          });
  EXPECT_EQ(told, 0) << "never within the constructor";
  ASSERT_TRUE(net::RunUntil(loop, [&] { return told > 0; }));
  ASSERT_FALSE(addresses.empty());
  for (const base::IpAddress& address : addresses) {
    EXPECT_TRUE(address == *base::IpAddress::Parse("127.0.0.1") || address == *base::IpAddress::Parse("::1"));
  }
  loop.timers().Advance(loop.now() + 31s);  // asked again, and nothing is new
  net::RunReady(loop);
  EXPECT_EQ(told, 1);
}

// The service moves, its name server is away for a while, then says that there is no such name.
TEST(UpstreamLookups, FollowANameThatMovesAndKeepTheLastGoodAnswer) {
  net::Loop loop;
  enum class Word { kFirst, kSecond, kServerFailure, kNoSuchName };
  std::atomic<Word> word = Word::kFirst;
  support::FakeDns dns([&](const support::DnsQuestion& question) -> std::vector<support::Bytes> {
    if (word == Word::kServerFailure) return support::DnsMessage(question.message, 2);
    if (word == Word::kNoSuchName) return support::DnsMessage(question.message, 3);
    support::DnsMessage message(question.message);
    if (question.type == 1) {
      message.Address("app.example", word == Word::kFirst ? "192.0.2.1" : "192.0.2.2", 7);
    }
    return message;
  });
  std::vector<std::string> told;
  UpstreamLookups::Options soon;
  soon.servers = {{*base::IpAddress::Parse("127.0.0.1"), dns.port()}};
  soon.at_the_earliest = soon.at_the_latest = soon.unknown = 20ms;
  UpstreamLookups lookups(
      loop, WithServers({"app.example"}),
      [&](const std::string&, const std::vector<base::IpAddress>& found) {
        std::string all;
        for (const base::IpAddress& ip : found) all += ip.ToText();
        told.push_back(all);
      },
      soon);
  const auto asked_again = [&] {
    const uint64_t before = dns.questions();
    return net::RunUntil(loop, [&] { return dns.questions() > before + 6; });
  };
  ASSERT_TRUE(net::RunUntil(loop, [&] { return told.size() == 1; }));
  word = Word::kSecond;
  ASSERT_TRUE(net::RunUntil(loop, [&] { return told.size() == 2; }));
  word = Word::kServerFailure;
  EXPECT_TRUE(asked_again());
  word = Word::kNoSuchName;
  EXPECT_TRUE(asked_again());
  word = Word::kFirst;
  ASSERT_TRUE(net::RunUntil(loop, [&] { return told.size() == 3; }));
  EXPECT_EQ(told, (std::vector<std::string>{"192.0.2.1", "192.0.2.2", "192.0.2.1"}));
}

TEST(UpstreamLookups, WithoutHostNamesNobodyIsAsked) {
  net::Loop loop;
  config::Config config;
  config.upstreams.emplace_back().servers.emplace_back().kind = config::Endpoint::Kind::kIp;
  const UpstreamLookups lookups(loop, config, [](const auto&, const auto&) { ADD_FAILURE(); });
  EXPECT_TRUE(loop.timers().IsEmpty());
}

TEST(UpstreamLookups, MayEndWhileItsQuestionsAreUnderWay) {
  net::Loop loop;
  {
    const UpstreamLookups lookups(loop, WithServers({"localhost"}),
                                  [](const auto&, const auto&) { ADD_FAILURE(); });
  }
  net::RunReady(loop);
}

}  // namespace
}  // namespace gatebook::proxy
