#include "base/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait.h"

namespace gatebook::base {
namespace {

using support::ReadFile;
using support::WaitUntil;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    if (end == std::string::npos) {
      ADD_FAILURE() << "a line has no end: " << text.substr(at);
      break;
    }
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Standard error goes into a file as long as this lives.
class StandardErrorFile {
 public:
  explicit StandardErrorFile(const std::string& path) : former_(::dup(STDERR_FILENO)) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    ::dup2(file.get(), STDERR_FILENO);
  }
  ~StandardErrorFile() { ::dup2(former_.get(), STDERR_FILENO); }

 private:
  UniqueFd former_;
};

class LogTest : public testing::Test {
 protected:
  ~LogTest() override {
    LogSink::Close();
    // The levels of the other tests of this program.
    EXPECT_TRUE(LogSink::Open("", LogLevel::kInfo).ok());
    LogSink::Close();
  }
  support::TempDirectory directory_;
  const std::string path_ = directory_.Path("gatebook.log");
};

TEST_F(LogTest, ALineHasTimeLevelComponentAndText) {
  ASSERT_TRUE(LogSink::Open(path_, LogLevel::kDebug).ok());
  Log(LogLevel::kDebug, "redis", "tries {}", 3);
  LogInfo("redis", "connected");
  LogWarning("dns", "slow");
  LogError("tls", "no certificate");
  LogSink::Close();
  const auto lines = Lines(ReadFile(path_));
  ASSERT_EQ(lines.size(), 4U);
  const char* rest[] = {"debug redis: tries 3", "info redis: connected", "warning dns: slow",
                        "error tls: no certificate"};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_THAT(lines[i].substr(0, 25),
                testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z "));
    EXPECT_EQ(lines[i].substr(25), rest[i]);
  }
}

TEST_F(LogTest, WhatIsBelowTheLevelIsNotWritten) {
  ASSERT_TRUE(LogSink::Open(path_, LogLevel::kWarning).ok());
  EXPECT_FALSE(LogSink::IsEnabled(LogLevel::kInfo));
  EXPECT_TRUE(LogSink::IsEnabled(LogLevel::kWarning));
  LogInfo("a", "unheard");
  LogError("a", "heard");
  LogSink::Close();
  const auto lines = Lines(ReadFile(path_));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].ends_with("heard"));
}

TEST_F(LogTest, ControlBytesCannotMakeALineOrReachATerminal) {
  ASSERT_TRUE(LogSink::Open(path_, LogLevel::kInfo).ok());
  std::string hostile = "x";
  for (int c = 0; c < 0x20; ++c) hostile += static_cast<char>(c);
  hostile += "\x7f\n2026-01-01T00:00:00.000Z error a: forged";
  LogInfo("a", "{}", hostile);
  LogSink::Close();
  const auto lines = Lines(ReadFile(path_));
  ASSERT_EQ(lines.size(), 1U);
  for (const char c : lines[0]) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  EXPECT_NE(lines[0].find("x" + std::string(34, '?') + "2026"), std::string::npos);
}

TEST_F(LogTest, ALongLineIsCut) {
  ASSERT_TRUE(LogSink::Open(path_, LogLevel::kInfo).ok());
  LogInfo("a", "{}", std::string(1'000'000, 'x'));
  LogInfo("a", "next");
  LogSink::Close();
  const auto lines = Lines(ReadFile(path_));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_LE(lines[0].size(), 2048U + 64U);
  EXPECT_TRUE(lines[1].ends_with("next"));
}

TEST_F(LogTest, ReopeningGoesOnUnderTheOldNameInANewFile) {
  ASSERT_TRUE(LogSink::Open(path_, LogLevel::kInfo).ok());
  LogInfo("a", "before");
  ASSERT_TRUE(WaitUntil([&] { return ReadFile(path_).find("before") != std::string::npos; }));
  std::filesystem::rename(path_, path_ + ".1");
  LogInfo("a", "between");
  ASSERT_TRUE(WaitUntil([&] { return ReadFile(path_ + ".1").find("between") != std::string::npos; }));
  LogSink::Reopen();
  LogInfo("a", "after");
  LogSink::Close();
  EXPECT_EQ(Lines(ReadFile(path_ + ".1")).size(), 2U);
  const auto lines = Lines(ReadFile(path_));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].ends_with("after"));
}

TEST_F(LogTest, ChangesItsFileAndItsLevelWhileItRuns) {
  ASSERT_TRUE(LogSink::Open(path_, LogLevel::kInfo).ok());
  LogInfo("a", "before");
  ASSERT_TRUE(WaitUntil([&] { return ReadFile(path_).find("before") != std::string::npos; }));
  const std::string other = directory_.Path("other.log");
  auto file = LogSink::OpenFile(other);
  ASSERT_TRUE(file.ok());
  LogSink::Change(other, std::move(file).value(), LogLevelOf("warning"));
  LogInfo("a", "unheard");
  LogWarning("a", "after");
  ASSERT_TRUE(WaitUntil([&] { return ReadFile(other).find("after") != std::string::npos; }));
  // And is rotated under its new name.
  std::filesystem::rename(other, other + ".1");
  LogSink::Reopen();
  LogWarning("a", "rotated");
  LogSink::Close();
  EXPECT_EQ(Lines(ReadFile(path_)).size(), 1U);
  EXPECT_EQ(Lines(ReadFile(other + ".1")).size(), 1U);
  EXPECT_EQ(Lines(ReadFile(other)).size(), 1U);
  EXPECT_FALSE(LogSink::OpenFile(directory_.Path("none/a.log")).ok());
}

