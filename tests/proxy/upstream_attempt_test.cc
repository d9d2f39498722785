#include "proxy/upstream_attempt.h"

#include "tests/proxy/upstream_pool_fixture.h"

namespace gatebook::proxy {
namespace {

using namespace std::chrono_literals;

class UpstreamAttemptTest : public UpstreamPoolTest {
 protected:
  config::Upstream& upstream() { return config_.upstreams[0]; }
  uint64_t waiting() const { return metrics_.Get(Metric::kUpstreamWaiting); }
  uint64_t ejected() const { return metrics_.Get(Metric::kUpstreamEjected); }
};

// ---- many addresses, one time

TEST_F(UpstreamAttemptTest, AnAddressWherePacketsVanishLeavesTimeForTheNext) {
  ScriptedServer living;
  living.Listen();
  ScriptedServer hole("127.0.0.2", living.endpoint.port);
  hole.BeBlackHole();
  names_.Set("upstream.test", {hole.endpoint.ip, living.endpoint.ip});
  config_.timeouts.connect = 400ms;
  MakePool({Named("upstream.test", living.endpoint.port)});
  const base::SteadyTime begun = loop_.now();
  EXPECT_TRUE(Connect().connection);
  EXPECT_GE(base::Clock::System().SteadyNow() - begun, 200ms);  // its fair share
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsTimedOut), 1U);
}

TEST_F(UpstreamAttemptTest, AServerWherePacketsVanishLeavesTimeForTheNext) {
  ScriptedServer hole;
  hole.BeBlackHole();
  ScriptedServer living;
  living.Listen();
  config_.timeouts.connect = 400ms;
  MakePool({hole.endpoint, living.endpoint});
  EXPECT_TRUE(Connect().connection);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsTimedOut), 1U);
}

TEST_F(UpstreamAttemptTest, ManySuchAddressesTogetherTakeNoMoreThanTheTotal) {
  std::vector<ScriptedServer> holes(6);
  std::vector<config::Endpoint> endpoints;
  for (ScriptedServer& hole : holes) {
    hole.BeBlackHole();
    endpoints.push_back(hole.endpoint);
  }
  config_.timeouts.connect = 400ms;
  MakePool(endpoints);
  const base::SteadyTime begun = loop_.now();
  EXPECT_EQ(Connect().refusal, http::Refusal::kUpstreamConnectTimeout);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsTimedOut), 6U);
  // Each of the tries may be met two ticks late.
  EXPECT_LT(base::Clock::System().SteadyNow() - begun, 400ms + 6 * 3 * net::TimerWheel::kTick + 200ms);
}

// ---- the end of an attempt, wherever it comes

TEST_F(UpstreamAttemptTest, ItMayBeDestroyedInsideItsOwnCallbacks) {
  ScriptedServer living;
  living.Listen();
  const ScriptedServer dead;
  ScriptedServer hole;
  hole.BeBlackHole();
  config_.timeouts.connect = 60ms;
  for (const config::Endpoint& endpoint :
       {living.endpoint, dead.endpoint, hole.endpoint, Named("none.test", 1)}) {
    MakePool({endpoint});
    bool over = false;
    std::unique_ptr<UpstreamAttempt> attempt;
    ServerChoice choice;
    const auto end = [&] {
      attempt.reset();
      over = true;
    };
    attempt = pool_->Connect(
        choice, [&](UpstreamLease) { end(); }, [&](http::Refusal) { end(); });
    EXPECT_TRUE(RunUntil(loop_, [&] { return over; }));
    RunReady(loop_);
  }
}

TEST_F(UpstreamAttemptTest, ItMayBeDestroyedWhileItWaits) {
  ScriptedServer server;
  server.Listen();
  upstream().max_connections = 1;
  MakePool({server.endpoint});
  const auto held = Connect().connection;
  Outcome outcome;
  auto attempt = Begin(outcome);
  EXPECT_EQ(waiting(), 1U);
  attempt.reset();
  EXPECT_EQ(waiting(), 0U);
  RunReady(loop_);
  EXPECT_EQ(outcome.calls, 0);
}

// ---- waiting for room

TEST_F(UpstreamAttemptTest, BeyondMaxConnectionsExchangesWaitInTheirOrder) {
  ScriptedServer server;
  server.Listen();
  upstream().max_connections = 1;
  UpstreamPool& pool = MakePool({server.endpoint});
  auto held = Connect().connection;
  UpstreamConnection* const only = held.get();
  Outcome first;
  Outcome second;
  const auto first_attempt = Begin(first);
  const auto second_attempt = Begin(second);
  RunReady(loop_);
  EXPECT_EQ(first.calls + second.calls, 0);
  EXPECT_EQ(waiting(), 2U);
  pool.GiveIdle(std::move(held));
  EXPECT_EQ(TakeIdle(), nullptr);  // a newcomer does not overtake
  EXPECT_TRUE(RunUntil(loop_, [&] { return first.calls == 1; }));
  EXPECT_EQ(first.connection.get(), only);
  EXPECT_EQ(second.calls, 0);
  loop_.Dispose(std::move(first.connection));  // it was not fit to be used again
  EXPECT_TRUE(RunUntil(loop_, [&] { return second.calls == 1; }));
  EXPECT_TRUE(second.connection);
  EXPECT_FALSE(second.connection->reused());
}

