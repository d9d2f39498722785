#include "logger/journal.h"

#include <poll.h>
#include <sys/stat.h>

#include "tests/logger/journal_fixture.h"

namespace gatebook::logger {
namespace {

using base::Metric;
using Outcome = Appended::Outcome;

class JournalFillingTest : public JournalTest {
 protected:
  JournalFillingTest() {
    config_.segment_size = kLeastSegment;
    config_.max_size = 6 * kLeastSegment;
  }
  // Appends numbered visits until one is not taken; the last number taken.
  uint64_t Fill(uint64_t first, Outcome expected) {
    for (uint64_t number = first;; ++number) {
      const Appended appended = Append(number);
      if (appended.outcome == Outcome::kOk) continue;
      EXPECT_EQ(appended.outcome, expected);
      return number - 1;
    }
  }
};

TEST_F(JournalTest, GivesVisitsInTheOrderTheyWereAppended) {
  Open();
  for (uint64_t number = 1; number <= 100; ++number) ASSERT_EQ(Append(number).outcome, Outcome::kOk);
  EXPECT_EQ(StoreAll(), Numbers(1, 100));
  EXPECT_EQ(Count(Metric::kVisitsInJournal), 0u);
}

TEST_F(JournalTest, GivesTheIdThatTheWriterWasTold) {
  Open(2);
  const Appended appended = Append(7, 1);
  Record record;
  ASSERT_TRUE(Reader(1).Next(&record));
  EXPECT_EQ(record.id, appended.id);
  EXPECT_EQ(record.id.worker, 1u);
  EXPECT_EQ(record.position, appended.position);
  EXPECT_EQ(record.edge, "edge1");
  EXPECT_EQ(record.visit.path, "/");
}

TEST_F(JournalTest, GivesClosingsBesideVisits) {
  Open();
  const Appended opened = Append(1);
  Closing closing;
  closing.of = opened.id;
  closing.status = 101;
  closing.bytes_out = 1ULL << 40;
  ASSERT_EQ(journal_->writer(0).Append(closing).outcome, Outcome::kOk);
  Record record;
  ASSERT_TRUE(Reader().Next(&record));
  ASSERT_TRUE(Reader().Next(&record));
  EXPECT_EQ(record.type, RecordType::kClosing);
  EXPECT_EQ(record.closing.of, opened.id);
  EXPECT_EQ(record.closing.bytes_out, 1ULL << 40);
  EXPECT_EQ(Count(Metric::kClosingsAccepted), 1u);
}

TEST_F(JournalTest, RefusesASecondProcessByName) {
  Open();
  auto second = TryOpen();
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find(config_.directory), std::string::npos);
  EXPECT_NE(second.error().message.find("in use by another gatebook"), std::string::npos);
  EXPECT_EQ(second.error().exit_code, base::ExitCode::kInputOutput);
}

TEST_F(JournalTest, IsClosedToOthers) {
  Open();
  Append(1);
  struct stat info;
  ASSERT_EQ(::stat(config_.directory.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  for (const auto& segment : Segments()) {
    ASSERT_EQ(::stat(segment.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
  }
}

TEST_F(JournalTest, ClosesADirectoryThatWasOpenToOthers) {
  std::filesystem::create_directories(config_.directory);
  ASSERT_EQ(::chmod(config_.directory.c_str(), 0755), 0);
  Open();
  struct stat info;
  ASSERT_EQ(::stat(config_.directory.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(JournalTest, KeepsItsInstanceOverRestarts) {
  Open();
  const std::string instance = journal_->instance();
  EXPECT_EQ(instance.size(), 32u);
  Open();
  EXPECT_EQ(journal_->instance(), instance);
}

TEST_F(JournalTest, RefusesADamagedInstanceFile) {
  Open();
  Close();
  WriteFile(config_.directory + "/instance", "not hexadecimal\n");
  auto opened = TryOpen();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("is damaged"), std::string::npos);
}

TEST_F(JournalTest, RefusesAMaxSizeTooSmallForItsWorkers) {
  config_.max_size = 5 * kLeastSegment;
  auto opened = TryOpen(2);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().exit_code, base::ExitCode::kConfig);
}

TEST_F(JournalTest, RefusesAVisitWithATextOverItsCap) {
  Open();
  const std::string long_path(kMostPath + 1, 'a');
  Visit visit = SmallVisit(1);
  visit.path = long_path;
  EXPECT_EQ(journal_->writer(0).Append(visit).outcome, Outcome::kTooLarge);
  EXPECT_EQ(Count(Metric::kVisitsDroppedTooLarge), 1u);
  EXPECT_EQ(Store(), 0u);
}

TEST_F(JournalTest, IdsGrowWhenTheClockStepsBack) {
  Open();
  const Appended first = Append(1);
  clock_.SetWall(clock_.WallNow() - std::chrono::hours(1));
  const Appended second = Append(2);
  clock_.Advance(std::chrono::hours(2));
  const Appended third = Append(3);
  EXPECT_LT(first.id, second.id);
  EXPECT_EQ(first.id.milliseconds, second.id.milliseconds);
  EXPECT_LT(second.id, third.id);
  EXPECT_EQ(third.id.n, 0u);
}

TEST_F(JournalTest, IdsGoOnAfterARestartThoughAllWasDelivered) {
  Open();
  Append(1);
  const Appended before = Append(2);
  EXPECT_EQ(StoreAll(), Numbers(1, 2));
  clock_.SetWall(clock_.WallNow() - std::chrono::hours(1));
  for (int restart = 0; restart < 3; ++restart) Open();  // nothing written in between
  EXPECT_EQ(StoreAll(), Numbers(1, 0));
  journal_->RunKeeperOnce();
  const Appended after = Append(3);
  EXPECT_LT(before.id, after.id);
  EXPECT_LT(before.position, after.position);
}

TEST_F(JournalTest, IdsOfAWorkerThatComesBackGoOn) {
  Open(3);
  const Appended before = Append(1, 2);
  clock_.SetWall(clock_.WallNow() - std::chrono::hours(1));
  Open(1);
  for (size_t i = 0; i < journal_->readers().size(); ++i) StoreAll(i);
  journal_->RunKeeperOnce();
  Open(1);
  Open(3);
  EXPECT_LT(before.id, Append(2, 2).id);
}

TEST_F(JournalTest, DeliversWhatARestartFinds) {
  Open();
  for (uint64_t number = 1; number <= 10; ++number) Append(number);
  for (int i = 0; i < 4; ++i) Store();
  Open();
  EXPECT_EQ(journal_->recovered_visits(), 6u);
  EXPECT_EQ(Count(Metric::kVisitsAccepted), 6u);
  Append(11);
  EXPECT_EQ(StoreAll(), Numbers(5, 11));
  Open();
  EXPECT_EQ(journal_->recovered_visits(), 0u);
}

TEST_F(JournalTest, DeliversWhatWorkersThatAreNoMoreHaveLeft) {
  Open(4);
  Append(1, 0);
  Append(2, 3);
  Open(1);
  EXPECT_EQ(journal_->recovered_visits(), 2u);
  ASSERT_EQ(journal_->readers().size(), 4u);
  EXPECT_EQ(StoreAll(0), Numbers(1, 1));
  for (const size_t unused : {1, 2}) EXPECT_EQ(StoreAll(unused), Numbers(1, 0));
  EXPECT_EQ(StoreAll(3), Numbers(2, 2));
  EXPECT_EQ(Reader(3).worker(), 3u);
  journal_->RunKeeperOnce();
  for (const auto& segment : Segments()) EXPECT_EQ(segment.filename().string().substr(0, 2), "00");
}

TEST_F(JournalFillingTest, GoesOnInTheSpareAndUnlinksWhatIsDelivered) {
  Open();
  const uint64_t all = 4000;
  for (uint64_t number = 1; number <= all; ++number) {
    ASSERT_EQ(Append(number).outcome, Outcome::kOk) << number;
    if (number % 100 == 0) {
      EXPECT_EQ(StoreAll(), Numbers(number - 99, number));
      journal_->RunKeeperOnce();
    }
  }
  EXPECT_LE(Segments().size(), 2u);
  EXPECT_EQ(journal_->state().segments, Segments().size());
}

TEST_F(JournalFillingTest, SaysNoSegmentWhenTheSpareIsNotReady) {
  Open();
  const uint64_t last = Fill(1, Outcome::kNoSegment);
  EXPECT_FALSE(journal_->writer(0).HasRoom());
  EXPECT_EQ(Count(Metric::kVisitsDroppedNoSegment), 1u);
  journal_->RunKeeperOnce();
  EXPECT_TRUE(journal_->writer(0).HasRoom());
  EXPECT_EQ(Append(last + 1).outcome, Outcome::kOk);
  EXPECT_EQ(StoreAll(), Numbers(1, last + 1));
}

TEST_F(JournalFillingTest, SaysFullAtItsMaxSizeAndGoesOnWhenThereIsRoomAgain) {
  Open();
  uint64_t last = 0;
  for (int segment = 1; segment < 6; ++segment) {
    last = Fill(last + 1, Outcome::kNoSegment);
    journal_->RunKeeperOnce();
  }
  last = Fill(last + 1, Outcome::kNoSegment);
  journal_->RunKeeperOnce();
  EXPECT_EQ(journal_->state().condition, JournalState::Condition::kFull);
  EXPECT_EQ(journal_->state().bytes, config_.max_size);
  EXPECT_EQ(Append(last + 1).outcome, Outcome::kFull);
  EXPECT_FALSE(journal_->writer(0).HasRoom());

  EXPECT_EQ(StoreAll(), Numbers(1, last));
  journal_->RunKeeperOnce();
  EXPECT_EQ(journal_->state().condition, JournalState::Condition::kOk);
  EXPECT_EQ(Append(last + 1).outcome, Outcome::kOk);
  EXPECT_EQ(StoreAll(), Numbers(last + 1, last + 1));
}

TEST_F(JournalFillingTest, StartsThoughItIsFullAndFreesItself) {
  Open();
  uint64_t last = 0;
  for (int segment = 1; segment <= 6; ++segment) {
    last = Fill(last + 1, Outcome::kNoSegment);
    journal_->RunKeeperOnce();
  }
  Open();
  EXPECT_EQ(journal_->recovered_visits(), last);
  EXPECT_EQ(Append(last + 1).outcome, Outcome::kFull);
  EXPECT_EQ(StoreAll(), Numbers(1, last));
  journal_->RunKeeperOnce();
  EXPECT_EQ(Append(last + 1).outcome, Outcome::kOk);
  EXPECT_EQ(StoreAll(), Numbers(last + 1, last + 1));
}

TEST_F(JournalFillingTest, RestartFindsSeveralSegmentsInOrder) {
  Open();
  uint64_t last = Fill(1, Outcome::kNoSegment);
  journal_->RunKeeperOnce();
  last = Fill(last + 1, Outcome::kNoSegment);
  Open();
  EXPECT_EQ(journal_->recovered_visits(), last);
  EXPECT_EQ(Append(last + 1).outcome, Outcome::kOk);
  EXPECT_EQ(StoreAll(), Numbers(1, last + 1));
}

TEST_F(JournalFillingTest, RewindGivesWhatIsNotReleasedAgain) {
  Open();
  const uint64_t last = Fill(1, Outcome::kNoSegment);
  journal_->RunKeeperOnce();
  ASSERT_EQ(Append(last + 1).outcome, Outcome::kOk);
  for (int i = 0; i < 3; ++i) Store();
  Record record;
  while (Reader().Next(&record)) {
  }
  Reader().Rewind();
  EXPECT_EQ(StoreAll(), Numbers(4, last + 1));
  Reader().Rewind();
  EXPECT_EQ(Store(), 0u);
}

TEST_F(JournalTest, RingsTheRecorderOnceUntilItAnswers) {
  Open();
  pollfd bell{journal_->doorbell().fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&bell, 1, 0), 0);
  Append(1);
  Append(2);
  EXPECT_EQ(::poll(&bell, 1, 0), 1);
  journal_->doorbell().Answer();
  EXPECT_EQ(::poll(&bell, 1, 0), 0);
  Append(3);
  EXPECT_EQ(::poll(&bell, 1, 0), 1);
}

}  // namespace
}  // namespace gatebook::logger