TEST_F(LogTest, AFileThatCannotBeReopenedIsWrittenOn) {
  const std::string folder = directory_.Path("logs");
  ASSERT_TRUE(std::filesystem::create_directory(folder));
  ASSERT_TRUE(LogSink::Open(folder + "/a.log", LogLevel::kInfo).ok());
  std::filesystem::rename(folder, folder + ".away");
  LogSink::Reopen();
  LogInfo("a", "still here");
  LogSink::Close();
  EXPECT_NE(ReadFile(folder + ".away/a.log").find("still here"), std::string::npos);
}

TEST_F(LogTest, AFileThatCannotBeMadeIsAnErrorWithItsName) {
  const auto status = LogSink::Open(directory_.Path("none/a.log"), LogLevel::kInfo);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().exit_code, ExitCode::kCannotCreate);
  EXPECT_NE(status.error().message.find("none/a.log"), std::string::npos);
}

TEST_F(LogTest, LinesOfManyThreadsComeWhole) {
  ASSERT_TRUE(LogSink::Open(path_, LogLevel::kInfo).ok());
  const uint64_t dropped = LogSink::dropped();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 500; ++i) LogInfo("thread", "{} says {}.", t, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  LogSink::Close();
  EXPECT_EQ(LogSink::dropped(), dropped);
  const auto lines = Lines(ReadFile(path_));
  EXPECT_EQ(lines.size(), 2000U);
  std::array<int, 4> next{};
  for (const std::string& line : lines) {
    int thread = 0;
    int number = 0;
    ASSERT_EQ(std::sscanf(line.c_str() + 25, "info thread: %d says %d.", &thread, &number), 2) << line;
    EXPECT_EQ(number, next.at(static_cast<size_t>(thread))++);  // each thread's in its order
  }
}

// The file is a pipe that nobody empties: the writer thread stands still, those who log do not.
TEST_F(LogTest, WhenTheDiskStandsStillLinesAreDroppedAndTheirNumberIsWritten) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  UniqueFd reader(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(reader.IsValid());
  ASSERT_TRUE(LogSink::Open(path_, LogLevel::kInfo).ok());
  const uint64_t dropped_before = LogSink::dropped();
  constexpr uint64_t kLines = 20000;
  for (uint64_t i = 0; i < kLines; ++i)
    LogInfo("flood", "line {} of many that are as long as such lines are in life", i);
  const uint64_t dropped = LogSink::dropped() - dropped_before;
  EXPECT_GT(dropped, 0U);
  EXPECT_LT(dropped, kLines - 4096);  // the queue was filled before any was dropped

  std::string text;
  std::thread draining([&] {
    char bytes[65536];
    while (true) {
      const ssize_t got = ::read(reader.get(), bytes, sizeof bytes);
      if (got == 0) return;  // Close() closed the other end
      if (got > 0) text.append(bytes, static_cast<size_t>(got));
      pollfd waiting{reader.get(), POLLIN, 0};
      ::poll(&waiting, 1, 1000);
    }
  });
  LogSink::Close();
  draining.join();
  uint64_t written = 0;
  uint64_t said = 0;
  for (const std::string& line : Lines(text)) {
    uint64_t number = 0;
    if (std::sscanf(line.c_str() + 25, "warning log: %lu lines were dropped", &number) == 1) {
      said += number;
    } else {
      ++written;
    }
  }
  EXPECT_EQ(written + dropped, kLines);
  EXPECT_EQ(said, dropped);

  // And it is said once: not again in the next log.
  const std::string next = directory_.Path("next.log");
  ASSERT_TRUE(LogSink::Open(next, LogLevel::kInfo).ok());
  LogInfo("a", "one");
  LogSink::Close();
  EXPECT_EQ(Lines(ReadFile(next)).size(), 1U);
}

TEST_F(LogTest, AfterClosingLinesGoToStandardError) {
  const std::string errors = directory_.Path("stderr");
  ASSERT_TRUE(LogSink::Open(path_, LogLevel::kInfo).ok());
  LogSink::Close();
  {
    const StandardErrorFile redirected(errors);
    LogInfo("a", "late");
  }
  EXPECT_TRUE(ReadFile(errors).ends_with("info a: late\n"));
  EXPECT_EQ(ReadFile(path_), "");
}

TEST_F(LogTest, NoLineIsLostWhileTheLogIsClosed) {
  const std::string errors = directory_.Path("stderr");
  {
    const StandardErrorFile redirected(errors);
    ASSERT_TRUE(LogSink::Open(path_, LogLevel::kInfo).ok());
    std::thread talker([] {
      for (int i = 0; i < 2000; ++i) LogInfo("talker", "{}", i);
    });
    ASSERT_TRUE(WaitUntil([&] { return !ReadFile(path_).empty(); }));
    LogSink::Close();
    talker.join();
  }
  EXPECT_EQ(Lines(ReadFile(path_)).size() + Lines(ReadFile(errors)).size(), 2000U);
}

}  // namespace
}  // namespace gatebook::base
