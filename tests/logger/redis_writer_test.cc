#include "logger/visit_index.h"
#include "tests/logger/redis_writer_fixture.h"

namespace gatebook::logger {
namespace {

TEST(RedisWriter, AVisitAndItsDeadlineAreStoredTogether) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config());
  ASSERT_TRUE(test.BecomesUp());
  const uint64_t now = PastTime();
  const VisitId id{1, now, 0};
  Visit visit = SomeVisit(now - 40);
  visit.session_new = true;
  ASSERT_TRUE(test.writer().Add(0, id, visit, kName));
  ASSERT_TRUE(test.writer().Add(0, {1, now, 1}, SomeVisit(now - 900), kName));
  const BatchTally tally = test.Store();
  EXPECT_EQ(tally.visits_stored, 2u);
  EXPECT_EQ(tally.visits_replayed, 0u);
  const std::string key = VisitsKey("edge1", 1, MinuteOf(id));
  EXPECT_EQ(redis.Ask({"XLEN", key}), "2");
  const std::string due = std::to_string(now - 900 + std::chrono::milliseconds(kRetention).count());
  EXPECT_EQ(redis.Ask({"PEXPIRETIME", key}), due) << "the earliest arrival decides";
  const std::string index = IndexKey("edge1", 1, HourOfMinute(MinuteOf(id)));
  EXPECT_EQ(redis.Ask({"STRLEN", index}), std::to_string(kIndexElementSize)) << "one client, one minute";
  EXPECT_EQ(MinutesWithSession(redis.Ask({"GET", index}), IndexDigest(visit.session)),
            MinutesOfHour{1} << MinuteOf(id) % 60);
  // The second visit leans on the first, and is found where that is.
  EXPECT_EQ(redis.Ask({"PEXPIRETIME", index}),
            std::to_string(now - 40 + std::chrono::milliseconds(kRetention).count()));
  EXPECT_GT(std::stoll(redis.Ask({"PTTL", "gb:edges"})), 0);
  EXPECT_EQ(redis.Ask({"DBSIZE"}), "3");
}

TEST(RedisWriter, FactsOfAClientAreWrittenOnceAndPointedToAfterwards) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config());
  ASSERT_TRUE(test.BecomesUp());
  const uint64_t now = PastTime();
  for (uint32_t n = 0; n < 3; ++n) ASSERT_TRUE(test.writer().Add(0, {0, now, n}, SomeVisit(now), kName));
  test.Store();
  const std::string entries = redis.Ask({"XRANGE", VisitsKey("edge1", 0, MinuteOf(now)), "-", "+"});
  const std::string reference = "c\n=5000\n";
  EXPECT_NE(entries.find("host.example"), std::string::npos);
  EXPECT_EQ(entries.find("host.example"), entries.rfind("host.example"));
  EXPECT_NE(entries.find(reference), std::string::npos) << entries;
}

TEST(RedisWriter, AReplayIsRefusedByRedisAndCountsAsStored) {
  support::RedisServer redis;
  const uint64_t now = PastTime();
  for (const uint64_t replayed : {0, 2}) {
    WriterUnderTest test(redis.Config());
    ASSERT_TRUE(test.BecomesUp());
    test.writer().Add(0, {0, now, 0}, SomeVisit(now), kName);
    test.writer().Add(0, {0, now, 1}, SomeVisit(now), kName);
    if (replayed != 0) test.writer().Add(0, {0, now, 2}, SomeVisit(now), kName);
    const BatchTally tally = test.Store();
    EXPECT_EQ(tally.visits_replayed, replayed);
    EXPECT_EQ(tally.visits_stored, replayed == 0 ? 2u : 3u);
    EXPECT_EQ(tally.visits_refused, 0u);
  }
  EXPECT_EQ(redis.Ask({"XLEN", VisitsKey("edge1", 0, MinuteOf(now))}), "3");
}

