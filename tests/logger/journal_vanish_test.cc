// The directory, its lock or its segments are taken away from under a running journal, or another is put
// there.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "tests/logger/journal_fixture.h"

namespace gatebook::logger {
namespace {

using base::Metric;
using Condition = JournalState::Condition;
using Outcome = Appended::Outcome;

class JournalVanishTest : public JournalTest {
 protected:
  JournalVanishTest() { config_.segment_size = kLeastSegment; }
  void NextRound() {
    clock_.Advance(std::chrono::seconds(11));
    journal_->RunKeeperOnce();
  }
  void NextRounds() {
    for (int round = 0; round < 3; ++round) NextRound();
  }
};

TEST_F(JournalVanishTest, ADirectoryThatWasRemovedIsMadeAgainAndTheNextVisitStandsInIt) {
  Open();
  const std::string instance = journal_->instance();
  ASSERT_EQ(Append(1).outcome, Outcome::kOk);
  std::filesystem::remove_all(config_.directory);
  NextRounds();
  EXPECT_EQ(journal_->state().condition, Condition::kOk) << journal_->state().error;
  ASSERT_EQ(Append(2).outcome, Outcome::kOk);
  NextRounds();
  // A process that is killed now leaves it to the next.
  const std::string copy = directory_.Path("copy");
  std::filesystem::copy(config_.directory, copy);
  EXPECT_EQ(StoreAll(), Numbers(1, 2));
  Close();
  config_.directory = copy;
  Open();
  EXPECT_EQ(journal_->instance(), instance);
  EXPECT_EQ(StoreAll(), Numbers(2, 2));
}

TEST_F(JournalVanishTest, WithFlushAlwaysWhoWaitsIsToldThatTheSegmentIsGone) {
  config_.flush = config::Flush::kAlways;
  Open();
  Append(1);
  journal_->writer(0).RequestFlush();
  NextRound();
  std::filesystem::remove_all(config_.directory);
  Append(2);
  journal_->writer(0).RequestFlush();
  NextRound();
  EXPECT_TRUE(journal_->writer(0).IsFlushFailing());
  EXPECT_EQ(journal_->state().condition, Condition::kFailing);
  EXPECT_NE(journal_->state().error.find("was removed"), std::string::npos);
  const Appended appended = Append(3);
  journal_->writer(0).RequestFlush();
  NextRound();
  EXPECT_FALSE(journal_->writer(0).IsFlushFailing());
  EXPECT_EQ(journal_->writer(0).flushed_position(), appended.position);
  EXPECT_EQ(journal_->state().condition, Condition::kOk) << journal_->state().error;
  EXPECT_EQ(StoreAll(), Numbers(1, 3));
}

TEST_F(JournalVanishTest, ASegmentThatWasRemovedAloneTakesNoMoreVisits) {
  Open();
  Append(1);
  std::filesystem::remove(Segments().front());
  NextRounds();
  Append(2);
  EXPECT_EQ(Segments().size(), 1u);
  EXPECT_NE(support::ReadFile(Segments().front()).find("example.com"), std::string::npos);
  EXPECT_EQ(StoreAll(), Numbers(1, 2));
}

TEST_F(JournalVanishTest, ASpareThatWasRemovedIsNotTaken) {
  Open();
  Append(1);
  NextRound();
  ASSERT_EQ(Segments().size(), 2u);
  std::filesystem::remove(Segments().back());
  NextRounds();
  while (Append(2).outcome == Outcome::kOk) {
  }
  NextRound();
  ASSERT_EQ(Append(3).outcome, Outcome::kOk);
  const std::string copy = directory_.Path("copy");
  std::filesystem::copy(config_.directory, copy);
  const size_t all = StoreAll().size();
  config_.directory = copy;
  Open();
  EXPECT_EQ(journal_->recovered_visits(), all);
  StoreAll();
}

// Its visits go when they are delivered, though the path leads elsewhere by then.
TEST_F(JournalVanishTest, WhatWasMovedAwayIsRemovedThereWhenItIsDelivered) {
  Open();
  Append(1);
  const std::string moved = directory_.Path("moved");
  std::filesystem::rename(config_.directory, moved);
  NextRounds();
  Append(2);
  ASSERT_TRUE(std::filesystem::exists(moved + "/" + SegmentName(0, 1)));
  EXPECT_EQ(StoreAll(), Numbers(1, 2));
  NextRounds();
  EXPECT_FALSE(std::filesystem::exists(moved + "/" + SegmentName(0, 1)));
  EXPECT_EQ(journal_->state().condition, Condition::kOk) << journal_->state().error;
}

// The store into a page that the disk can't give is a signal; here the file is cut under the writer.
TEST_F(JournalVanishTest, AFileThatIsCutUnderTheWriterEndsNobodyAndTheNextVisitStandsOnTheDisk) {
  Open();
  for (uint64_t number = 1; number <= 100; ++number) ASSERT_EQ(Append(number).outcome, Outcome::kOk);
  NextRound();
  const std::filesystem::path cut = Segments().front();
  std::filesystem::resize_file(cut, 8192);
  for (uint64_t number = 101; number <= 110; ++number) ASSERT_EQ(Append(number).outcome, Outcome::kOk);
  NextRounds();
  EXPECT_GE(journal_->metrics().Get(Metric::kJournalErrors), 1u);
  const std::string copy = directory_.Path("copy");
  std::filesystem::copy(config_.directory, copy);
  // What stood on the first page is still there, what was written after the cut too, and the rest is counted.
  std::vector<uint64_t> stored = StoreAll();
  ASSERT_FALSE(stored.empty());
  EXPECT_EQ(stored.front(), 1u);
  EXPECT_EQ(stored.back(), 110u);
  EXPECT_EQ(stored.size() + Count(Metric::kVisitsQuarantined), 110u);
  EXPECT_EQ(Count(Metric::kVisitsInJournal), 0u);
  EXPECT_TRUE(books_->AddUp());
  // Behind the first that was hit, all stand in the next segment, which a restart finds.
  Close();
  config_.directory = copy;
  Open();
  stored = StoreAll();
  const auto after = std::find(stored.begin(), stored.end(), 102u);
  EXPECT_EQ(std::vector<uint64_t>(after, stored.end()), Numbers(102, 110));
}

// A file system that is mounted after the start, with the journal of the days before.
TEST_F(JournalVanishTest, AnotherJournalInItsPlaceIsLeftAloneAndSaid) {
  Open();
  for (uint64_t number = 1; number <= 5; ++number) Append(number);
  Close();
  const std::string other = directory_.Path("other");
  std::filesystem::rename(config_.directory, other);
  Open();
  Append(11);
  std::filesystem::rename(config_.directory, directory_.Path("hidden"));
  std::filesystem::rename(other, config_.directory);
  NextRounds();
  EXPECT_EQ(journal_->state().condition, Condition::kFailing);
  EXPECT_NE(journal_->state().error.find("another journal"), std::string::npos) << journal_->state().error;
  EXPECT_NE(journal_->state().error.find("restart"), std::string::npos);
  while (Append(12).outcome == Outcome::kOk) {
  }
  NextRounds();
  EXPECT_EQ(journal_->state().condition, Condition::kFailing);
  StoreAll();
  Open();  // as that says
  EXPECT_EQ(StoreAll(), Numbers(1, 5));
}

TEST_F(JournalVanishTest, SegmentsThatStandThereAlreadyAreNotWrittenOver) {
  Open();
  for (uint64_t number = 1; number <= 5; ++number) Append(number);
  const std::string backup = directory_.Path("backup");
  std::filesystem::copy(config_.directory, backup);
  StoreAll();
  Close();
  Open();
  std::filesystem::remove_all(config_.directory);
  std::filesystem::rename(backup, config_.directory);  // of the same instance
  NextRounds();
  Append(6);
  StoreAll();
  Open();
  EXPECT_EQ(StoreAll(), Numbers(1, 5));
}

TEST_F(JournalVanishTest, ALockThatWasRemovedIsMadeAgainAndKeepsASecondProcessOut) {
  Open();
  Append(1);
  std::filesystem::remove(config_.directory + "/lock");
  NextRounds();
  EXPECT_TRUE(std::filesystem::exists(config_.directory + "/lock"));
  const auto books = std::move(books_);
  EXPECT_FALSE(TryOpen());
  books_ = std::make_unique<Books>(1);
  EXPECT_EQ(journal_->state().condition, Condition::kOk) << journal_->state().error;
  Append(2);
  EXPECT_EQ(Segments().size(), 2u) << "the segments are still there: none is left for it";
  Record record;
  while (Reader().Next(&record)) Reader().Release(record.position);
  Close();
  books_.reset();
}

}  // namespace
}  // namespace gatebook::logger
