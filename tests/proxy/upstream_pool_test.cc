#include "proxy/upstream_pool.h"

#include "tests/proxy/upstream_pool_fixture.h"
#include "tests/support/temp_directory.h"

namespace gatebook::proxy {
namespace {

using namespace std::chrono_literals;

TEST_F(UpstreamPoolTest, AConnectionIsHandedOverReadyToBeWritten) {
  ScriptedServer server;
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
  ScriptedServer server;
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
  ScriptedServer server;
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
  ScriptedServer server;
  server.Listen();
  UpstreamPool& pool = MakePool({server.endpoint});
  pool.GiveIdle(Connect().connection);
  server.Accept().Reset();
  EXPECT_TRUE(RunUntil(loop_, [&] { return idle() == 0; }));
  EXPECT_EQ(TakeIdle(), nullptr);
}

TEST_F(UpstreamPoolTest, ADroppedOneDoesNotTakeTheOthersWithIt) {
  ScriptedServer server;
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
  ScriptedServer server;
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
  ScriptedServer server;
  server.Listen();
  config_.upstreams[0].max_idle = 0;
  UpstreamPool& pool = MakePool({server.endpoint});
  pool.GiveIdle(Connect().connection);
  RunReady(loop_);
  EXPECT_EQ(TakeIdle(), nullptr);
}

TEST_F(UpstreamPoolTest, OneThatIsIdleForTheWholeKeepAliveIsClosed) {
  ScriptedServer server;
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
  ScriptedServer server;
  server.Listen();
  UpstreamPool& pool = MakePool({server.endpoint});
  auto first = Connect().connection;
  auto second = Connect().connection;
  pool.GiveIdle(std::move(first));
  pool.GiveIdle(std::move(second));
  pool.Retire();
  RunReady(loop_);
  EXPECT_EQ(idle(), 0U);
  EXPECT_EQ(TakeIdle(), nullptr);
}

// A worker's end: the loop still holds what the pool has let go of.
TEST_F(UpstreamPoolTest, ThePoolMayEndBeforeWhatItDisposedOf) {
  ScriptedServer server;
  server.Listen();
  UpstreamPool& pool = MakePool({server.endpoint});
  pool.GiveIdle(Connect().connection);
  pool.GiveIdle(Connect().connection);
  EXPECT_TRUE(TakeIdle());
  pool.Retire();
  pool_.reset();
  RunReady(loop_);
  EXPECT_EQ(idle(), 0U);
}

TEST_F(UpstreamPoolTest, AServerThatRefusesIsNoConnection) {
  const ScriptedServer server;  // bound, and does not listen
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

TEST_F(UpstreamPoolTest, ANameIsUnresolvedUntilItHasAnAddress) {
  ScriptedServer server;
  server.Listen();
  MakePool({Named("upstream.test", server.endpoint.port)});
  EXPECT_EQ(Connect().refusal, http::Refusal::kUpstreamUnresolved);
  names_.Set("upstream.test", {server.endpoint.ip});
  EXPECT_TRUE(Connect().connection);
}

// As with a "localhost" that is ::1 first and a server that is on 127.0.0.1 only.
TEST_F(UpstreamPoolTest, EveryAddressOfANameIsTried) {
  ScriptedServer server;
  server.Listen();
  names_.Set("upstream.test", {*base::IpAddress::Parse("127.0.0.98"), *base::IpAddress::Parse("127.0.0.99"),
                               server.endpoint.ip});
  MakePool({Named("upstream.test", server.endpoint.port)});
  EXPECT_TRUE(Connect().connection);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsFailed), 2U);
}

TEST_F(UpstreamPoolTest, AServerThatDoesNotAnswerIsGivenUpInTime) {
  ScriptedServer server;
  server.BeBlackHole();
  config_.timeouts.connect = 150ms;
  MakePool({server.endpoint});
  const base::SteadyTime begun = loop_.now();
  EXPECT_EQ(Connect().refusal, http::Refusal::kUpstreamConnectTimeout);
  EXPECT_GE(base::Clock::System().SteadyNow(), begun + 150ms);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsTimedOut), 1U);
}

TEST_F(UpstreamPoolTest, TheNextServerIsTriedWhenOneRefuses) {
  const ScriptedServer dead;
  const ScriptedServer also_dead;
  ScriptedServer living;
  living.Listen();
  MakePool({dead.endpoint, also_dead.endpoint, living.endpoint});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Connect().connection);  // wherever it begins
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnects), 3U);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsFailed), 3U);  // two, one and none
}

TEST_F(UpstreamPoolTest, AServerWithoutAnAddressIsPassedOver) {
  ScriptedServer server;
  server.Listen();
  MakePool({Named("upstream.test", 1), server.endpoint});
  EXPECT_TRUE(Connect().connection);
}

TEST_F(UpstreamPoolTest, ServersAreTakenInTurn) {
  ScriptedServer first;
  ScriptedServer second;
  first.Listen();
  second.Listen();
  MakePool({first.endpoint, second.endpoint});
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Connect().connection);
  for (ScriptedServer* server : {&first, &second}) {
    EXPECT_TRUE(server->Accept().IsValid());
    EXPECT_TRUE(server->Accept().IsValid());
  }
}

TEST_F(UpstreamPoolTest, AnAttemptThatIsDestroyedGivesUp) {
  ScriptedServer server;
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
  ScriptedServer server;
  server.Listen();
  const ScriptedServer dead;
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
        pool_->Connect(choice, [&](UpstreamLease) { end(); }, [&](http::Refusal) { end(); });
    EXPECT_TRUE(RunUntil(loop_, [&] { return over; }));
    RunReady(loop_);
  }
}

}  // namespace
}  // namespace gatebook::proxy