TEST(RedisWriter, AVisitWhoseTimeIsOverIsNotSent) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config());
  ASSERT_TRUE(test.BecomesUp());
  const uint64_t old = Now() - static_cast<uint64_t>(std::chrono::milliseconds(kRetention).count()) - 1;
  ASSERT_TRUE(test.writer().Add(0, {0, old, 0}, SomeVisit(old), kName));
  const BatchTally tally = test.Store();
  EXPECT_EQ(tally.visits_expired, 1u);
  EXPECT_EQ(tally.visits_stored, 0u);
  EXPECT_EQ(redis.Ask({"EXISTS", VisitsKey("edge1", 0, MinuteOf(old))}), "0");
}

TEST(RedisWriter, AReplayNeverMovesADeadlineAway) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config());
  ASSERT_TRUE(test.BecomesUp());
  const uint64_t now = PastTime();
  const std::string key = VisitsKey("edge1", 0, MinuteOf(now));
  test.writer().Add(0, {0, now, 0}, SomeVisit(now - 20'000), kName);
  test.Store();
  const std::string due = redis.Ask({"PEXPIRETIME", key});
  test.writer().Add(0, {0, now, 1}, SomeVisit(now), kName);
  test.Store();
  EXPECT_EQ(redis.Ask({"PEXPIRETIME", key}), due);
  test.config().visit.retention = std::chrono::hours(1);  // the operator keeps for shorter now
  test.writer().Add(0, {0, now, 2}, SomeVisit(now), kName);
  test.Store();
  EXPECT_LT(redis.Ask({"PEXPIRETIME", key}), due);
}

TEST(RedisWriter, AClosingJoinsTheStreamOfItsVisitAndNeverBringsItBack) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config());
  ASSERT_TRUE(test.BecomesUp());
  const uint64_t then = Now() / 60'000 * 60'000 - 180'000, now = Now();
  Visit visit = SomeVisit(then);
  visit.open = true;
  test.writer().Add(0, {0, then, 0}, visit, kName);
  test.writer().Add(0, {0, now, 0}, Closing{.of = {0, then, 0}, .status = 101, .duration_us = 5});
  test.writer().Add(0, {0, now, 1}, Closing{.of = {0, then - 60'000, 0}, .status = 101});
  BatchTally tally = test.Store();
  EXPECT_EQ(tally.visits_stored, 1u);
  EXPECT_EQ(tally.closings_stored, 1u);
  EXPECT_EQ(tally.closings_dropped, 1u) << "its visit is gone";
  EXPECT_EQ(redis.Ask({"XLEN", VisitsKey("edge1", 0, MinuteOf(then))}), "2");
  EXPECT_EQ(redis.Ask({"EXISTS", VisitsKey("edge1", 0, MinuteOf(then - 60'000))}), "0");
  redis.Ask({"DEL", VisitsKey("edge1", 0, MinuteOf(then))});
  test.writer().Add(0, {0, now, 2}, Closing{.of = {0, then, 0}, .status = 101});
  tally = test.Store();
  EXPECT_EQ(tally.closings_dropped, 1u);
  EXPECT_EQ(redis.Ask({"EXISTS", VisitsKey("edge1", 0, MinuteOf(then))}), "0");
}

TEST(RedisWriter, AMinuteEndsABatch) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config());
  ASSERT_TRUE(test.BecomesUp());
  const uint64_t border = Now() / 60'000 * 60'000;
  EXPECT_TRUE(test.writer().Add(0, {0, border - 1, 0}, SomeVisit(border - 1), kName));
  EXPECT_FALSE(test.writer().Add(0, {0, border, 0}, SomeVisit(border), kName));
  EXPECT_EQ(test.Store().visits_stored, 1u);
  EXPECT_TRUE(test.writer().Add(0, {0, border, 0}, SomeVisit(border), kName));
  EXPECT_EQ(test.Store().visits_stored, 1u);
}

TEST(RedisWriter, ASecondInstanceOfTheSameEdgeIsToldSoAndWritesNothing) {
  support::RedisServer redis;
  WriterUnderTest first(redis.Config(), "aa11");
  ASSERT_TRUE(first.BecomesUp());
  WriterUnderTest second(redis.Config(), "bb22");
  ASSERT_TRUE(second.BecomesState("edge_name_taken"));
  EXPECT_FALSE(second.writer().CanBegin(0));
  WriterUnderTest again(redis.Config(), "aa11");
  EXPECT_TRUE(again.BecomesUp()) << "a restarted process is the same instance";
  redis.Ask({"HSET", "gb:edges", "edge1", "dead 4 1000"});
  WriterUnderTest heir(redis.Config(), "cc33");
  EXPECT_TRUE(heir.BecomesUp()) << "a claim that nobody renewed for a month is void";
  EXPECT_EQ(redis.Ask({"HGET", "gb:edges", "edge1"}).substr(0, 7), "cc33 2 ");
}

TEST(RedisWriter, SaysWhyRedisRefusesAndGoesOnWhenItNoLongerDoes) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config());
  ASSERT_TRUE(test.BecomesUp());
  const uint64_t now = PastTime();
  uint32_t n = 0;
  const auto refused = [&](std::string_view code) {
    BatchTally tally;
    ASSERT_TRUE(test.writer().Add(0, {0, now, n}, SomeVisit(now), kName));
    ASSERT_EQ(test.writer().Commit(0, &tally), RedisWriter::Committed::kUnderWay);
    EXPECT_TRUE(test.BecomesState(code)) << test.writer().state();
    EXPECT_FALSE(test.writer().CanBegin(0));
  };
  const auto heals = [&] {
    ASSERT_TRUE(test.BecomesUp()) << test.writer().state();
    ASSERT_TRUE(test.writer().Add(0, {0, now, n}, SomeVisit(now), kName));
    const BatchTally tally = test.Store();
    EXPECT_EQ(tally.visits_stored, 1u);
    EXPECT_EQ(tally.visits_replayed, 0u) << "nothing of a refused batch was written";
    ++n;
  };
  redis.Ask({"CONFIG", "SET", "maxmemory", "1"});
  refused("OOM");
  redis.Ask({"CONFIG", "SET", "maxmemory", "0"});
  heals();
  redis.Ask({"CONFIG", "SET", "min-replicas-to-write", "1"});
  refused("NOREPLICAS");
  redis.Ask({"CONFIG", "SET", "min-replicas-to-write", "0"});
  heals();
  redis.Ask({"REPLICAOF", "127.0.0.1", "1"});
  refused("READONLY");
  redis.Ask({"REPLICAOF", "NO", "ONE"});
  heals();
  redis.Ask({"ACL", "SETUSER", "default", "-xadd"});
  refused("NOPERM");
  redis.Ask({"ACL", "SETUSER", "default", "+xadd"});
  heals();
  redis.Ask({"CONFIG", "SET", "requirepass", "secret"});
  redis.Kill();
  EXPECT_TRUE(test.TurnUntil([&] { return !test.writer().IsUp(); }));
  redis.Start();
  n = 0;
  heals();
  EXPECT_EQ(redis.Ask({"XLEN", VisitsKey("edge1", 0, MinuteOf(now))}), "1");
  EXPECT_GT(test.metrics().Get(Metric::kRedisErrors), 3u);
}

TEST(RedisWriter, ARecordThatRedisCanNotTakeIsCountedAndDoesNotStopTheOthers) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config());
  ASSERT_TRUE(test.BecomesUp());
  const uint64_t now = PastTime();
  const std::string key = VisitsKey("edge1", 0, MinuteOf(now));
  redis.Ask({"SET", key, "somebody else's"});
  test.writer().Add(0, {0, now, 0}, SomeVisit(now), kName);
  const BatchTally tally = test.Store();
  EXPECT_EQ(tally.visits_refused, 1u);
  EXPECT_EQ(tally.visits_stored, 0u);
  EXPECT_TRUE(test.writer().IsUp());
}

TEST(RedisWriter, LogsInWithThePasswordOfItsFile) {
  support::TempDirectory directory;
  support::RedisServer redis(
      {"--user", "gatebook", "on", ">secret", "~gb:*", "+@all", "--user", "default", "off"});
  config::Redis wrong = redis.Config();
  wrong.user = "gatebook";
  wrong.password_file = directory.Write("password", "wrong\n");
  WriterUnderTest test(wrong);
  ASSERT_TRUE(test.BecomesState("WRONGPASS")) << test.writer().state();
  directory.Write("password", "secret\n");
  EXPECT_TRUE(test.BecomesUp()) << "the file is read again at each attempt";
  const uint64_t now = Now();
  Visit visit = SomeVisit(now);
  visit.session_new = true;
  test.writer().Add(0, {0, now, 0}, visit, kName);
  EXPECT_EQ(test.Store().visits_stored, 1u);
  EXPECT_GE(test.metrics().Get(Metric::kRedisTroubleAuth), 1u);
  wrong.password_file = directory.Path("missing");
  WriterUnderTest without(wrong);
  EXPECT_TRUE(without.BecomesState("cannot read"));
}

TEST(RedisWriter, TriesTheAddressesOfAHostNameInTurn) {
  const uint16_t port = support::FreePort();
  const std::string number = std::to_string(port);
  support::RedisServer redis({"--port", number, "--bind", "127.0.0.1"});  // and not ::1
  config::Redis config;
  config.server.kind = config::Endpoint::Kind::kHostname;
  config.server.hostname = "localhost";
  config.server.port = port;
  WriterUnderTest test(config);
  EXPECT_TRUE(test.BecomesUp()) << test.writer().state();
  EXPECT_TRUE(RedisClient::Connect(config).ok());
  config.server.hostname = "nowhere.invalid";
  EXPECT_FALSE(RedisClient::Connect(config).ok());
  WriterUnderTest lost(config);
  EXPECT_TRUE(lost.BecomesState("host name")) << lost.writer().state();
}

TEST(RedisWriter, GivesUpARedisThatAnswersNoMore) {
  support::RedisServer redis;
  config::Redis config = redis.Config();
  WriterUnderTest test(config);
  ASSERT_TRUE(test.BecomesUp());
  test.config().redis.reply_timeout = 50ms;
  redis.Freeze();
  const uint64_t now = PastTime();
  BatchTally tally;
  test.writer().Add(0, {0, now, 0}, SomeVisit(now), kName);
  test.writer().Commit(0, &tally);
  EXPECT_TRUE(test.BecomesState("no answer within reply_timeout"));
  EXPECT_EQ(test.lost(), 1);
  redis.Thaw();
  ASSERT_TRUE(test.BecomesUp());
  test.writer().Add(0, {0, now, 0}, SomeVisit(now), kName);
  EXPECT_EQ(test.Store().visits_stored, 1u);
  EXPECT_EQ(redis.Ask({"XLEN", VisitsKey("edge1", 0, MinuteOf(now))}), "1");
}

TEST(RedisWriter, TwoLanesAreUnderWayAtOnce) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config(), "aa11", 2);
  ASSERT_TRUE(test.BecomesUp());
  const uint64_t now = PastTime();
  BatchTally tally;
  for (uint32_t lane = 0; lane < 2; ++lane) {
    test.writer().Add(lane, {lane, now, 0}, SomeVisit(now), kName);
    EXPECT_EQ(test.writer().Commit(lane, &tally), RedisWriter::Committed::kUnderWay);
    EXPECT_TRUE(test.writer().IsUnderWay(lane));
  }
  EXPECT_TRUE(test.TurnUntil([&] { return !test.writer().IsUnderWay(0) && !test.writer().IsUnderWay(1); }));
  EXPECT_EQ(redis.Ask({"XLEN", VisitsKey("edge1", 0, MinuteOf(now))}), "1");
  EXPECT_EQ(redis.Ask({"XLEN", VisitsKey("edge1", 1, MinuteOf(now))}), "1");
}

