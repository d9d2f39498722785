#include "logger/recorder.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

#include "tests/logger/recorder_fixture.h"

namespace gatebook::logger {
namespace {

TEST(Recorder, CarriesEveryVisitOfEveryWorkerOnce) {
  support::RedisServer redis;
  Book book(redis.Config(), 2);
  book.Open();
  for (uint32_t i = 0; i < 3000; ++i) book.Write(i % 2);
  EXPECT_TRUE(book.AllStored()) << book.recorder().state().redis;
  EXPECT_EQ(Entries(redis), 3000u);
  EXPECT_EQ(book.Count(Metric::kVisitsStored), 3000u);
  EXPECT_EQ(book.Count(Metric::kVisitsReplayed), 0u);
  EXPECT_TRUE(book.AddsUp());
  EXPECT_TRUE(book.recorder().state().redis_up);
  EXPECT_EQ(book.recorder().state().redis, "ok");
  EXPECT_EQ(book.recorder().state().dns, "off");
}

TEST(Recorder, DeliversWhatIsThereBeforeItStops) {
  support::RedisServer redis({"--appendonly", "yes"});
  Book book(redis.Config());
  book.Open();
  for (int i = 0; i < 500; ++i) book.Write();
  book.Close();
  EXPECT_EQ(Entries(redis), 500u);
}

TEST(Recorder, KeepsInTheJournalWhatRedisDoesNotTakeAndDeliversItLater) {
  support::RedisServer redis;
  Book book(redis.Config());
  book.Open();
  ASSERT_TRUE(support::WaitUntil([&] { return book.recorder().state().redis_up; }));
  redis.Stop();
  for (int i = 0; i < 100; ++i) book.Write();
  ASSERT_TRUE(support::WaitUntil([&] { return !book.recorder().state().redis_up; }));
  EXPECT_EQ(book.Count(Metric::kVisitsInJournal), 100u);
  ASSERT_TRUE(support::WaitUntil([&] { return book.recorder().state().lag > 0ms; }));
  book.Close(0ms);
  book.Open();
  EXPECT_EQ(book.Count(Metric::kVisitsInJournal), 100u) << "found again at start";
  book.Write();
  redis.Start();
  EXPECT_TRUE(book.AllStored());
  EXPECT_EQ(Entries(redis), 101u);
  EXPECT_TRUE(support::WaitUntil([&] { return book.recorder().state().lag == 0ms; }));
}

TEST(Recorder, LosesNothingWhenRedisIsKilledAgainAndAgain) {
  support::RedisServer redis({"--appendonly", "yes", "--appendfsync", "everysec"});
  Book book(redis.Config());
  book.Open();
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 200; ++i) book.Write();
    // Somewhere within the delivery.
    support::WaitUntil([&] { return Entries(redis) > static_cast<size_t>(round) * 200; });
    redis.Kill();
    redis.Start();
  }
  EXPECT_TRUE(book.AllStored()) << book.recorder().state().redis;
  EXPECT_EQ(Entries(redis), 800u);
  EXPECT_EQ(book.Count(Metric::kVisitsStored), 800u);
  EXPECT_TRUE(book.AddsUp());
}

