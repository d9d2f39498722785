// Every call that the journal asks of the disk fails: the first, the second, ..., once or for good.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "tests/logger/journal_fixture.h"

namespace gatebook::logger {
namespace {

using base::ExitCode;
using base::Metric;
using Outcome = Appended::Outcome;

constexpr uint64_t kFound = 20;  // visits that a killed process left

class JournalFaultTest : public JournalTest {
 protected:
  JournalFaultTest() {
    config_.segment_size = kLeastSegment;
    config_.max_size = 8 * kLeastSegment;
    left_ = directory_.Path("left");
    LeaveAJournal();
  }

  // What a killed process left: visits, one of them damaged, in a segment that nobody ended.
  void LeaveAJournal() {
    config_.flush = config::Flush::kNo;
    Open();
    uint64_t end = 0;
    for (uint64_t number = 1; number <= kFound + 1; ++number) {
      end = OffsetOf(Append(number == 6 ? 0 : number < 6 ? number : number - 1).position);
      if (number == 5) damage_at_ = end + 40;
    }
    std::filesystem::copy(config_.directory, left_);
    Close();
    books_.reset();
    for (const auto& entry : std::filesystem::directory_iterator(left_)) {
      if (entry.path().extension() != ".segment") continue;
      std::string bytes = support::ReadFile(entry.path());
      bytes[damage_at_] = static_cast<char>(bytes[damage_at_] ^ 1);
      WriteFile(entry.path(), bytes);
    }
    config_.flush = config::Flush::kEverySecond;
  }
  void Restore() {
    Close();
    std::filesystem::remove_all(config_.directory);
    std::filesystem::copy(left_, config_.directory);
  }
  void Note(const std::vector<uint64_t>& stored) { stored_.insert(stored.begin(), stored.end()); }
  void NextRound() {
    clock_.Advance(std::chrono::seconds(11));
    journal_->RunKeeperOnce();
  }
  // A journal's whole life but for its end: taken are the numbers that were promised a place.
  void Live() {
    for (uint64_t number = kFound + 1; number <= kFound + 900; ++number) {
      if (Append(number).outcome == Outcome::kOk) taken_.insert(number);
      if (number % 300 == 0) NextRound();
      if (number % 400 == 0) Note(StoreAll());
    }
    Note(StoreAll());
    Reader().EraseReleased();
    NextRound();
    Reader().EraseReleased();
    for (uint64_t number = 2001; number <= 2010; ++number) {
      if (Append(number).outcome == Outcome::kOk) taken_.insert(number);
    }
    EXPECT_TRUE(books_->AddUp());
  }
  // One life with the n-th calls failing as asked, and another start with a disk that is well. Whether any
  // call was reached.
  bool LiveWith(const std::function<bool(int call)>& fails, int error) {
    Restore();
    taken_.clear();
    stored_.clear();
    int calls = 0;
    bool reached = false;
    bool well = false;
    fault_ = [&](const DiskCall&) {
      const bool now = !well && fails(calls++);
      reached |= now;
      return now ? error : 0;
    };
    auto opened = TryOpen();
    if (opened) {
      journal_ = std::move(opened).value();
      Live();
      Close();
    } else {
      EXPECT_FALSE(opened.error().message.empty());
      EXPECT_TRUE(opened.error().exit_code == ExitCode::kCannotCreate ||
                  opened.error().exit_code == ExitCode::kInputOutput);
      books_.reset();
    }
    well = true;
    Open();
    Note(StoreAll());
    EXPECT_EQ(Count(Metric::kVisitsInJournal), 0u);
    NextRound();
    EXPECT_EQ(journal_->state().condition, JournalState::Condition::kOk) << journal_->state().error;
    EXPECT_EQ(Append(3000).outcome, Outcome::kOk);
    Close();
    fault_ = nullptr;
    return reached;
  }
  void ExpectAll(bool with_found) {
    std::set<uint64_t> expected = taken_;
    if (with_found) {
      for (uint64_t number = 1; number <= kFound; ++number) expected.insert(number);
    }
    std::vector<uint64_t> missing;
    std::set_difference(expected.begin(), expected.end(), stored_.begin(), stored_.end(),
                        std::back_inserter(missing));
    EXPECT_EQ(missing, std::vector<uint64_t>());
  }
  // A segment that the disk could not read stands there as it was.
  bool IsFoundQuarantined() const { return std::filesystem::exists(QuarantinePath() / SegmentName(0, 1)); }

