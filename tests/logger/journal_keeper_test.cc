// The disk as it may be: full, failing at any step, gone; and flushing.
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>

#include "tests/logger/journal_fixture.h"

namespace gatebook::logger {
namespace {

using base::Metric;
using Condition = JournalState::Condition;
using Outcome = Appended::Outcome;

class JournalKeeperTest : public JournalTest {
 protected:
  JournalKeeperTest() { config_.segment_size = kLeastSegment; }
  // Takes what is left of the current segment and the spare.
  void UseUp() {
    while (Append(1).outcome == Outcome::kOk) {
    }
  }
  void NextRound(base::Duration after = std::chrono::seconds(11)) {
    clock_.Advance(after);
    journal_->RunKeeperOnce();
  }

  // For the disk's faults; a journal asks for them until it is closed.
  bool broken_ = false;
  int calls_ = 0;
};

TEST_F(JournalKeeperTest, AnyFailingStepIsSaidCountedAndHealed) {
  for (const DiskStep step :
       {DiskStep::kCreate, DiskStep::kAllocate, DiskStep::kMap, DiskStep::kSync, DiskStep::kRename}) {
    broken_ = false;
    fault_ = [this, step](const DiskCall& call) { return broken_ && call.step == step ? ENOSPC : 0; };
    Open();
    broken_ = true;
    UseUp();
    NextRound();
    EXPECT_EQ(journal_->state().condition, Condition::kFailing) << static_cast<int>(step);
    EXPECT_NE(journal_->state().error.find("No space left on device"), std::string::npos);
    EXPECT_GE(journal_->metrics().Get(Metric::kJournalErrors), 1u);
    EXPECT_EQ(Append(2).outcome, Outcome::kNoSegment);
    broken_ = false;
    NextRound();
    EXPECT_EQ(journal_->state().condition, Condition::kOk) << journal_->state().error;
    EXPECT_EQ(Append(2).outcome, Outcome::kOk);
    EXPECT_GT(StoreAll().size(), 100u);
    for (const auto& entry : std::filesystem::directory_iterator(config_.directory)) {
      EXPECT_NE(entry.path().extension(), ".new");
    }
  }
}

TEST_F(JournalKeeperTest, RetriesWithBackOff) {
  fault_ = [this](const DiskCall& call) { return call.step == DiskStep::kAllocate ? (++calls_, ENOSPC) : 0; };
  Open();
  EXPECT_EQ(calls_, 1);
  NextRound(std::chrono::milliseconds(99));
  EXPECT_EQ(calls_, 1);
  NextRound(std::chrono::milliseconds(1));
  EXPECT_EQ(calls_, 2);
  NextRound(std::chrono::milliseconds(199));
  EXPECT_EQ(calls_, 2);
  for (int round = 0; round < 100; ++round) NextRound(std::chrono::seconds(1));
  EXPECT_LE(calls_, 20);
}

TEST_F(JournalKeeperTest, RoomThatARemovalMakesIsUsedAtOnce) {
  fault_ = [this](const DiskCall& call) { return broken_ && call.step == DiskStep::kAllocate ? ENOSPC : 0; };
  Open();
  UseUp();
  NextRound();
  ASSERT_EQ(Append(2).outcome, Outcome::kOk);
  broken_ = true;
  UseUp();
  for (int round = 0; round < 60; ++round) NextRound(std::chrono::seconds(1));  // until it waits 10 s
  EXPECT_EQ(journal_->state().condition, Condition::kFailing);
  StoreAll();
  broken_ = false;
  NextRound(std::chrono::milliseconds(1));
  EXPECT_EQ(journal_->state().condition, Condition::kOk) << journal_->state().error;
  EXPECT_EQ(Append(3).outcome, Outcome::kOk);
}

TEST_F(JournalKeeperTest, AnUnlinkThatFailsIsTriedAgain) {
  broken_ = true;
  fault_ = [this](const DiskCall& call) { return broken_ && call.step == DiskStep::kUnlink ? EIO : 0; };
  Open();
  UseUp();
  NextRound();
  ASSERT_EQ(Append(2).outcome, Outcome::kOk);
  StoreAll();
  NextRound();
  const std::string delivered = config_.directory + "/" + SegmentName(0, 1);
  EXPECT_TRUE(std::filesystem::exists(delivered));
  EXPECT_EQ(journal_->state().condition, Condition::kFailing);
  broken_ = false;
  NextRound();
  EXPECT_FALSE(std::filesystem::exists(delivered));
  EXPECT_EQ(journal_->state().condition, Condition::kOk);
}

TEST_F(JournalKeeperTest, ADirectoryThatWasRemovedIsMadeAgain) {
  Open();
  const std::string instance = journal_->instance();
  ASSERT_EQ(Append(1).outcome, Outcome::kOk);
  std::filesystem::remove_all(config_.directory);
  NextRound();
  NextRound();
  EXPECT_EQ(journal_->state().condition, Condition::kOk) << journal_->state().error;
  UseUp();
  ASSERT_EQ(Append(2).outcome, Outcome::kNoSegment);
  NextRound();
  const Appended appended = Append(3);
  EXPECT_EQ(appended.outcome, Outcome::kOk);
  EXPECT_FALSE(Segments().empty());
  EXPECT_GT(StoreAll().size(), 100u);
  Open();
  EXPECT_EQ(journal_->instance(), instance);
  EXPECT_LT(appended.id, Append(4).id);
}

// Where tests may mount: a disk that is really full.
class FullDisk {
 public:
  explicit FullDisk(const std::string& path) : path_(path) {
    std::filesystem::create_directories(path_);
    mounted_ = ::mount("none", path_.c_str(), "tmpfs", 0, "size=512k") == 0;
  }
  ~FullDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool IsMounted() const { return mounted_; }