TEST_F(UpstreamAttemptTest, AFullQueueAndALongWaitAreRefusedAsBusy) {
  ScriptedServer server;
  server.Listen();
  upstream().max_connections = 1;
  upstream().queue = 1;
  upstream().queue_timeout = 100ms;
  MakePool({server.endpoint});
  const auto held = Connect().connection;
  Outcome waits;
  Outcome turned_away;
  const auto one = Begin(waits);
  const auto other = Begin(turned_away);
  EXPECT_TRUE(RunUntil(loop_, [&] { return turned_away.calls == 1; }));
  EXPECT_EQ(turned_away.refusal, http::Refusal::kUpstreamBusy);
  EXPECT_EQ(waits.calls, 0);
  EXPECT_TRUE(RunUntil(loop_, [&] { return waits.calls == 1; }));
  EXPECT_EQ(waits.refusal, http::Refusal::kUpstreamBusy);
}

TEST_F(UpstreamAttemptTest, AnotherServersRoomIsUsedFirst) {
  ScriptedServer first;
  ScriptedServer second;
  first.Listen();
  second.Listen();
  upstream().max_connections = 1;
  MakePool({first.endpoint, second.endpoint});
  const auto one = Connect().connection;
  const auto other = Connect().connection;
  EXPECT_NE(one->server(), other->server());
}

// ---- what came back and what is taken

TEST_F(UpstreamAttemptTest, WhatCameBackInThisTurnIsLookedAtBeforeItIsTaken) {
  ScriptedServer server;
  server.Listen();
  UpstreamPool& pool = MakePool({server.endpoint});
  auto connection = Connect().connection;
  const base::UniqueFd peer = server.Accept();
  // Surplus bytes that no event has told of yet.
  ASSERT_EQ(::send(peer.get(), "HTTP/1.1 200 OK\r\n", 17, MSG_NOSIGNAL), 17);
  pool.GiveIdle(std::move(connection));
  EXPECT_EQ(TakeIdle(), nullptr);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamStale), 1U);
}

TEST_F(UpstreamAttemptTest, WhatCameBackCleanInThisTurnIsTakenAgain) {
  ScriptedServer server;
  server.Listen();
  UpstreamPool& pool = MakePool({server.endpoint});
  auto connection = Connect().connection;
  const base::UniqueFd peer = server.Accept();
  UpstreamConnection* const given = connection.get();
  pool.GiveIdle(std::move(connection));
  EXPECT_EQ(TakeIdle().get(), given);
}

TEST_F(UpstreamAttemptTest, AfterAStaleOneTheSameServerIsAskedAnew) {
  ScriptedServer first;
  ScriptedServer second;
  first.Listen();
  second.Listen();
  UpstreamPool& pool = MakePool({first.endpoint, second.endpoint});
  for (int i = 0; i < 2; ++i) pool.GiveIdle(Connect().connection);
  RunReady(loop_);
  Outcome outcome;
  outcome.choice = pool.Begin(0);
  const auto stale = ConnectionOf(pool.TakeIdle(outcome.choice));
  ASSERT_TRUE(stale);
  const auto attempt = Begin(outcome);
  ASSERT_TRUE(RunUntil(loop_, [&] { return outcome.calls == 1; }));
  EXPECT_EQ(outcome.connection->server(), stale->server());
  EXPECT_FALSE(outcome.connection->reused());
}

TEST_F(UpstreamAttemptTest, ConnectionsToAddressesThatTheNameLeftAreClosed) {
  ScriptedServer server;
  server.Listen();
  const std::string name = "upstream.test";
  names_.Set(name, {server.endpoint.ip});
  UpstreamPool& pool = MakePool({Named(name, server.endpoint.port)});
  auto idle_one = Connect().connection;
  auto busy_one = Connect().connection;
  auto another = Connect().connection;
  pool.GiveIdle(std::move(idle_one));
  names_.Set("other.test", {});
  pool.OnNamesChanged();
  EXPECT_EQ(idle(), 1U);
  pool.GiveIdle(std::move(another));
  RunReady(loop_);
  EXPECT_EQ(idle(), 2U);
  names_.Set(name, {*base::IpAddress::Parse("127.0.0.77")});
  pool.OnNamesChanged();
  pool.GiveIdle(std::move(busy_one));
  RunReady(loop_);
  EXPECT_EQ(idle(), 0U);
}

