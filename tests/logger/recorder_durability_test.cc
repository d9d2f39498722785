// Acknowledged is not durable: a real redis-server that loses what it had said it has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/logger/recorder_fixture.h"
#include "tests/support/process.h"

namespace gatebook::logger {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class RecorderDurability : public testing::Test {
 protected:
  // A Redis with these settings and a book over it.
  void Start(std::vector<std::string> arguments) {
    redis_.emplace(std::move(arguments));
    book_.emplace(redis_->Config());
  }
  void WriteAndWaitUntilAcknowledged(size_t visits) {
    const size_t before = Entries(*redis_);
    for (size_t i = 0; i < visits; ++i) book_->Write();
    ASSERT_TRUE(support::WaitUntil([&] { return Entries(*redis_) == before + visits; }));
    ASSERT_TRUE(support::WaitUntil(
        [&] { return book_->Count(Metric::kVisitsHeld) == book_->Count(Metric::kVisitsInJournal); }));
  }
  // All that is in the journal is held: acknowledged, not known to be durable.
  void ExpectHeld(uint64_t visits) {
    EXPECT_EQ(book_->Count(Metric::kVisitsHeld), visits);
    EXPECT_EQ(book_->Count(Metric::kVisitsInJournal), visits);
    EXPECT_TRUE(book_->AddsUp());
  }
  std::string Durability() { return book_->recorder().state().durability; }

