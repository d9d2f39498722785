#include "proxy/upstream_pool.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "proxy/upstream_attempt.h"
#include "proxy/upstream_names.h"
#include "tests/net/loop_driver.h"
#include "tests/support/temp_directory.h"

namespace gatebook::proxy {
namespace {

using namespace std::chrono_literals;
using base::Metric;
using net::RunReady;
using net::RunUntil;

// A server on a loopback port; whether it listens is up to the test.
class Server {
 public:
  Server() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto address = net::SocketAddress::FromIp(*base::IpAddress::Parse("127.0.0.1"), 0);
    EXPECT_EQ(::bind(fd_.get(), address.get(), address.size()), 0);
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    endpoint.ip = *base::IpAddress::Parse("127.0.0.1");
    endpoint.port = ntohs(bound.sin_port);
  }
  void Listen(int backlog = 64) { ASSERT_EQ(::listen(fd_.get(), backlog), 0); }
  base::UniqueFd Accept() { return base::UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)); }

  config::Endpoint endpoint;

 private:
  base::UniqueFd fd_;
};

// Whether the server's end sees the client's close.
bool IsClosed(const base::UniqueFd& fd) {
  const timeval patience{20, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char byte;
  return ::recv(fd.get(), &byte, 1, 0) == 0;
}

class UpstreamPoolTest : public testing::Test {
 protected:
  UpstreamPoolTest() { config_.upstreams.resize(1); }
  ~UpstreamPoolTest() override {
    pool_.reset();
    RunReady(loop_);
    EXPECT_EQ(metrics_.Get(Metric::kUpstreamOpen), 0U);
    EXPECT_EQ(metrics_.Get(Metric::kUpstreamIdle), 0U);
    EXPECT_EQ(buffers_.taken(), 0U);
  }

  UpstreamPool& MakePool(const std::vector<config::Endpoint>& servers) {
    config_.upstreams[0].servers = servers;
    pool_.reset();
    board_ = std::make_unique<HealthBoard>(config_);
    pool_ = std::make_unique<UpstreamPool>(
        UpstreamPool::Parts{loop_, buffers_, metrics_, names_, config_, 0, *board_, tls_});
    return *pool_;
  }

  struct Outcome {
    ServerChoice choice;
    std::unique_ptr<UpstreamConnection> connection;
    std::optional<http::Refusal> refusal;
    int calls = 0;
  };
  std::unique_ptr<UpstreamPool::Attempt> Begin(Outcome& outcome) {
    auto attempt = pool_->Connect(
        outcome.choice,
        [&outcome](std::unique_ptr<UpstreamConnection> connection) {
          outcome.connection = std::move(connection);
          ++outcome.calls;
        },
        [&outcome](http::Refusal refusal) {
          outcome.refusal = refusal;
          ++outcome.calls;
        });
    EXPECT_EQ(outcome.calls, 0);  // always later
    return attempt;
  }
  Outcome Connect() {
    Outcome outcome;
    const auto attempt = Begin(outcome);
    EXPECT_TRUE(RunUntil(loop_, [&] { return outcome.calls > 0; }));
    RunReady(loop_);
    EXPECT_EQ(outcome.calls, 1);
    return outcome;
  }
  // As an exchange that comes for the first time.
  std::unique_ptr<UpstreamConnection> TakeIdle() {
    ServerChoice choice = pool_->Begin(0);
    return pool_->TakeIdle(choice);
  }
  uint64_t idle() const { return metrics_.Get(Metric::kUpstreamIdle); }

  net::Loop loop_;
  base::BufferPool buffers_;
  base::MetricsBlock metrics_;
  config::Config config_;
  UpstreamNames names_;
  std::unique_ptr<HealthBoard> board_;
  UpstreamTls tls_;
  std::unique_ptr<UpstreamPool> pool_;
};

TEST_F(UpstreamPoolTest, AConnectionIsHandedOverReadyToBeWritten) {
  Server server;
  server.Listen();
  MakePool({server.endpoint});
  const Outcome outcome = Connect();
  ASSERT_TRUE(outcome.connection);
  EXPECT_FALSE(outcome.connection->reused());
  EXPECT_EQ(outcome.connection->stream().Write("GET").bytes, 3U);
  const base::UniqueFd peer = server.Accept();
  char bytes[3];
  EXPECT_EQ(::recv(peer.get(), bytes, sizeof bytes, MSG_WAITALL), 3);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnects), 1U);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamOpen), 1U);
}