 private:
  const std::string path_;
  bool mounted_ = false;
};

TEST_F(JournalKeeperTest, AFullDiskIsAnErrorNeverASignal) {
  const FullDisk disk(config_.directory);
  config_.max_size = 1 << 30;
  if (!disk.IsMounted()) {  // not root: the same end of the file system by the seam
    fault_ = [made = 0](const DiskCall& call) mutable {
      return call.step == DiskStep::kAllocate && ++made > 7 ? ENOSPC : 0;
    };
  }
  Open();
  for (int round = 0; round < 10; ++round) {
    UseUp();
    NextRound();
  }
  EXPECT_EQ(journal_->state().condition, Condition::kFailing);
  EXPECT_NE(journal_->state().error.find("No space left on device"), std::string::npos);
  const auto taken = Count(Metric::kVisitsInJournal);
  EXPECT_EQ(StoreAll().size(), taken);
  if (!disk.IsMounted()) fault_ = nullptr;
  NextRound();  // unlinks
  NextRound();
  if (disk.IsMounted()) {
    EXPECT_EQ(journal_->state().condition, Condition::kOk) << journal_->state().error;
    EXPECT_EQ(Append(5).outcome, Outcome::kOk);
    EXPECT_EQ(StoreAll(), Numbers(5, 5));
  }
  Close();
}

TEST_F(JournalKeeperTest, FlushesForAllWhoAskedAtOnceAndSaysHowFar) {
  config_.flush = config::Flush::kAlways;
  fault_ = [this](const DiskCall& call) { return call.step == DiskStep::kSync ? (++calls_, 0) : 0; };
  Open();
  JournalWriter& writer = journal_->writer(0);
  int called = 0;
  writer.SetFlushCallback([&called] { ++called; });
  Append(1);
  writer.RequestFlush();
  const Appended second = Append(2);
  writer.RequestFlush();
  EXPECT_LT(writer.flushed_position(), second.position);
  EXPECT_EQ(called, 0);
  journal_->RunKeeperOnce();
  EXPECT_EQ(called, 1);
  EXPECT_EQ(writer.flushed_position(), second.position);
  EXPECT_FALSE(writer.IsFlushFailing());
  calls_ = 0;
  journal_->RunKeeperOnce();
  EXPECT_EQ(called, 1);
  EXPECT_EQ(calls_, 0);
}

TEST_F(JournalKeeperTest, FlushesAcrossSegments) {
  config_.flush = config::Flush::kAlways;
  Open();
  JournalWriter& writer = journal_->writer(0);
  UseUp();
  NextRound();
  const Appended last = Append(9);
  writer.RequestFlush();
  journal_->RunKeeperOnce();
  EXPECT_EQ(writer.flushed_position(), last.position);
}

TEST_F(JournalKeeperTest, AFlushThatFailsIsToldToWhoWaitsAndTriedAgain) {
  config_.flush = config::Flush::kAlways;
  fault_ = [this](const DiskCall& call) { return broken_ && call.step == DiskStep::kSync ? EIO : 0; };
  Open();
  JournalWriter& writer = journal_->writer(0);
  int called = 0;
  writer.SetFlushCallback([&called] { ++called; });
  const Appended appended = Append(1);
  journal_->RunKeeperOnce();  // the spare that replaces the one just taken
  broken_ = true;
  writer.RequestFlush();
  journal_->RunKeeperOnce();
  EXPECT_EQ(called, 1);
  EXPECT_TRUE(writer.IsFlushFailing());
  EXPECT_LT(writer.flushed_position(), appended.position);
  EXPECT_EQ(journal_->state().condition, Condition::kFailing);
  EXPECT_NE(journal_->state().error.find("cannot flush"), std::string::npos);
  broken_ = false;
  NextRound();
  EXPECT_EQ(writer.flushed_position(), appended.position);
  EXPECT_FALSE(writer.IsFlushFailing());
  EXPECT_EQ(journal_->state().condition, Condition::kOk);
}

TEST_F(JournalKeeperTest, WhoAsksWhileTheDiskFailsIsAnsweredWhenTheFlushIsTriedAgain) {
  config_.flush = config::Flush::kAlways;
  fault_ = [this](const DiskCall& call) { return broken_ && call.step == DiskStep::kSync ? EIO : 0; };
  Open();
  JournalWriter& writer = journal_->writer(0);
  int called = 0;
  writer.SetFlushCallback([&called] { ++called; });
  Append(1);
  journal_->RunKeeperOnce();
  broken_ = true;
  writer.RequestFlush();
  journal_->RunKeeperOnce();
  ASSERT_TRUE(writer.IsFlushFailing());
  broken_ = false;
  called = 0;
  const Appended second = Append(2);
  writer.RequestFlush();
  journal_->RunKeeperOnce();  // within the back-off: not tried, not forgotten
  EXPECT_EQ(called, 0);
  EXPECT_TRUE(writer.IsFlushFailing());
  NextRound(std::chrono::milliseconds(100));
  EXPECT_EQ(called, 1);
  EXPECT_EQ(writer.flushed_position(), second.position);
  EXPECT_FALSE(writer.IsFlushFailing());
}

TEST_F(JournalKeeperTest, OneWorkersFailingFlushHoldsUpNoOther) {
  config_.flush = config::Flush::kAlways;
  fault_ = [this](const DiskCall& call) { return broken_ && call.step == DiskStep::kSync ? EIO : 0; };
  Open(2);
  int called = 0;
  journal_->writer(1).SetFlushCallback([&called] { ++called; });
  Append(1, 0);
  const Appended other = Append(2, 1);
  journal_->RunKeeperOnce();
  journal_->writer(1).RequestFlush();
  journal_->RunKeeperOnce();
  ASSERT_EQ(called, 1);
  ASSERT_EQ(journal_->writer(1).flushed_position(), other.position);
  broken_ = true;
  journal_->writer(0).RequestFlush();
  journal_->RunKeeperOnce();
  ASSERT_TRUE(journal_->writer(0).IsFlushFailing());
  ASSERT_FALSE(journal_->writer(1).IsFlushFailing());

  // While the disk fails for it too, it is told so at once.
  Append(3, 1);
  journal_->writer(1).RequestFlush();
  journal_->RunKeeperOnce();
  EXPECT_EQ(called, 2);
  EXPECT_TRUE(journal_->writer(1).IsFlushFailing());
  broken_ = false;
  NextRound();
  EXPECT_EQ(called, 3);
  EXPECT_EQ(journal_->state().condition, Condition::kOk);

  broken_ = true;
  Append(4, 0);
  journal_->writer(0).RequestFlush();
  journal_->RunKeeperOnce();
  broken_ = false;
  const Appended last = Append(5, 1);
  journal_->writer(1).RequestFlush();
  journal_->RunKeeperOnce();  // the other's back-off runs
  EXPECT_EQ(called, 4);
  EXPECT_EQ(journal_->writer(1).flushed_position(), last.position);
  EXPECT_EQ(journal_->state().condition, Condition::kFailing);
  NextRound();
  EXPECT_EQ(journal_->state().condition, Condition::kOk);
}

TEST_F(JournalKeeperTest, FlushesEverySecondUnlessToldNotTo) {
  for (const auto flush : {config::Flush::kEverySecond, config::Flush::kNo}) {
    config_.flush = flush;
    Open();
    const Appended appended = Append(1);
    NextRound(std::chrono::milliseconds(999));
    EXPECT_LT(journal_->writer(0).flushed_position(), appended.position);
    NextRound(std::chrono::milliseconds(1));
    EXPECT_EQ(journal_->writer(0).flushed_position() >= appended.position,
              flush == config::Flush::kEverySecond);
    StoreAll();
  }
}

}  // namespace
}  // namespace gatebook::logger
