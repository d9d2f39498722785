#include "review/audit_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/support/temp_directory.h"
#include "tests/support/wait.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() {
    config_.file = files_.Path("audit.log");
    config_.keep = 30 * 24h;
  }
  AuditLog Log() { return {config_, clock_}; }
  void Add(const std::string& why = "case 7", const std::string& who = "alice") {
    const auto written = Log().Append({who, "command", "visits ip = 203.0.113.7", why});
    ASSERT_TRUE(written.ok()) << written.error().message;
  }
  AuditContents Read() {
    const auto contents = Log().Read();
    EXPECT_TRUE(contents.ok());
    return *contents;
  }
  std::string Text() { return support::ReadFile(config_.file); }
  void Write(const std::string& text) { std::ofstream(config_.file, std::ios::trunc) << text; }

  support::TempDirectory files_;
  config::Audit config_;
  base::ManualClock clock_{base::WallTime(std::chrono::days(20'000))};
};

TEST_F(AuditLogTest, BeforeTheFirstLineThereIsNone) {
  EXPECT_TRUE(Read().lines.empty());
  EXPECT_EQ(Read().broken, "");
  EXPECT_EQ(*Log().DestroyOld(), 0u);
}

TEST_F(AuditLogTest, WhoWhenWhatAndWhyAreReadBack) {
  Add();
  clock_.Advance(1h);
  Add("case 8", "bob");
  const AuditContents contents = Read();
  EXPECT_EQ(contents.broken, "");
  ASSERT_EQ(contents.lines.size(), 2u);
  EXPECT_EQ(contents.lines[1].number, 2u);
  EXPECT_EQ(contents.lines[1].time, clock_.WallNow());
  EXPECT_EQ(contents.lines[1].entry.who, "bob");
  EXPECT_EQ(contents.lines[1].entry.via, "command");
  EXPECT_EQ(contents.lines[1].entry.what, "visits ip = 203.0.113.7");
  EXPECT_EQ(contents.lines[1].entry.why, "case 8");
  struct stat file;
  ASSERT_EQ(::stat(config_.file.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
}

TEST_F(AuditLogTest, ALineThatIsJustBeingWrittenIsNoBreak) {
  Add();
  Add();
  const std::string whole = Text();
  const int writer = ::open(config_.file.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(writer, LOCK_EX), 0);
  ASSERT_EQ(::ftruncate(writer, static_cast<off_t>(whole.size() - 20)), 0);
  std::thread other([&] {
    const auto waits = [](const std::string& locks) { return locks.find("-> FLOCK") != std::string::npos; };
    EXPECT_TRUE(support::WaitUntil([&] { return waits(support::ReadFile("/proc/locks")); }));
    EXPECT_EQ(::pwrite(writer, whole.data(), whole.size(), 0), static_cast<ssize_t>(whole.size()));
    ::close(writer);
  });
  EXPECT_EQ(Read().broken, "");
  other.join();
}

TEST_F(AuditLogTest, WithoutAReasonNothingIsWritten) {
  for (const char* none : {"", "   ", "...", "\t-\n"}) {
    const auto written = Log().Append({"alice", "command", "visits", none});
    ASSERT_FALSE(written.ok()) << none;
    EXPECT_EQ(written.error().exit_code, base::ExitCode::kUsage);
  }
  EXPECT_FALSE(Log().Append({"alice", "command", "visits", std::string(501, 'x')}).ok());
  EXPECT_TRUE(Read().lines.empty());
  Add("ü");
}

TEST_F(AuditLogTest, TextsThatWouldActAreMadeHarmlessAndLongOnesCut) {
  const auto written = Log().Append(
      {"al\x1b[2J\nice", "command", std::string(100'000, '"') + "\n{\"n\":9}", "a\"\n,\"chain\":\"x"});
  ASSERT_TRUE(written.ok());
  const AuditContents contents = Read();
  EXPECT_EQ(contents.broken, "");
  ASSERT_EQ(contents.lines.size(), 1u);
  EXPECT_LE(Text().size(), 16u << 10);
  EXPECT_EQ(contents.lines[0].entry.who.find('\x1b'), std::string::npos);
  EXPECT_EQ(contents.lines[0].entry.why.find('\n'), std::string::npos);
}

TEST_F(AuditLogTest, AnyChangedByteBreaksTheChain) {
  Add("case 1");
  Add("case 2");
  const std::string text = Text();
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == '7' ? '8' : '7';
    Write(changed);
    EXPECT_NE(Read().broken, "") << "byte " << i;
  }
}

TEST_F(AuditLogTest, ALineThatIsTakenOutFromAmongOthersBreaksTheChain) {
  for (int i = 0; i < 3; ++i) Add();
  const std::string text = Text();
  const size_t first = text.find('\n') + 1;
  const size_t second = text.find('\n', first) + 1;
  Write(text.substr(0, first) + text.substr(second));
  EXPECT_THAT(Read().broken, HasSubstr("line 2"));
}

TEST_F(AuditLogTest, OldLinesAreDestroyedAndTheChainStillHolds) {
  Add("case 1");
  Add("case 2");
  clock_.Advance(20 * 24h);
  Add("case 3");
  EXPECT_EQ(*Log().DestroyOld(), 0u);
  clock_.Advance(11 * 24h);
  EXPECT_EQ(*Log().DestroyOld(), 2u);
  EXPECT_EQ(Text().find("case 1"), std::string::npos);
  Add("case 4");
  const AuditContents contents = Read();
  EXPECT_EQ(contents.broken, "");
  ASSERT_EQ(contents.lines.size(), 2u);
  EXPECT_EQ(contents.lines[0].number, 3u);
  EXPECT_EQ(contents.lines[1].number, 4u);
}

TEST_F(AuditLogTest, WhenAllLinesAreOldOneSaysSoAndTheNumbersGoOn) {
  Add("case 1");
  Add("case 2");
  clock_.Advance(31 * 24h);
  EXPECT_EQ(*Log().DestroyOld(), 2u);
  EXPECT_EQ(*Log().DestroyOld(), 0u);
  const AuditContents contents = Read();
  EXPECT_EQ(contents.broken, "");
  ASSERT_EQ(contents.lines.size(), 1u);
  EXPECT_EQ(contents.lines[0].number, 3u);
  EXPECT_EQ(contents.lines[0].entry.why, "audit.keep");
}

TEST_F(AuditLogTest, ALineCutShortShowsAndTheNextStandsForItself) {
  Add("case 1");
  Add("case 2");
  const std::string text = Text();
  Write(text.substr(0, text.size() - 30));
  EXPECT_THAT(Read().broken, HasSubstr("line 2"));
  Add("case 3");
  const AuditContents contents = Read();
  EXPECT_THAT(contents.broken, HasSubstr("line 2"));
  ASSERT_EQ(contents.lines.size(), 3u);
  EXPECT_EQ(contents.lines[2].number, 3u);
  EXPECT_EQ(contents.lines[2].entry.why, "case 3");
}

TEST_F(AuditLogTest, ManyWritersAndOneThatDestroysLoseNothing) {
  constexpr int kWriters = 4;
  constexpr int kLines = 25;
  Add("old");
  clock_.Advance(31 * 24h);
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([this, i] {
      for (int n = 0; n < kLines; ++n) {
        EXPECT_TRUE(Log().Append({"writer " + std::to_string(i), "test", "nothing", "to see"}).ok());
      }
    });
  }
  threads.emplace_back([this] {
    for (int n = 0; n < 20; ++n) EXPECT_TRUE(Log().DestroyOld().ok());
  });
  for (std::thread& thread : threads) thread.join();
  const AuditContents contents = Read();
  EXPECT_EQ(contents.broken, "");
  // The old line may have gone while it was the only one: then one stands in its place.
  const bool replaced = contents.lines.front().entry.who == "gatebook";
  EXPECT_EQ(contents.lines.size(), static_cast<size_t>(kWriters * kLines) + (replaced ? 1 : 0));
}

TEST_F(AuditLogTest, OneThatCannotBeWrittenSaysSo) {
  config_.file = files_.Path("no/such/audit.log");
  EXPECT_EQ(Log().Append({"alice", "command", "visits", "case 7"}).error().exit_code,
            base::ExitCode::kCannotCreate);
  config_.file = files_.path();
  EXPECT_EQ(Log().Read().error().exit_code, base::ExitCode::kInputOutput);
}

}  // namespace
}  // namespace gatebook::review