TEST_F(UpstreamPoolTest, TheOneUsedLastIsTakenFirst) {
  Server server;
  server.Listen();
  UpstreamPool& pool = MakePool({server.endpoint});
  EXPECT_EQ(TakeIdle(), nullptr);
  std::vector<UpstreamConnection*> given;
  std::vector<std::unique_ptr<UpstreamConnection>> connections;
  for (int i = 0; i < 3; ++i) connections.push_back(Connect().connection);
  for (auto& connection : connections) {
    given.push_back(connection.get());
    pool.GiveIdle(std::move(connection));
  }
  RunReady(loop_);  // that they are writable is no reason to drop them
  EXPECT_EQ(idle(), 3U);
  for (int i = 2; i >= 0; --i) {
    const auto taken = TakeIdle();
    EXPECT_EQ(taken.get(), given[static_cast<size_t>(i)]);
    EXPECT_TRUE(taken->reused());
  }
  EXPECT_EQ(TakeIdle(), nullptr);
  RunReady(loop_);
  EXPECT_EQ(idle(), 0U);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamReused), 3U);
}

TEST_F(UpstreamPoolTest, AnIdleOneThatIsSentAnythingIsDropped) {
  Server server;
  server.Listen();
  UpstreamPool& pool = MakePool({server.endpoint});
  pool.GiveIdle(Connect().connection);
  const base::UniqueFd peer = server.Accept();
  RunReady(loop_);
  ASSERT_EQ(idle(), 1U);
  ASSERT_EQ(::send(peer.get(), "H", 1, MSG_NOSIGNAL), 1);  // the beginning of an answer to nothing
  EXPECT_TRUE(RunUntil(loop_, [&] { return idle() == 0; }));
  EXPECT_EQ(TakeIdle(), nullptr);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamOpen), 0U);
}

TEST_F(UpstreamPoolTest, AnIdleOneThatTheServerEndsIsDropped) {
  Server server;
  server.Listen();
  UpstreamPool& pool = MakePool({server.endpoint});
  pool.GiveIdle(Connect().connection);
  server.Accept().Reset();
  EXPECT_TRUE(RunUntil(loop_, [&] { return idle() == 0; }));
  EXPECT_EQ(TakeIdle(), nullptr);
}

TEST_F(UpstreamPoolTest, ADroppedOneDoesNotTakeTheOthersWithIt) {
  Server server;
  server.Listen();
  UpstreamPool& pool = MakePool({server.endpoint});
  std::vector<base::UniqueFd> peers;
  std::vector<UpstreamConnection*> given;
  for (int i = 0; i < 3; ++i) {
    Outcome outcome = Connect();
    peers.push_back(server.Accept());
    given.push_back(outcome.connection.get());
    pool.GiveIdle(std::move(outcome.connection));
  }
  ASSERT_EQ(idle(), 3U);
  peers[1].Reset();
  ASSERT_TRUE(RunUntil(loop_, [&] { return idle() == 2; }));
  EXPECT_EQ(TakeIdle().get(), given[2]);
  EXPECT_EQ(TakeIdle().get(), given[0]);
}