  std::filesystem::path left_;
  uint64_t damage_at_ = 0;
  std::set<uint64_t> taken_;
  std::set<uint64_t> stored_;
};

TEST_F(JournalFaultTest, OneCallThatFailsLosesNothingWhicheverItIs) {
  for (const int error : {EMFILE, ENOSPC, EIO}) {
    int call = 0;
    while (LiveWith([call](int now) { return now == call; }, error)) {
      SCOPED_TRACE(testing::Message() << "call " << call << " " << std::strerror(error));
      ExpectAll(/*with_found=*/!(error == EIO && IsFoundQuarantined()));
      ++call;
    }
    EXPECT_GT(call, 40);
  }
}

TEST_F(JournalFaultTest, ADiskThatFailsForGoodFromAnyCallOnHoldsWhatItTook) {
  int call = 0;
  while (LiveWith([call](int now) { return now >= call; }, EROFS)) {
    SCOPED_TRACE(testing::Message() << "from call " << call);
    ExpectAll(/*with_found=*/true);
    ++call;
  }
  EXPECT_GT(call, 40);
}

TEST_F(JournalFaultTest, AFaultThatIsNotTheFilesOwnLeavesThemWhereTheyAre) {
  for (const int error : {EMFILE, ENFILE, ENOMEM, EACCES}) {
    for (const DiskStep step : {DiskStep::kOpen, DiskStep::kMap, DiskStep::kList}) {
      Restore();
      fault_ = [&](const DiskCall& call) {
        return call.step == step && (step == DiskStep::kList || call.name.ends_with(".segment")) ? error : 0;
      };
      const auto opened = TryOpen();
      ASSERT_FALSE(opened);
      EXPECT_EQ(opened.error().exit_code, ExitCode::kInputOutput);
      EXPECT_NE(opened.error().message.find(std::strerror(error)), std::string::npos)
          << opened.error().message;
      books_.reset();
      EXPECT_FALSE(IsFoundQuarantined());
      fault_ = nullptr;
      Open();
      EXPECT_EQ(StoreAll(), Numbers(1, kFound));
    }
  }
}

TEST_F(JournalFaultTest, APageThatTheDiskCannotReadCostsWhatStoodInItAlone) {
  Restore();
  Open();
  for (uint64_t number = kFound + 1; number <= 300; ++number) Append(number);
  const std::string copy = directory_.Path("copy");
  std::filesystem::copy(config_.directory, copy);
  StoreAll();
  Close();
  config_.directory = copy;
  int reads = 0;
  // The header; then all of it, and as that fails each page: the third.
  fault_ = [&reads](const DiskCall& call) {
    if (call.step != DiskStep::kRead || call.name != SegmentName(0, 2)) return 0;
    ++reads;
    return reads == 2 || reads == 5 ? EFAULT : 0;
  };
  Open();
  const auto found = StoreAll();
  EXPECT_LT(found.size(), 300u - 20u);
  EXPECT_GT(found.size(), 300u - 100u);
  EXPECT_EQ(Count(Metric::kVisitsQuarantined), 300 + 1 - found.size());
  EXPECT_EQ(Count(Metric::kVisitsInJournal), 0u);
}

TEST_F(JournalFaultTest, WritesThatTakeOneByteAtATimeWriteAll) {
  Restore();
  std::filesystem::remove(config_.directory + "/instance");
  fault_ = [](DiskCall& call) {
    if (call.step == DiskStep::kWrite) call.size = 1;
    return 0;
  };
  Open();
  EXPECT_EQ(support::ReadFile(config_.directory + "/instance"), journal_->instance() + "\n");
  EXPECT_EQ(support::ReadFile(config_.directory + "/lock"), std::to_string(::getpid()) + "\n");
  EXPECT_EQ(StoreAll(), Numbers(1, kFound));
  ASSERT_EQ(Count(Metric::kJournalDamage), 1u);
  for (const auto& kept : std::filesystem::directory_iterator(QuarantinePath()))
    EXPECT_GT(std::filesystem::file_size(kept), kRecordHeaderBytes);
}

TEST_F(JournalFaultTest, AQuarantineThatCannotBeWrittenHoldsUpNothing) {
  Restore();
  fault_ = [](const DiskCall& call) { return call.step == DiskStep::kWrite ? ENOSPC : 0; };
  std::filesystem::create_directory(QuarantinePath());
  Open();
  EXPECT_EQ(StoreAll(), Numbers(1, kFound));
  EXPECT_EQ(Count(Metric::kVisitsQuarantined), 1u);
  EXPECT_TRUE(std::filesystem::is_empty(QuarantinePath()));
}

// A file that can't be removed (made immutable, say) is that file's trouble.
TEST_F(JournalFaultTest, ASegmentThatCannotBeRemovedKeepsNoNewOneFromBeingMade) {
  fault_ = [](const DiskCall& call) { return call.step == DiskStep::kUnlink ? EPERM : 0; };
  Restore();
  Open();
  for (uint64_t number = 100; number < 2100; ++number) {
    ASSERT_EQ(Append(number).outcome, Outcome::kOk) << number;
    if (number % 100 != 0) continue;
    StoreAll();
    NextRound();
  }
  EXPECT_EQ(journal_->state().condition, JournalState::Condition::kFailing);
  EXPECT_NE(journal_->state().error.find("cannot remove"), std::string::npos) << journal_->state().error;
}

TEST_F(JournalFaultTest, AHeaderThatCannotBeFlushedKeepsNoNewSegmentFromBeingMade) {
  fault_ = [](const DiskCall& call) {
    return call.step == DiskStep::kSync && call.from == 0 && call.size == kSegmentHeaderBytes &&
                   call.name == SegmentName(0, 2)
               ? EIO
               : 0;
  };
  Restore();
  Open();
  StoreAll();
  for (uint64_t number = 100; number < 2100; ++number) {
    ASSERT_EQ(Append(number).outcome, Outcome::kOk) << number;
    if (number % 100 != 0) continue;
    StoreAll();
    Reader().EraseReleased();
    NextRound();
  }
}

}  // namespace
}  // namespace gatebook::logger