TEST(Recorder, ClosingsReachTheirVisits) {
  support::RedisServer redis;
  Book book(redis.Config());
  book.Open();
  const VisitId open = book.Write(0, true);
  book.WriteClosing(0, open);
  book.WriteClosing(0, VisitId{0, open.milliseconds - 120'000, 0});
  EXPECT_TRUE(support::WaitUntil([&] { return book.Count(Metric::kClosingsStored) == 1; }));
  EXPECT_TRUE(support::WaitUntil([&] { return book.Count(Metric::kClosingsDropped) == 1; }));
  EXPECT_EQ(Entries(redis), 2u);
}

TEST(Recorder, AVisitThatWaitedTooLongInTheJournalIsDroppedAndCounted) {
  support::RedisServer redis;
  Book book(redis.Config());
  book.config().visit.retention = 0ms;  // over when it arrives
  book.Open();
  book.Write();
  EXPECT_TRUE(support::WaitUntil([&] { return book.Count(Metric::kVisitsDroppedExpired) == 1; }));
  EXPECT_EQ(Entries(redis), 0u);
  EXPECT_TRUE(book.AddsUp());
}

TEST(Recorder, VisitsWhoseTimeIsOverAreDestroyedInTheJournalThoughRedisIsAway) {
  config::Redis nowhere;
  nowhere.server.kind = config::Endpoint::Kind::kIp;
  nowhere.server.ip = *base::IpAddress::Parse("127.0.0.1");
  nowhere.server.port = 1;
  Book book(nowhere, 2);
  base::ManualClock& clock = book.StopTime();
  book.config().visit.retention = std::chrono::hours(24);
  book.Open();
  for (uint32_t i = 0; i < 200; ++i) book.Write(i % 2);
  const VisitId open = book.Write(0, true);
  book.WriteClosing(0, open);
  book.Close(0ms);
  clock.Advance(std::chrono::hours(23));
  book.Open();
  for (int i = 0; i < 10; ++i) book.Write();
  book.recorder().Reload();
  EXPECT_EQ(book.Count(Metric::kVisitsInJournal), 211u);
  EXPECT_TRUE(book.IsOnDisk("/visit/0"));

  book.Close(0ms);
  clock.Advance(std::chrono::hours(1));
  book.Open();
  EXPECT_TRUE(support::WaitUntil([&] {
    book.recorder().Reload();
    return book.Count(Metric::kVisitsDroppedExpired) == 201;
  }));
  EXPECT_EQ(book.Count(Metric::kVisitsInJournal), 10u);
  EXPECT_EQ(book.Count(Metric::kClosingsDropped), 1u);
  EXPECT_TRUE(book.AddsUp());
  EXPECT_TRUE(support::WaitUntil([&] { return !book.IsOnDisk("/visit/0"); }));
  EXPECT_TRUE(book.IsOnDisk("/visit/205"));

  // Also in the segment that is being written, and nobody comes any more.
  book.Close(0ms);
  clock.Advance(std::chrono::hours(23));
  book.Open();
  EXPECT_TRUE(support::WaitUntil([&] {
    book.recorder().Reload();
    return book.Count(Metric::kVisitsInJournal) == 0 && !book.IsOnDisk("/visit/");
  }));
  EXPECT_EQ(book.Count(Metric::kVisitsDroppedExpired), 10u);
  const VisitId late = book.Write();
  EXPECT_LT(open, late);
  EXPECT_TRUE(book.AddsUp());
}

TEST(Recorder, WhatIsDeliveredDoesNotStayInTheFiles) {
  support::RedisServer redis;
  Book book(redis.Config());
  book.Open();
  for (int i = 0; i < 100; ++i) book.Write();
  ASSERT_TRUE(book.AllStored());
  EXPECT_TRUE(support::WaitUntil([&] {
    book.recorder().Reload();
    return !book.IsOnDisk("/visit/");
  }));
  book.Write();
  EXPECT_TRUE(support::WaitUntil([&] { return book.Count(Metric::kVisitsStored) == 101; }));
  EXPECT_EQ(Entries(redis), 101u);
}

TEST(Recorder, ASecondEdgeOfTheSameNameWaitsUntilTheNameIsFree) {
  support::RedisServer redis;
  Book first(redis.Config()), second(redis.Config());
  first.Open();
  ASSERT_TRUE(support::WaitUntil([&] { return first.recorder().state().redis_up; }));
  second.Open();
  ASSERT_TRUE(
      support::WaitUntil([&] { return second.recorder().state().redis.starts_with("edge_name_taken"); }));
  second.Write();
  first.Write();
  EXPECT_TRUE(first.AllStored());
  EXPECT_EQ(Entries(redis), 1u);
  second.Close(0ms);
  redis.Ask({"HDEL", "gb:edges", "edge1"});
  second.Open();
  EXPECT_TRUE(second.AllStored());
}

TEST(Recorder, AVisitDoesNotWaitForeverForItsName) {
  support::RedisServer redis;
  const base::UniqueFd silent(::socket(AF_INET, SOCK_DGRAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(silent.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ::getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address), &size);
  Book book(redis.Config());
  book.config().dns.enabled = true;
  book.config().dns.timeout = 300ms;
  config::Endpoint server;
  server.ip = *base::IpAddress::Parse("127.0.0.1");
  server.port = ntohs(address.sin_port);
  book.config().dns.servers = {server};
  book.Open();
  ASSERT_TRUE(support::WaitUntil([&] { return book.recorder().state().redis_up; }));
  const VisitId id = book.Write();
  EXPECT_TRUE(book.AllStored());
  const std::string entries = redis.Ask({"XRANGE", VisitsKey("edge1", 0, MinuteOf(id)), "-", "+"});
  EXPECT_NE(entries.find("\ttimeout\t"), std::string::npos) << entries;
}

// A server that says it has a billion things to say, or speaks no Redis at all.
TEST(Recorder, AHostileServerEndsOnlyTheConnection) {
  for (const std::string_view says : {"*1073741824\r\n", "$2147483647\r\n", "HTTP/1.1 200 OK\r\n\r\n",
                                      "+PONG\r\n+OK\r\n+OK\r\n", "*-7\r\n"}) {
    const base::UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener.get(), 4), 0);
    ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
    config::Redis redis;
    redis.server.kind = config::Endpoint::Kind::kIp;
    redis.server.ip = *base::IpAddress::Parse("127.0.0.1");
    redis.server.port = ntohs(address.sin_port);
    Book book(redis);
    book.config().redis.connect_timeout = book.config().redis.reply_timeout = 300ms;
    book.Open();
    book.Write();
    const base::UniqueFd peer(::accept(listener.get(), nullptr, nullptr));
    ASSERT_EQ(::send(peer.get(), says.data(), says.size(), MSG_NOSIGNAL), static_cast<ssize_t>(says.size()));
    EXPECT_TRUE(support::WaitUntil([&] { return book.Count(Metric::kRedisConnectsFailed) >= 1; })) << says;
    EXPECT_EQ(book.Count(Metric::kVisitsInJournal), 1u);
    EXPECT_FALSE(book.recorder().state().redis_up);
  }
}

}  // namespace
}  // namespace gatebook::logger