TEST_F(UpstreamPoolTest, NoMoreThanMaxIdleAreKept) {
  Server server;
  server.Listen();
  config_.upstreams[0].max_idle = 1;
  UpstreamPool& pool = MakePool({server.endpoint});
  auto first = Connect().connection;
  auto second = Connect().connection;
  const base::UniqueFd first_peer = server.Accept();
  const base::UniqueFd second_peer = server.Accept();
  pool.GiveIdle(std::move(first));
  pool.GiveIdle(std::move(second));
  RunReady(loop_);
  EXPECT_EQ(idle(), 1U);
  EXPECT_TRUE(IsClosed(second_peer));
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamOpen), 1U);
}

TEST_F(UpstreamPoolTest, NoneAreKeptWhereNoneMayBe) {
  Server server;
  server.Listen();
  config_.upstreams[0].max_idle = 0;
  UpstreamPool& pool = MakePool({server.endpoint});
  pool.GiveIdle(Connect().connection);
  RunReady(loop_);
  EXPECT_EQ(TakeIdle(), nullptr);
}

TEST_F(UpstreamPoolTest, OneThatIsIdleForTheWholeKeepAliveIsClosed) {
  Server server;
  server.Listen();
  config_.timeouts.upstream_keep_alive = 100ms;
  UpstreamPool& pool = MakePool({server.endpoint});
  for (int round = 0; round < 2; ++round) {  // the sweep begins again when there is something to sweep
    auto connection = Connect().connection;
    const base::UniqueFd peer = server.Accept();
    const base::SteadyTime given = loop_.now();
    pool.GiveIdle(std::move(connection));
    ASSERT_TRUE(RunUntil(loop_, [&] { return idle() == 0; }));
    EXPECT_GE(base::Clock::System().SteadyNow(), given + 100ms);
    EXPECT_TRUE(IsClosed(peer));
  }
}

TEST_F(UpstreamPoolTest, AllIdleOnesCanBeClosedAtOnce) {
  Server server;
  server.Listen();
  UpstreamPool& pool = MakePool({server.endpoint});
  auto first = Connect().connection;
  auto second = Connect().connection;
  pool.GiveIdle(std::move(first));
  pool.GiveIdle(std::move(second));
  pool.CloseIdle();
  RunReady(loop_);
  EXPECT_EQ(idle(), 0U);
  EXPECT_EQ(TakeIdle(), nullptr);
}

// A worker's end: the loop still holds what the pool has let go of.
TEST_F(UpstreamPoolTest, ThePoolMayEndBeforeWhatItDisposedOf) {
  Server server;
  server.Listen();
  UpstreamPool& pool = MakePool({server.endpoint});
  pool.GiveIdle(Connect().connection);
  pool.GiveIdle(Connect().connection);
  EXPECT_TRUE(TakeIdle());
  pool.CloseIdle();
  pool_.reset();
  RunReady(loop_);
  EXPECT_EQ(idle(), 0U);
}

TEST_F(UpstreamPoolTest, AServerThatRefusesIsNoConnection) {
  const Server server;  // bound, and does not listen
  MakePool({server.endpoint});
  EXPECT_EQ(Connect().refusal, http::Refusal::kUpstreamConnect);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsFailed), 1U);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnects), 0U);
}

TEST_F(UpstreamPoolTest, AUnixPathWhereNobodyIsIsToldLaterToo) {
  const support::TempDirectory directory;
  config::Endpoint nobody;
  nobody.kind = config::Endpoint::Kind::kUnix;
  nobody.path = directory.Path("none.sock");
  MakePool({nobody});
  EXPECT_EQ(Connect().refusal, http::Refusal::kUpstreamConnect);
}

config::Endpoint Named(const std::string& hostname, uint16_t port) {
  config::Endpoint endpoint;
  endpoint.kind = config::Endpoint::Kind::kHostname;
  endpoint.hostname = hostname;
  endpoint.port = port;
  return endpoint;
}

