// What is damaged is kept for a look, within bounds, and no longer than visits may be.
#include "logger/journal_quarantine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/logger/journal_fixture.h"

namespace gatebook::logger {
namespace {

class JournalQuarantineTest : public JournalTest {
 protected:
  JournalQuarantineTest() {
    config_.segment_size = kLeastSegment;
    std::filesystem::create_directories(config_.directory);
  }
  size_t Kept() const {
    if (!std::filesystem::exists(QuarantinePath())) return 0;
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(QuarantinePath()), {}));
  }
  // Flips a byte of the record behind `end` in the first segment.
  void Damage(uint64_t end) {
    const base::UniqueFd file(::open(Segments().front().c_str(), O_RDWR | O_CLOEXEC));
    const auto at = static_cast<off_t>(end + 40);
    char byte = 0;
    ASSERT_EQ(::pread(file.get(), &byte, 1, at), 1);
    byte = static_cast<char>(byte ^ 1);
    ASSERT_EQ(::pwrite(file.get(), &byte, 1, at), 1);
  }

  const JournalDisk disk_;
};

TEST_F(JournalQuarantineTest, KeepsWithinItsBound) {
  JournalQuarantine quarantine(config_.directory, disk_);
  const std::string bytes(JournalQuarantine::kMostBytes / 2 + JournalQuarantine::kBlock, 'x');
  EXPECT_TRUE(quarantine.Keep("a", bytes, clock_.WallNow()));
  EXPECT_TRUE(quarantine.Keep("b", bytes, clock_.WallNow()));
  EXPECT_FALSE(quarantine.Keep("c", bytes, clock_.WallNow()));
  EXPECT_EQ(
      std::filesystem::file_size(QuarantinePath() / "a") + std::filesystem::file_size(QuarantinePath() / "b"),
      JournalQuarantine::kMostBytes);
  EXPECT_FALSE(JournalQuarantine(config_.directory, disk_).Keep("d", bytes, clock_.WallNow()));
}

TEST_F(JournalQuarantineTest, ManySmallRegionsCannotTakeMoreOfTheDiskThanTheBound) {
  JournalQuarantine quarantine(config_.directory, disk_);
  uint64_t kept = 0;
  while (quarantine.Keep(std::to_string(kept), "8 bytes.", clock_.WallNow())) ++kept;
  EXPECT_EQ(kept, JournalQuarantine::kMostBytes / JournalQuarantine::kBlock);
}

TEST_F(JournalQuarantineTest, TheSameRegionFoundAgainIsKeptOnceAndCountedOnce) {
  const std::string bytes(JournalQuarantine::kMostBytes / 2, 'x');
  JournalQuarantine quarantine(config_.directory, disk_);
  for (int start = 0; start < 3; ++start) EXPECT_TRUE(quarantine.Keep("a", bytes, clock_.WallNow()));
  EXPECT_TRUE(quarantine.Keep("b", bytes, clock_.WallNow()));
}

TEST_F(JournalQuarantineTest, WhatPeopleRemoveMakesRoom) {
  const std::string bytes(JournalQuarantine::kMostBytes, 'x');
  JournalQuarantine quarantine(config_.directory, disk_);
  EXPECT_TRUE(quarantine.Keep("a", bytes, clock_.WallNow()));
  EXPECT_FALSE(quarantine.Keep("b", bytes, clock_.WallNow()));
  std::filesystem::remove(QuarantinePath() / "a");
  quarantine.Purge(clock_.WallNow() - std::chrono::hours(1));
  EXPECT_TRUE(quarantine.Keep("b", bytes, clock_.WallNow()));
}

TEST_F(JournalQuarantineTest, ALinkInItsPlaceIsNotFollowed) {
  const std::string elsewhere = directory_.Path("elsewhere");
  std::filesystem::create_directory(elsewhere);
  WriteFile(elsewhere + "/old", "somebody's");
  std::filesystem::create_directory_symlink(elsewhere, QuarantinePath());
  JournalQuarantine quarantine(config_.directory, disk_);
  EXPECT_FALSE(quarantine.Keep("a", "bytes", clock_.WallNow()));
  quarantine.Purge(clock_.WallNow() + std::chrono::hours(100000));
  EXPECT_TRUE(std::filesystem::exists(elsewhere + "/old"));
}

// The retention counts from when a visit arrived, not from when its damage was found.
TEST_F(JournalQuarantineTest, WhatWasFoundLateIsDestroyedWithTheVisitsOfItsTime) {
  Open();
  const uint64_t end = OffsetOf(Append(1).position);
  Append(2);
  Append(3);
  Damage(end);
  clock_.Advance(std::chrono::hours(700));  // Redis was away
  EXPECT_EQ(StoreAll(), (std::vector<uint64_t>{1, 3}));
  journal_->RunKeeperOnce();
  ASSERT_EQ(Kept(), 1u);
  clock_.Advance(std::chrono::hours(19));
  journal_->RunKeeperOnce();
  EXPECT_EQ(Kept(), 1u) << "719 h";
  clock_.Advance(std::chrono::hours(1));
  journal_->RunKeeperOnce();
  EXPECT_EQ(Kept(), 0u) << "720 h";
}

TEST_F(JournalQuarantineTest, AFileWithoutAHeaderIsAsOldAsItsMaking) {
  const std::string name = SegmentName(0, 1);
  WriteFile(config_.directory + "/" + name, std::string(8192, 'x'));
  const std::array<timespec, 2> long_ago{timespec{1'000'000'000, 0}, timespec{1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (config_.directory + "/" + name).c_str(), long_ago.data(), 0), 0);
  const base::UniqueFd journal(::open(config_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  JournalQuarantine quarantine(config_.directory, disk_);
  EXPECT_TRUE(quarantine.TakeFile(journal.get(), name));
  struct stat info;
  ASSERT_EQ(::stat((QuarantinePath() / name).c_str(), &info), 0);
  EXPECT_EQ(info.st_mtime, 1'000'000'000);
}

TEST_F(JournalQuarantineTest, AFileThatComesAgainUnderItsNameReplacesNone) {
  const base::UniqueFd journal(::open(config_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  JournalQuarantine quarantine(config_.directory, disk_);
  for (int i = 0; i < 3; ++i) {
    WriteFile(config_.directory + "/file", "bytes");
    EXPECT_TRUE(quarantine.TakeFile(journal.get(), "file"));
  }
  EXPECT_EQ(Kept(), 3u);
}

TEST_F(JournalQuarantineTest, AFileForWhichThereIsNoRoomIsRemovedAndThatIsSaid) {
  JournalQuarantine quarantine(config_.directory, disk_);
  ASSERT_TRUE(quarantine.Keep("a", std::string(JournalQuarantine::kMostBytes - 4096, 'x'), clock_.WallNow()));
  WriteFile(config_.directory + "/file", std::string(8192, 'x'));
  const base::UniqueFd journal(::open(config_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_FALSE(quarantine.TakeFile(journal.get(), "file"));
  EXPECT_FALSE(std::filesystem::exists(config_.directory + "/file"));
}

}  // namespace
}  // namespace gatebook::logger