// ---- health

TEST_F(UpstreamAttemptTest, AServerThatFailsTooOftenIsPassedOverForAWhile) {
  const ScriptedServer dead;
  ScriptedServer living;
  living.Listen();
  upstream().eject_after = 2;
  upstream().eject_time = 200ms;
  MakePool({dead.endpoint, living.endpoint});
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(Connect().connection);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsFailed), 2U);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamEjections), 1U);
  EXPECT_EQ(board_->Of(0)[0].ejected.load(), 1U);
  ASSERT_TRUE(RunUntil(loop_, [&] { return ejected() == 0; }));
  EXPECT_EQ(board_->Of(0)[0].ejected.load(), 0U);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Connect().connection);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsFailed), 3U);  // on probation: once is enough
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamEjections), 2U);
  pool_.reset();
  EXPECT_EQ(board_->Of(0)[0].ejected.load(), 0U);
}

TEST_F(UpstreamAttemptTest, BadAnswersCountAndGoodOnesMakeUpForThem) {
  ScriptedServer first;
  ScriptedServer second;
  first.Listen();
  second.Listen();
  upstream().eject_after = 2;
  UpstreamPool& pool = MakePool({first.endpoint, second.endpoint});
  const auto connection = Connect().connection;
  pool.Report(connection->server(), http::Refusal::kUpstreamTimeout);
  pool.Report(connection->server(), ServerOutcome::kAnswered);
  pool.Report(connection->server(), http::Refusal::kUpstreamBadHead);
  pool.Report(connection->server(), http::Refusal::kBodyTimeout);  // the client's fault
  EXPECT_EQ(ejected(), 0U);
  pool.Report(connection->server(), http::Refusal::kUpstreamClosed);
  EXPECT_EQ(ejected(), 1U);
  for (int i = 0; i < 4; ++i) EXPECT_NE(Connect().connection->server(), connection->server());
}

TEST_F(UpstreamAttemptTest, TheLastServerThatStandsIsNeverEjected) {
  const ScriptedServer dead;
  const ScriptedServer dead_too;
  upstream().eject_after = 1;
  MakePool({dead.endpoint, dead_too.endpoint});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Connect().refusal, http::Refusal::kUpstreamConnect);
  EXPECT_EQ(ejected(), 1U);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsFailed), 10U);  // each was tried each time
}

TEST_F(UpstreamAttemptTest, WhatTheChecksFindDownIsPassedOverUnlessAllAre) {
  ScriptedServer first;
  ScriptedServer second;
  first.Listen();
  second.Listen();
  MakePool({first.endpoint, second.endpoint});
  board_->Of(0)[0].down = true;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Connect().connection->server(), 1U);
  board_->Of(0)[1].down = true;
  EXPECT_NE(Connect().connection->server(), Connect().connection->server());
}

TEST_F(UpstreamAttemptTest, WhoHasJustPassedItsChecksGrowsToItsShare) {
  ScriptedServer back;
  ScriptedServer other;
  back.Listen();
  other.Listen();
  upstream().slow_start = 1h;
  MakePool({back.endpoint, other.endpoint});
  board_->Of(0)[0].up_since = loop_.now();
  int taken = 0;
  for (int i = 0; i < 22; ++i) taken += Connect().connection->server() == 0;
  EXPECT_EQ(taken, 2);  // a tenth of its weight
}

TEST_F(UpstreamAttemptTest, WhoIsEjectedNoMoreGrowsToItsShareToo) {
  ScriptedServer back;
  ScriptedServer other;
  back.Listen();
  other.Listen();
  upstream().slow_start = 1h;
  upstream().eject_after = 1;
  upstream().eject_time = 20ms;
  UpstreamPool& pool = MakePool({back.endpoint, other.endpoint});
  pool.Report(0, ServerOutcome::kTimedOut);
  ASSERT_EQ(ejected(), 1U);
  ASSERT_TRUE(RunUntil(loop_, [&] { return ejected() == 0; }));
  int taken = 0;
  for (int i = 0; i < 22; ++i) taken += Connect().connection->server() == 0;
  EXPECT_EQ(taken, 2);
}

TEST_F(UpstreamAttemptTest, RepetitionsAreWithinTheBudget) {
  const ScriptedServer server;
  upstream().retry_budget = 0;
  UpstreamPool& pool = MakePool({server.endpoint});
  pool.Begin(0);
  EXPECT_FALSE(pool.MayRetry());
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamRetriesRefused), 1U);
}

}  // namespace
}  // namespace gatebook::proxy