  std::optional<support::RedisServer> redis_;
  std::optional<Book> book_;
};

TEST_F(RecorderDurability, AKillBeforeTheFileWasWrittenCostsNothing) {
  Start({"--appendonly", "yes", "--appendfsync", "everysec"});
  book_->Open();
  WriteAndWaitUntilAcknowledged(50);
  ExpectHeld(50);
  // As a power cut: nothing of the last second stands in the file.
  redis_->Kill();
  std::filesystem::remove_all(redis_->directory() + "/appendonlydir");
  redis_->Start();
  EXPECT_TRUE(book_->AllStored()) << Durability();
  EXPECT_EQ(Entries(*redis_), 50u);
  EXPECT_EQ(book_->Count(Metric::kVisitsStored), 50u);
  EXPECT_EQ(book_->Count(Metric::kVisitsRestored), 50u);
  EXPECT_EQ(book_->Count(Metric::kVisitsHeld), 0u);
}

TEST_F(RecorderDurability, WithSnapshotsOnlyAVisitIsHeldUntilASaveThatBeganLater) {
  Start({"--save", "3600", "1"});
  book_->Open();
  WriteAndWaitUntilAcknowledged(20);
  ExpectHeld(20);
  ASSERT_TRUE(support::WaitUntil([&] { return Durability().starts_with("ok: snapshots"); })) << Durability();
  redis_->Kill();
  redis_->Start();
  ASSERT_TRUE(support::WaitUntil([&] { return Entries(*redis_) == 20; })) << "all of it comes again";
  WriteAndWaitUntilAcknowledged(10);
  ExpectHeld(30);
  EXPECT_EQ(book_->Count(Metric::kVisitsRestored), 20u);
  // Two looks, a second apart, must see the save begin and end.
  EXPECT_TRUE(support::WaitUntil([&] {
    redis_->Ask({"BGSAVE"});
    return book_->Count(Metric::kVisitsHeld) == 0;
  }));
  redis_->Kill();
  redis_->Start();
  EXPECT_EQ(Entries(*redis_), 30u) << "what was released is in the snapshot";
  EXPECT_TRUE(support::WaitUntil([&] { return book_->recorder().state().redis_up; }));
  EXPECT_EQ(book_->Count(Metric::kVisitsStored), 30u);
  EXPECT_EQ(book_->Count(Metric::kVisitsReplayed), 0u);
}

TEST_F(RecorderDurability, SnapshotsThatFailReleaseNothingAndAreNamed) {
  Start({"--save", "3600", "1", "--stop-writes-on-bgsave-error", "no", "--enable-protected-configs", "yes"});
  book_->Open();
  WriteAndWaitUntilAcknowledged(10);
  const std::string directory = redis_->Ask({"CONFIG", "GET", "dir"});
  ASSERT_EQ(redis_->Ask({"CONFIG", "SET", "dir", "/proc"}), "OK");
  EXPECT_THAT(redis_->Ask({"SAVE"}), StartsWith("(error)"));
  redis_->Ask({"BGSAVE"});
  EXPECT_TRUE(support::WaitUntil([&] {
    book_->recorder().Reload();
    return Durability().starts_with("save_failing");
  })) << Durability();
  EXPECT_GT(book_->Count(Metric::kRedisLooksSaveFailing), 0u);
  ExpectHeld(10);
  ASSERT_EQ(redis_->Ask({"CONFIG", "SET", "dir", directory.substr(directory.find('\n') + 1)}), "OK");
  // The time of the last success has seconds: one in the second in which the server began may need another.
  EXPECT_TRUE(support::WaitUntil([&] {
    redis_->Ask({"BGSAVE"});
    return book_->Count(Metric::kVisitsHeld) == 0;
  })) << Durability();
}

TEST_F(RecorderDurability, ARedisWithoutADiskIsNotWaitedForAndItIsSaid) {
  Start({});
  book_->Open();
  book_->Write();
  EXPECT_TRUE(book_->AllStored());
  EXPECT_THAT(Durability(), StartsWith("nothing: "));
  EXPECT_EQ(book_->Count(Metric::kRedisWithoutDisk), 1u);
}

TEST_F(RecorderDurability, WhereAcknowledgedIsEnoughNothingIsHeld) {
  Start({"--save", "3600", "1"});
  book_->config().redis.durability = config::Durability::kAcknowledged;
  book_->Open();
  book_->Write();
  EXPECT_TRUE(book_->AllStored());
  EXPECT_EQ(book_->Count(Metric::kVisitsHeld), 0u);
}

// Without a lost connection, and with nobody writing: only a look can find it.
TEST_F(RecorderDurability, WhatIsFlushedWhileNobodyWritesComesAgain) {
  Start({"--appendonly", "yes"});
  book_->config().redis.hold = 1h;
  book_->Open();
  WriteAndWaitUntilAcknowledged(30);
  redis_->Ask({"FLUSHALL"});
  EXPECT_TRUE(support::WaitUntil([&] { return Entries(*redis_) == 30; }));
  EXPECT_EQ(book_->Count(Metric::kRedisDataLost), 1u);
  EXPECT_TRUE(support::WaitUntil([&] { return book_->Count(Metric::kVisitsRestored) == 30; }));
  ExpectHeld(30);
}

// Visits go on in the minute whose stream is gone. If one of them were let into a new stream before the lost
// ones, those would be refused as known for good.
TEST_F(RecorderDurability, WhatIsFlushedWhileVisitsGoOnComesAgainWithoutAHole) {
  Start({"--appendonly", "yes"});
  book_->config().redis.hold = 1h;
  book_->Open();
  WriteAndWaitUntilAcknowledged(30);
  for (int round = 1; round <= 3; ++round) {
    redis_->Ask({"FLUSHALL"});
    for (int i = 0; i < 10; ++i) book_->Write();
    const auto all = static_cast<size_t>(30 + 10 * round);
    EXPECT_TRUE(support::WaitUntil([&] { return Entries(*redis_) == all; })) << Entries(*redis_);
  }
  EXPECT_EQ(book_->Count(Metric::kRedisDataLost), 3u);
  const std::string keys = redis_->Ask({"KEYS", "gb:visits:*"});
  EXPECT_GT(std::stoll(redis_->Ask({"PTTL", keys.substr(0, keys.find('\n'))})), 0)
      << "no key without a deadline";
}

TEST_F(RecorderDurability, AStreamThatIsDeletedByHandComesAgain) {
  Start({"--appendonly", "yes"});
  book_->config().redis.hold = 1h;
  book_->Open();
  WriteAndWaitUntilAcknowledged(5);
  const std::string keys = redis_->Ask({"KEYS", "gb:visits:*"});
  redis_->Ask({"DEL", keys.substr(0, keys.find('\n'))});
  book_->Write();
  EXPECT_TRUE(support::WaitUntil([&] { return Entries(*redis_) >= 6; }));
}

TEST_F(RecorderDurability, WhatIsHeldAtTheEndStaysInTheJournalAndIsStoredOnce) {
  Start({"--save", "3600", "1"});
  book_->Open();
  WriteAndWaitUntilAcknowledged(40);
  book_->Close();
  EXPECT_EQ(book_->Count(Metric::kVisitsInJournal), 40u);
  redis_->Kill();  // it had them only in its memory
  redis_->Start();
  EXPECT_EQ(Entries(*redis_), 0u);
  book_->Open();
  ASSERT_TRUE(support::WaitUntil([&] { return Entries(*redis_) == 40; }));
  book_->Close();
  book_->Open();
  ASSERT_TRUE(support::WaitUntil([&] { return book_->Count(Metric::kVisitsHeld) == 40; }));
  EXPECT_EQ(Entries(*redis_), 40u) << "Redis refused what it had";
}

// Snapshots an hour apart and a small journal: one is asked for.
TEST_F(RecorderDurability, AJournalThatFillsWhileASnapshotIsWaitedForAsksForOne) {
  Start({"--save", "3600", "1"});
  book_->config().journal.segment_size = 64 << 10;
  book_->config().journal.max_size = 512 << 10;
  book_->Open();
  for (int i = 0; i < 1500; ++i) book_->Write();
  EXPECT_TRUE(support::WaitUntil([&] { return book_->Count(Metric::kRedisSavesAsked) == 1; }));
  EXPECT_TRUE(support::WaitUntil([&] { return book_->Count(Metric::kVisitsHeld) == 0; })) << Durability();
  EXPECT_EQ(book_->Count(Metric::kVisitsReleasedEarly), 0u);
  EXPECT_EQ(Entries(*redis_), 1500u);
}

// What Redis has in its memory gives way to what nobody would have.
TEST_F(RecorderDurability, AFullJournalReleasesWhatIsHeldRatherThanDropNewVisits) {
  Start({"--save", "3600", "1", "--rename-command", "BGSAVE", ""});
  book_->config().journal.segment_size = 64 << 10;
  book_->config().journal.max_size = 256 << 10;
  book_->config().redis.hold = 0ms;
  book_->Open();
  // Each waits for room in the journal.
  for (int i = 0; i < 2500; ++i) book_->Write();
  EXPECT_GT(book_->Count(Metric::kVisitsReleasedEarly), 0u);
  EXPECT_TRUE(support::WaitUntil([&] { return Entries(*redis_) == 2500; }));
  EXPECT_GT(book_->Count(Metric::kVisitsHeld), 0u);
  EXPECT_TRUE(book_->AddsUp());
}

// Its thirty days do not wait for a snapshot.
TEST_F(RecorderDurability, AVisitWhoseTimeIsOverIsNotHeldAnyLonger) {
  Start({"--save", "3600", "1"});
  base::ManualClock& clock = book_->StopTime();
  book_->config().visit.retention = std::chrono::hours(24);
  book_->Open();
  WriteAndWaitUntilAcknowledged(5);
  clock.Advance(std::chrono::hours(23));
  WriteAndWaitUntilAcknowledged(3);
  book_->recorder().Reload();
  ExpectHeld(8);
  clock.Advance(std::chrono::hours(1) + kMostRecordDelay);
  EXPECT_TRUE(support::WaitUntil([&] {
    book_->recorder().Reload();
    return book_->Count(Metric::kVisitsReleasedOver) == 5;
  }));
  ExpectHeld(3);
  EXPECT_TRUE(support::WaitUntil([&] {
    book_->recorder().Reload();
    return !book_->IsOnDisk("/visit/4");
  }));
  EXPECT_TRUE(book_->IsOnDisk("/visit/5"));
}

TEST_F(RecorderDurability, AReplicaThatIsOnlineMustHaveAVisitBeforeItIsReleased) {
  const std::string port = std::to_string(support::FreePort());
  Start({"--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0", "--bind",
         "127.0.0.1", "--port", port});
  support::RedisServer replica({"--replicaof", "127.0.0.1 " + port});
  book_->config().redis.hold = 0ms;
  book_->config().redis.replica_wait = 1h;
  ASSERT_TRUE(support::WaitUntil([&] {
    return redis_->Ask({"INFO", "replication"}).find("state=online") != std::string::npos;
  }));
  book_->Open();
  book_->Write();
  EXPECT_TRUE(book_->AllStored()) << Durability();
  replica.Freeze();
  book_->Write();
  EXPECT_TRUE(support::WaitUntil([&] { return Durability().starts_with("replica_behind: "); }))
      << Durability();
  ExpectHeld(1);
  replica.Thaw();
  EXPECT_TRUE(book_->AllStored()) << Durability();
  EXPECT_EQ(Entries(replica), 2u);
  EXPECT_EQ(book_->Count(Metric::kRedisReplicasGivenUp), 0u);
}

}  // namespace
}  // namespace gatebook::logger