TEST(RedisWriter, TheNextBatchIsMadeMeanwhileAndSentAfterTheOneUnderWay) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config());
  ASSERT_TRUE(test.BecomesUp());
  const uint64_t now = PastTime();
  const uint64_t old = Now() - static_cast<uint64_t>(std::chrono::milliseconds(kRetention).count()) - 1;
  BatchTally tally;
  ASSERT_TRUE(test.writer().Add(0, {0, now, 0}, SomeVisit(now), kName));
  ASSERT_EQ(test.writer().Commit(0, &tally), RedisWriter::Committed::kUnderWay);
  ASSERT_TRUE(test.writer().CanBegin(0));
  // One in which nothing is to be sent keeps its turn as well.
  ASSERT_TRUE(test.writer().Add(0, {0, old, 0}, SomeVisit(old), kName));
  ASSERT_EQ(test.writer().Commit(0, &tally), RedisWriter::Committed::kUnderWay);
  EXPECT_FALSE(test.writer().CanBegin(0)) << "one is ready, not more";
  ASSERT_TRUE(test.TurnUntil([&] { return test.stored().size() == 2; }));
  EXPECT_EQ(test.stored()[0].visits_stored, 1u);
  EXPECT_EQ(test.stored()[1].visits_expired, 1u);
  for (uint32_t n = 1; n <= 2; ++n) {
    ASSERT_TRUE(test.writer().Add(0, {0, now, n}, SomeVisit(now), kName));
    ASSERT_EQ(test.writer().Commit(0, &tally), RedisWriter::Committed::kUnderWay);
  }
  ASSERT_TRUE(test.TurnUntil([&] { return test.stored().size() == 4; }));
  EXPECT_EQ(redis.Ask({"XLEN", VisitsKey("edge1", 0, MinuteOf(now))}), "3");
  EXPECT_EQ(test.metrics().Get(Metric::kVisitsReplayed), 0u);
}