TEST_F(UpstreamPoolTest, ANameIsUnresolvedUntilItHasAnAddress) {
  Server server;
  server.Listen();
  MakePool({Named("upstream.test", server.endpoint.port)});
  EXPECT_EQ(Connect().refusal, http::Refusal::kUpstreamUnresolved);
  names_.Set("upstream.test", {server.endpoint.ip});
  EXPECT_TRUE(Connect().connection);
}

// As with a "localhost" that is ::1 first and a server that is on 127.0.0.1 only.
TEST_F(UpstreamPoolTest, EveryAddressOfANameIsTried) {
  Server server;
  server.Listen();
  names_.Set("upstream.test", {*base::IpAddress::Parse("127.0.0.98"), *base::IpAddress::Parse("127.0.0.99"),
                               server.endpoint.ip});
  MakePool({Named("upstream.test", server.endpoint.port)});
  EXPECT_TRUE(Connect().connection);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsFailed), 2U);
}

TEST_F(UpstreamPoolTest, AServerThatDoesNotAnswerIsGivenUpInTime) {
  Server server;
  server.Listen(0);
  // Its queue is full: what comes now is neither accepted nor refused.
  const auto address = net::SocketAddress::FromIp(server.endpoint.ip, server.endpoint.port);
  std::vector<base::UniqueFd> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    (void)::connect(waiting.back().get(), address.get(), address.size());
  }
  config_.timeouts.connect = 150ms;
  MakePool({server.endpoint});
  const base::SteadyTime begun = loop_.now();
  EXPECT_EQ(Connect().refusal, http::Refusal::kUpstreamConnectTimeout);
  EXPECT_GE(base::Clock::System().SteadyNow(), begun + 150ms);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsTimedOut), 1U);
}

TEST_F(UpstreamPoolTest, TheNextServerIsTriedWhenOneRefuses) {
  const Server dead;
  const Server also_dead;
  Server living;
  living.Listen();
  MakePool({dead.endpoint, also_dead.endpoint, living.endpoint});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Connect().connection);  // wherever it begins
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnects), 3U);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsFailed), 3U);  // two, one and none
}

TEST_F(UpstreamPoolTest, AServerWithoutAnAddressIsPassedOver) {
  Server server;
  server.Listen();
  MakePool({Named("upstream.test", 1), server.endpoint});
  EXPECT_TRUE(Connect().connection);
}

TEST_F(UpstreamPoolTest, ServersAreTakenInTurn) {
  Server first;
  Server second;
  first.Listen();
  second.Listen();
  MakePool({first.endpoint, second.endpoint});
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Connect().connection);
  for (Server* server : {&first, &second}) {
    EXPECT_TRUE(server->Accept().IsValid());
    EXPECT_TRUE(server->Accept().IsValid());
  }
}

TEST_F(UpstreamPoolTest, AnAttemptThatIsDestroyedGivesUp) {
  Server server;
  server.Listen();
  MakePool({server.endpoint});
  Outcome outcome;
  Begin(outcome).reset();
  EXPECT_TRUE(IsClosed(server.Accept()));
  RunReady(loop_);
  EXPECT_EQ(outcome.calls, 0);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamOpen), 0U);
}

TEST_F(UpstreamPoolTest, AnAttemptMayBeDisposedOfInItsOwnCallback) {
  Server server;
  server.Listen();
  const Server dead;
  for (const config::Endpoint& endpoint : {server.endpoint, dead.endpoint}) {
    MakePool({endpoint});
    bool over = false;
    std::unique_ptr<UpstreamPool::Attempt> attempt;
    const auto end = [&] {
      loop_.Dispose(std::move(attempt));
      over = true;
    };
    ServerChoice choice;
    attempt =
        pool_->Connect(choice, [&](std::unique_ptr<UpstreamConnection>) { end(); }, [&](http::Refusal) { end(); });
    EXPECT_TRUE(RunUntil(loop_, [&] { return over; }));
    RunReady(loop_);
  }
}

}  // namespace
}  // namespace gatebook::proxy
