// What is delivered goes from the files, and nothing else with it: not at a kill, not on a failing disk.
#include <cerrno>

#include "tests/logger/journal_fixture.h"

namespace gatebook::logger {
namespace {

using base::Metric;

class JournalEraseTest : public JournalTest {
 protected:
  // All rounds that erasing takes.
  void Erase() {
    Reader().EraseReleased();
    journal_->RunKeeperOnce();
    Reader().EraseReleased();
  }
  // How many visits' bytes stand in the files.
  size_t OnDisk() const {
    size_t visits = 0;
    for (const auto& segment : Segments()) {
      const std::string bytes = support::ReadFile(segment);
      for (size_t at = bytes.find("example.com"); at != std::string::npos;
           at = bytes.find("example.com", at + 1))
        ++visits;
    }
    return visits;
  }
  // As if the process had been killed now: another opens what the files hold.
  void KillAndOpen() {
    const std::string copy = directory_.Path("copy" + std::to_string(++copies_));
    std::filesystem::copy(config_.directory, copy);
    Close();
    config_.directory = copy;
    Open();
  }
  int copies_ = 0;
};

TEST_F(JournalEraseTest, WhatIsReleasedIsErasedWhenTheDiskKnowsThatItIs) {
  Open();
  for (uint64_t number = 1; number <= 100; ++number) Append(number);
  for (int i = 0; i < 60; ++i) Store();
  Reader().EraseReleased();
  Reader().EraseReleased();
  EXPECT_EQ(OnDisk(), 100u) << "the keeper has not been there";
  journal_->RunKeeperOnce();
  Reader().EraseReleased();
  EXPECT_EQ(OnDisk(), 40u);
  EXPECT_EQ(StoreAll(), Numbers(61, 100));
  Erase();
  EXPECT_EQ(OnDisk(), 0u);
  Append(101);
  EXPECT_EQ(StoreAll(), Numbers(101, 101));
}

TEST_F(JournalEraseTest, AKillAtAnyRoundLosesNothingAndCountsNoDamage) {
  for (int released = 0; released <= 20; ++released) {
    for (int rounds = 0; rounds < 3; ++rounds) {
      Open();
      for (uint64_t number = 1; number <= 20; ++number) Append(number);
      for (int i = 0; i < released; ++i) Store();
      if (rounds > 0) Reader().EraseReleased();
      if (rounds > 1) {
        journal_->RunKeeperOnce();
        Reader().EraseReleased();
      }
      KillAndOpen();
      EXPECT_EQ(journal_->recovered_visits(), static_cast<uint64_t>(20 - released));
      EXPECT_EQ(StoreAll(), Numbers(static_cast<uint64_t>(released) + 1, 20));
      EXPECT_EQ(Count(Metric::kJournalDamage), 0u);
      EXPECT_EQ(Count(Metric::kVisitsQuarantined), 0u);
      EXPECT_TRUE(books_->AddUp());
      Erase();
      EXPECT_EQ(OnDisk(), 0u);
    }
  }
}

TEST_F(JournalEraseTest, IdsGoOnFromWhatWasErasedThoughTheClockWentBack) {
  Open();
  Appended last;
  for (uint64_t number = 1; number <= 100; ++number) last = Append(number);
  StoreAll();
  Erase();
  ASSERT_EQ(OnDisk(), 0u);
  clock_.SetWall(clock_.WallNow() - std::chrono::hours(24));
  KillAndOpen();
  EXPECT_LT(last.id, Append(1).id);
  EXPECT_EQ(StoreAll(), Numbers(1, 1));
}

TEST_F(JournalEraseTest, ReadingAgainBehindWhatWasErasedCountsNothingTwice) {
  Open();
  for (uint64_t number = 1; number <= 100; ++number) Append(number);
  for (int i = 0; i < 50; ++i) Store();
  Erase();
  Reader().Rewind();
  Record record;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Reader().Next(&record));
  Reader().Rewind();
  EXPECT_EQ(StoreAll(), Numbers(51, 100));
  Erase();
  Reader().Rewind();
  Append(101);
  EXPECT_EQ(StoreAll(), Numbers(101, 101));
  EXPECT_EQ(Count(Metric::kVisitsQuarantined), 0u);
}

// What is erased had ordinals; when the record behind it is damaged, the header says how many they were.
TEST_F(JournalEraseTest, AnyFlippedByteBehindWhatIsErasedCostsOneVisitAndNoErasedOneIsCounted) {
  config_.segment_size = kLeastSegment;
  Open();
  std::vector<uint64_t> ends;
  for (uint64_t number = 1; number <= 22; ++number) ends.push_back(OffsetOf(Append(number).position));
  for (int i = 0; i < 20; ++i) Store();
  Erase();
  ASSERT_EQ(OnDisk(), 2u);
  const std::filesystem::path segment = Segments().front();
  const std::string whole = support::ReadFile(segment);
  StoreAll();
  for (uint64_t at = ends[19]; at < ends[21]; ++at) {
    Close();
    std::filesystem::remove_all(config_.directory);
    std::filesystem::create_directories(config_.directory);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    WriteFile(segment, damaged);
    Open();
    EXPECT_EQ(journal_->recovered_visits(), 2u) << at;
    const auto numbers = StoreAll();
    EXPECT_GE(numbers.size(), 1u) << at;
    EXPECT_EQ(Count(Metric::kVisitsQuarantined), 2 - numbers.size()) << at;
    EXPECT_TRUE(books_->AddUp());
  }
}

TEST_F(JournalEraseTest, ADiskThatDoesNotTakeTheHeaderErasesNothingYet) {
  bool broken = false;
  fault_ = [&broken](const DiskCall& call) { return broken && call.step == DiskStep::kSync ? EIO : 0; };
  Open();
  for (uint64_t number = 1; number <= 10; ++number) Append(number);
  StoreAll();
  journal_->RunKeeperOnce();
  broken = true;
  Erase();
  EXPECT_EQ(OnDisk(), 10u);
  EXPECT_EQ(journal_->state().condition, JournalState::Condition::kFailing);
  EXPECT_NE(journal_->state().error.find("cannot flush the header"), std::string::npos);
  broken = false;
  clock_.Advance(std::chrono::seconds(11));
  Erase();
  EXPECT_EQ(OnDisk(), 0u);
  EXPECT_EQ(journal_->state().condition, JournalState::Condition::kOk);
  Close();  // before what its faults read
}

}  // namespace
}  // namespace gatebook::logger
