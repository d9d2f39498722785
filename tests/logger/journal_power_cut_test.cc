// The power goes at any moment: what journal.flush has promised stands in the book, whatever of the rest the
// disk has; and nothing is made up.
#include <algorithm>
#include <set>

#include "tests/logger/journal_fixture.h"
#include "tests/support/forgetful_disk.h"

namespace gatebook::logger {
namespace {

using base::Metric;
using config::Flush;
using Outcome = Appended::Outcome;

class JournalPowerCutTest : public JournalTest {
 protected:
  JournalPowerCutTest() {
    config_.segment_size = kLeastSegment;
    config_.max_size = 16 * kLeastSegment;
  }

  struct Taken {
    uint64_t number;
    VisitId id;
    JournalPosition position;
  };
  // Visits come, are delivered and erased, as chance wants it.
  void Live(std::mt19937_64& chance, int steps) {
    for (int step = 0; step < steps; ++step) {
      switch (chance() % 6) {
        case 0:
        case 1:
          for (uint64_t left = chance() % 300; left > 0; --left) {
            const Appended appended = Append(next_);
            if (appended.outcome != Outcome::kOk) break;
            taken_.push_back({next_++, appended.id, appended.position});
          }
          break;
        case 2:
          if (config_.flush == Flush::kAlways) journal_->writer(0).RequestFlush();
          journal_->RunKeeperOnce();
          break;
        case 3:
          clock_.Advance(std::chrono::milliseconds(chance() % 1500));
          journal_->RunKeeperOnce();
          break;
        case 4:
          for (uint64_t left = chance() % 200; left > 0; --left) {
            const uint64_t number = Store();
            if (number == 0) break;
            stored_.insert(number);
          }
          break;
        case 5:
          Reader().EraseReleased();
          break;
      }
    }
  }
  // What has been promised by now: all up to what was flushed last.
  std::set<uint64_t> Promised() const {
    std::set<uint64_t> promised;
    for (const Taken& one : taken_) {
      if (one.position <= journal_->writer(0).flushed_position()) promised.insert(one.number);
    }
    return promised;
  }
  // One life of a new journal and its power cut; `verify` sees what stands after it.
  void LiveAndCut(uint64_t seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 chance(seed);
    support::ForgetfulDisk disk(config_.directory);
    fault_ = [&disk](const DiskCall& call) {
      disk.Note(call);
      return 0;
    };
    taken_.clear();
    stored_.clear();
    next_ = 1;
    Open();
    Live(chance, 5 + static_cast<int>(chance() % 25));
    const std::set<uint64_t> promised = Promised();
    const std::string before = config_.directory;
    const std::string after = directory_.Path("after-" + std::to_string(seed));
    disk.Cut(after, chance);
    fault_ = nullptr;
    Close();
    std::filesystem::remove_all(before);

    config_.directory = after;
    clock_.SetWall(clock_.WallNow() - std::chrono::hours(48));  // a clock that a battery did not keep
    Open();
    EXPECT_TRUE(books_->AddUp());
    const std::vector<uint64_t> found = StoreAll();
    EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
    EXPECT_EQ(std::set(found.begin(), found.end()).size(), found.size());
    if (!found.empty()) {
      EXPECT_LT(found.back(), next_) << "never written";
    }
    std::set<uint64_t> known = stored_;
    known.insert(found.begin(), found.end());
    std::vector<uint64_t> lost;
    std::set_difference(promised.begin(), promised.end(), known.begin(), known.end(),
                        std::back_inserter(lost));
    EXPECT_EQ(lost, std::vector<uint64_t>());
    // Lost is at most what was under way; what had been delivered and erased is never called lost.
    EXPECT_LE(Count(Metric::kVisitsQuarantined), taken_.size() - promised.size());
    EXPECT_EQ(Count(Metric::kVisitsInJournal), 0u);
    journal_->RunKeeperOnce();
    if (!taken_.empty() && config_.flush != Flush::kNo) {
      const VisitId last = taken_.back().id;
      EXPECT_LT(last, Append(next_).id) << "Redis would take it for one it has";
    }
    Close();
    std::filesystem::remove_all(after);
    config_.directory = before;
    clock_.SetWall(clock_.WallNow() + std::chrono::hours(48));
  }

  std::vector<Taken> taken_;
  std::set<uint64_t> stored_;
  uint64_t next_ = 1;
};

TEST_F(JournalPowerCutTest, WithFlushAlwaysNothingIsLostWhosePositionWasFlushed) {
  config_.flush = Flush::kAlways;
  for (uint64_t seed = 1; seed <= 150; ++seed) LiveAndCut(seed);
}

TEST_F(JournalPowerCutTest, WithFlushEverysecNothingIsLostThatIsOlderThanTheLastRound) {
  config_.flush = Flush::kEverySecond;
  for (uint64_t seed = 1001; seed <= 1150; ++seed) LiveAndCut(seed);
}

TEST_F(JournalPowerCutTest, WithFlushNoWhatTheDiskHasIsReadAndNothingIsMadeUp) {
  config_.flush = Flush::kNo;
  for (uint64_t seed = 2001; seed <= 2150; ++seed) LiveAndCut(seed);
}

TEST_F(JournalPowerCutTest, WithFlushEverysecARoundAtMostASecondAgoHasAllBeforeIt) {
  config_.flush = Flush::kEverySecond;
  Open();
  for (int visit = 0; visit < 50; ++visit) {
    const Appended appended = Append(1);
    clock_.Advance(std::chrono::milliseconds(100));
    journal_->RunKeeperOnce();
    clock_.Advance(std::chrono::milliseconds(900));
    journal_->RunKeeperOnce();
    ASSERT_GE(journal_->writer(0).flushed_position(), appended.position);
  }
  StoreAll();
}

}  // namespace
}  // namespace gatebook::logger
