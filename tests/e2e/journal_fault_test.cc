// The journal's place on the disk is taken, taken away, full, or not to be had: said, and healed without a
// restart.
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class JournalFaultTest : public EdgeTest {
 protected:
  void VisitTimes(int times, const std::string& prefix) {
    RawClient client(edge_->Tls());
    for (int i = 0; i < times; ++i) {
      const auto answer = client.Get(prefix + std::to_string(i));
      ASSERT_TRUE(answer) << i;
      ASSERT_EQ(answer->status(), 200) << i;
    }
  }
  std::string JournalState() {
    const json status = json::parse(edge_->Admin("/status").body, nullptr, false);
    return status.is_object() ? status["journal"]["state"].get<std::string>() : "";
  }
};

TEST_F(JournalFaultTest, APlaceThatCannotBeHadIsOneSentenceAndAnExitCode) {
  Prepare();
  verify_ = false;
  std::ofstream(edge_->journal_directory()) << "a file";
  const auto refused = edge_->Command({"run"});
  EXPECT_EQ(refused.exit_code, 74) << refused.errors;
  EXPECT_THAT(refused.errors, testing::HasSubstr("journal directory " + edge_->journal_directory()));
}

TEST_F(JournalFaultTest, ADirectoryThatIsTakenAwayIsMadeAgainAndWhatComesThenOutlivesAKill) {
  Prepare();
  redis_->Stop();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  VisitTimes(5, "/before/");
  // The keeper may be making a segment in it meanwhile.
  ASSERT_TRUE(WaitUntil([&] {
    std::error_code error;
    std::filesystem::remove_all(edge_->journal_directory(), error);
    return !error;
  }));
  ASSERT_TRUE(WaitUntil([&] {
    const std::filesystem::path directory = edge_->journal_directory();
    if (!std::filesystem::exists(directory / "instance")) return false;
    return std::any_of(std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator(),
                       [](const auto& entry) { return entry.path().extension() == ".segment"; });
  }));
  EXPECT_GE(edge_->Metric("gatebook_journal_errors_total"), 1u);
  VisitTimes(5, "/after/");
  EXPECT_TRUE(WaitUntil([&] { return JournalState() == "ok"; })) << JournalState();
  edge_->Kill();
  redis_->Start();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  const auto visits = edge_->WaitForVisits(5);
  ASSERT_EQ(visits.size(), 5u);
  EXPECT_EQ(visits[0]["path"], "/after/0");
}

// A disk of 600 KiB; where tests may not mount one, the journal's own bound of 1 MiB stands in for it.
TEST_F(JournalFaultTest, AFullDiskIsSaidTrafficGoesOnAndItHealsWhenRedisIsBack) {
  Say("journal", "segment_size = \"64KiB\"\nmax_size = \"1MiB\"");
  Prepare();
  std::filesystem::create_directories(edge_->journal_directory());
  const bool mounted = ::mount("none", edge_->journal_directory().c_str(), "tmpfs", 0, "size=600k") == 0;
  redis_->Stop();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  const std::string expected = mounted ? "No space left on device" : "full";
  for (int round = 0; round < 20 && JournalState().find(expected) == std::string::npos; ++round)
    VisitTimes(500, "/" + std::to_string(round) + "/");
  EXPECT_THAT(JournalState(), testing::HasSubstr(expected));
  for (int round = 20; round < 40 && edge_->MetricSum("gatebook_visits_dropped_total") == 0; ++round)
    VisitTimes(100, "/" + std::to_string(round) + "/");
  EXPECT_GT(edge_->MetricSum("gatebook_visits_dropped_total"), 0u);
  redis_->Start();
  EXPECT_TRUE(WaitUntil([&] { return JournalState() == "ok"; })) << JournalState();
  EXPECT_TRUE(edge_->WaitDelivered());
  VisitTimes(1, "/healed/");
  EXPECT_TRUE(edge_->WaitDelivered());
  EXPECT_EQ(edge_->Visits({"--where", "path = \"/healed/0\""}).size(), 1u);
  EXPECT_EQ(edge_->Verify(), "");
  verify_ = false;
  if (mounted) ::umount2(edge_->journal_directory().c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace gatebook::e2e