TEST(RedisWriter, AStreamThatWasMadeAndIsGoneIsNotMadeAgainByTheNextVisit) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config());
  ASSERT_TRUE(test.BecomesUp());
  const uint64_t now = PastTime();
  const std::string key = VisitsKey("edge1", 0, MinuteOf(now));
  test.writer().Add(0, {0, now, 0}, SomeVisit(now), kName);
  EXPECT_EQ(test.Store().visits_stored, 1u);
  redis.Ask({"DEL", key});
  BatchTally tally;
  test.writer().Add(0, {0, now, 1}, SomeVisit(now), kName);
  test.writer().Commit(0, &tally);
  EXPECT_TRUE(test.BecomesState("data_lost"));
  EXPECT_EQ(redis.Ask({"EXISTS", key}), "0") << "a visit before the lost one would shut it out";
  EXPECT_EQ(test.lost(), 1);
  EXPECT_EQ(test.metrics().Get(Metric::kRedisDataLost), 1u);
  ASSERT_TRUE(test.BecomesUp());
  test.writer().Add(0, {0, now, 0}, SomeVisit(now), kName);
  test.writer().Add(0, {0, now, 1}, SomeVisit(now), kName);
  EXPECT_EQ(test.Store().visits_stored, 2u);
  EXPECT_EQ(redis.Ask({"XLEN", key}), "2");
  EXPECT_GT(std::stoll(redis.Ask({"PTTL", key})), 0);
}

TEST(RedisWriter, AClaimThatIsGoneMeansThatTheDataAre) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config());
  ASSERT_TRUE(test.BecomesUp());
  redis.Ask({"FLUSHALL"});
  test.writer().Housekeep();
  EXPECT_TRUE(test.BecomesState("data_lost"));
  EXPECT_TRUE(test.BecomesUp());
  EXPECT_NE(redis.Ask({"HGET", "gb:edges", "edge1"}), "(nil)");
}

TEST(RedisWriter, AStreamThatRedisWouldNotMakeIsNotTakenForLost) {
  support::RedisServer redis;
  WriterUnderTest test(redis.Config());
  ASSERT_TRUE(test.BecomesUp());
  const uint64_t now = PastTime();
  const std::string key = VisitsKey("edge1", 0, MinuteOf(now));
  redis.Ask({"SET", key, "somebody else's"});
  test.writer().Add(0, {0, now, 0}, SomeVisit(now), kName);
  EXPECT_EQ(test.Store().visits_refused, 1u);
  redis.Ask({"DEL", key});
  test.writer().Add(0, {0, now, 1}, SomeVisit(now), kName);
  EXPECT_EQ(test.Store().visits_stored, 1u);
}

}  // namespace
}  // namespace gatebook::logger
