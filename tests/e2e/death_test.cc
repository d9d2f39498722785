// kill -9 at moments that matter: among answers, while the journal changes segments, while what was left is
// taken over. What a client has whole is in the book, once.
#include <filesystem>
#include <set>

#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class DeathTest : public EdgeTest {
 protected:
  // A segment holds some 300 visits: they change all the time.
  DeathTest() { Say("journal", "max_size = \"16MiB\"\nsegment_size = \"64KiB\""); }

  // Asks `times` at once and reads `read` answers, whose requests must be in the book.
  void Ask(RawClient& client, size_t times, size_t read) {
    std::string requests;
    for (size_t i = 0; i < times; ++i) requests += Request("GET " + Path(asked_ + i));
    ASSERT_TRUE(client.Send(requests));
    for (size_t i = 0; i < read; ++i) {
      const auto answer = client.ReadResponse();
      ASSERT_TRUE(answer) << i;
      ASSERT_EQ(answer->status(), 200);
      answered_.insert(Path(asked_ + i));
    }
    asked_ += times;
  }
  void AskAll(size_t times) {
    RawClient client(edge_->Plain());
    for (size_t done = 0; done < times && !HasFailure(); done += 100) Ask(client, 100, 100);
  }
  static std::string Path(size_t number) { return "/asked/" + std::to_string(number); }

  void WhatWasAnsweredIsInTheBookOnce() {
    ASSERT_TRUE(edge_->WaitDelivered());
    std::multiset<std::string> paths;
    for (const json& visit : edge_->Visits()) paths.insert(visit["path"].get<std::string>());
    for (const std::string& path : answered_) EXPECT_TRUE(paths.contains(path)) << path;
    for (const std::string& path : paths) EXPECT_EQ(paths.count(path), 1u) << path;
  }

  std::set<std::string> SegmentFiles() const {
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(edge_->journal_directory())) {
      if (entry.is_regular_file()) files.insert(entry.path());
    }
    return files;
  }
  // What the process has done so far, as its descriptors and maps tell.
  bool HasLockedTheJournal() {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(ProcessDirectory() + "/fd", error)) {
      if (std::filesystem::read_symlink(entry.path(), error) == edge_->journal_directory() + "/lock")
        return true;
    }
    return false;
  }
  bool HasMappedASegment() {
    return support::ReadFile(ProcessDirectory() + "/maps").find(".segment") != std::string::npos;
  }
  std::string ProcessDirectory() { return "/proc/" + std::to_string(edge_->process().pid()); }

  std::set<std::string> answered_;
  size_t asked_ = 0;
};

TEST_F(DeathTest, AKillAmongAnswersLosesNoneOfThemAndDoublesNone) {
  options_.workers = 2;
  Start();
  for (const size_t read : {1u, 40u, 99u, 7u, 250u, 100u}) {
    {
      RawClient client(edge_->Plain());
      Ask(client, 300, read);
      edge_->Kill();
    }
    ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  }
  WhatWasAnsweredIsInTheBookOnce();
}

TEST_F(DeathTest, AKillWhileTheJournalChangesItsSegmentLosesNothing) {
  Prepare();
  redis_->Stop();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  for (int round = 0; round < 4; ++round) {
    {
      RawClient client(edge_->Plain());
      const auto before = SegmentFiles();
      for (int i = 0; i < 100 && SegmentFiles() == before && !HasFailure(); ++i) Ask(client, 20, 20);
      EXPECT_NE(SegmentFiles(), before);
      edge_->Kill();
    }
    ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  }
  EXPECT_EQ(edge_->Metric("gatebook_visits_in_journal"), answered_.size());
  redis_->Start();
  WhatWasAnsweredIsInTheBookOnce();
}

TEST_F(DeathTest, AKillWhileWhatWasLeftIsTakenOverLosesNothing) {
  Prepare();
  redis_->Stop();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  AskAll(3000);
  edge_->Kill();
  redis_->Start();
  // From its first step to its first deliveries.
  const std::vector<std::function<bool()>> moments = {
      [] { return true; },
      [&] { return HasLockedTheJournal(); },
      [&] { return HasMappedASegment(); },
      [&] { return edge_->Admin("/metrics").status() == 200; },
      [&] { return edge_->Metric("gatebook_redis_up") == 1; },
      [&] {
        return redis_->Ask({"KEYS", "gb:visits:*"}) != "";
      },
  };
  for (const auto& moment : moments) {
    edge_->Launch();
    ASSERT_TRUE(WaitUntil(moment));
    edge_->Kill();
  }
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  AskAll(100);
  WhatWasAnsweredIsInTheBookOnce();
  EXPECT_EQ(edge_->Visits().size(), 3100u);
}

TEST_F(DeathTest, ABacklogOutlivesStopsInGoodOrder) {
  Prepare();
  redis_->Stop();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
    EXPECT_EQ(edge_->Metric("gatebook_visits_in_journal"), answered_.size());
    EXPECT_EQ(edge_->Metric("gatebook_visits_accepted_total"), answered_.size());
    AskAll(500);
    EXPECT_EQ(edge_->Stop(), 0) << edge_->process().Describe();
  }
  redis_->Start();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  WhatWasAnsweredIsInTheBookOnce();
}

}  // namespace
}  // namespace gatebook::e2e
