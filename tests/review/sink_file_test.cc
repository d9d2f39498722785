// Sinks that write files: turned over in time, destroyed in time, and what stands in the way.
#include "review/sink_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/review/sink_fixture.h"

namespace gatebook::review {
namespace {

class SinkFileTest : public SinkTest {};

TEST_F(SinkFileTest, WritesALineAVisitWithModeForTheGroupOnly) {
  Start();
  for (int i = 0; i < 1000; ++i) Give("/" + std::to_string(i));
  ASSERT_TRUE(Written(1000));
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 1000u);
  EXPECT_EQ(json::parse(lines[7])["url.path"], "/7");
  struct stat info;
  ASSERT_EQ(::stat(config_.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0137, 0u);
}

TEST_F(SinkFileTest, WritesOnlyWhatIsAskedFor) {
  config_.where = "path = /b";
  config_.fields = {"path"};
  config_.addresses = config::SinkAddresses::kShort;
  Start();
  Give("/a");
  Give("/b");
  ASSERT_TRUE(Written(1));
  EXPECT_EQ(metrics_.Get(Metric::kSinkVisitsFiltered), 1u);
  const json line = json::parse(Lines().at(0));
  EXPECT_EQ(line["url.path"], "/b");
  EXPECT_EQ(line["client.address"], "203.0.113.0/24");
  for (const char* name : {"client.ip", "client.domain", "url.domain", "user_agent.original",
                           "client.as.number", "client.geo.country_iso_code", "client.geo.city_name"}) {
    EXPECT_FALSE(line.contains(name)) << name;
  }
}

TEST_F(SinkFileTest, LeavesAddressesAndNamesOutWhereNoneAreWanted) {
  config_.addresses = config::SinkAddresses::kNone;
  Start();
  Give("/");
  ASSERT_TRUE(Written(1));
  EXPECT_EQ(Lines().at(0).find("203.0.113"), std::string::npos);
  EXPECT_EQ(Lines().at(0).find("example.org"), std::string::npos);
}

TEST_F(SinkFileTest, AQueryThatIsNoneIsAnErrorThatNamesTheSink) {
  config_.where = "path ~~ 3";
  const auto made = Sink::Make({config_, "edge1", keep_, clock_, metrics_});
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().message.find("[[sink]] \"test\": where:"), std::string::npos);
}

TEST_F(SinkFileTest, ADirectoryThatIsNotThereIsAnError) {
  config_.path = files_.Path("nowhere/visits");
  const auto made = Sink::Make({config_, "edge1", keep_, clock_, metrics_});
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().message.find("cannot write"), std::string::npos);
}

TEST_F(SinkFileTest, BeginsANewFileAfterItsTime) {
  config_.rotate_every = 1h;
  Start();
  const WallTime first = clock_.WallNow();
  Give("/1");
  ASSERT_TRUE(Written(1));
  clock_.Advance(61min);
  Give("/2");
  ASSERT_TRUE(Written(2));
  EXPECT_EQ(ClosedFiles(), std::vector{ClosedSinkFileName(config_.path, first)});
  EXPECT_EQ(Lines().size(), 1u);
}

TEST_F(SinkFileTest, BeginsANewFileBeforeItGrowsBeyondItsSize) {
  config_.rotate_size = 64 << 10;
  Start();
  for (int i = 0; i < 300; ++i) {
    clock_.Advance(1ms);
    Give("/" + std::to_string(i));
  }
  ASSERT_TRUE(Written(300));
  auto files = ClosedFiles();
  EXPECT_GT(files.size(), 2u);
  files.push_back(config_.path);
  size_t lines = 0;
  for (const std::string& file : files) {
    EXPECT_LE(std::filesystem::file_size(file), config_.rotate_size);
    lines += Lines(file).size();
  }
  EXPECT_EQ(lines, 300u);
}

TEST_F(SinkFileTest, DestroysAFileWhenItsOldestVisitIsOldEnoughAndNotBefore) {
  keep_ = 4h;  // so a file holds an hour at most
  Start();
  Give("/1");
  ASSERT_TRUE(Written(1));
  clock_.Advance(90min);
  Give("/2");
  ASSERT_TRUE(Written(2));
  ASSERT_EQ(ClosedFiles().size(), 1u);
  clock_.Advance(150min - 1ms);
  // A second of the sink's housekeeping is a second of the real clock: it looks every five.
  EXPECT_FALSE(WaitUntil([&] { return metrics_.Get(Metric::kSinkFilesDestroyed) != 0; }, 6s));
  clock_.Advance(1ms);
  EXPECT_TRUE(WaitUntil([&] { return metrics_.Get(Metric::kSinkFilesDestroyed) == 1; }));
  // The second one's time is not over, though it has been closed by now.
  EXPECT_EQ(ClosedFiles().size() + Lines().size(), 1u);
}

TEST_F(SinkFileTest, AFileIsClosedAndDestroyedThoughNobodyVisits) {
  keep_ = 4h;
  Start();
  Give("/1");
  ASSERT_TRUE(Written(1));
  clock_.Advance(4h);
  EXPECT_TRUE(WaitUntil([&] { return metrics_.Get(Metric::kSinkFilesDestroyed) == 1; }));
  EXPECT_TRUE(Lines().empty());
  EXPECT_TRUE(ClosedFiles().empty());
}

TEST_F(SinkFileTest, TakesUpWhatAnEarlierProcessLeft) {
  keep_ = 40h;
  const WallTime old = clock_.WallNow() - 39h;
  Start();
  Give("/old", old);
  Give("/new");
  ASSERT_TRUE(Written(2));
  End();
  // Killed in the midst of a line.
  std::ofstream(config_.path, std::ios::app) << "{\"@timestamp\":\"2026-";
  Start();
  Give("/later");
  ASSERT_TRUE(Written(3));
  size_t whole = 0;
  auto files = ClosedFiles();
  files.push_back(config_.path);
  for (const std::string& file : files) {
    for (const std::string& line : Lines(file)) whole += json::accept(line) ? 1 : 0;
  }
  EXPECT_EQ(whole, 3u);
  clock_.Advance(1h);
  EXPECT_TRUE(WaitUntil([&] { return metrics_.Get(Metric::kSinkFilesDestroyed) == 1; }));
}

TEST_F(SinkFileTest, AnOldVisitDoesNotTakeYoungerOnesWithIt) {
  keep_ = 40h;
  Start();
  Give("/young");
  Give("/old", clock_.WallNow() - 39h);
  Give("/young");
  ASSERT_TRUE(Written(3));
  clock_.Advance(1h);
  ASSERT_TRUE(WaitUntil([&] { return metrics_.Get(Metric::kSinkFilesDestroyed) == 1; }));
  size_t lines = Lines().size();
  for (const std::string& file : ClosedFiles()) lines += Lines(file).size();
  EXPECT_EQ(lines, 2u);
}

TEST_F(SinkFileTest, AVisitThatWouldHaveToGoAtOnceIsNotWritten) {
  keep_ = 1h;
  Start();
  Give("/", clock_.WallNow() - 1h);
  EXPECT_TRUE(WaitUntil([&] { return metrics_.Get(Metric::kSinkVisitsFiltered) == 1; }));
  EXPECT_TRUE(Lines().empty());
}

TEST_F(SinkFileTest, AFileThatWasRenamedIsLeftOnUsr1) {
  Start();
  Give("/1");
  ASSERT_TRUE(Written(1));
  std::filesystem::rename(config_.path, files_.Path("taken"));
  sink_->Reopen();
  Give("/2");
  ASSERT_TRUE(Written(2));
  EXPECT_EQ(Lines(files_.Path("taken")).size(), 1u);
  EXPECT_EQ(Lines().size(), 1u);
}

TEST_F(SinkFileTest, AFileThatSomebodyRemovedIsMadeAgain) {
  Start();
  Give("/1");
  ASSERT_TRUE(Written(1));
  std::filesystem::remove(config_.path);
  EXPECT_TRUE(WaitUntil([&] {
    Give("/2");
    return !Lines().empty();
  }));
}

TEST_F(SinkFileTest, WaitsForALockedFileAndGoesOn) {
  const int locked = ::open(config_.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(locked, LOCK_EX), 0);
  Start();
  Give("/");
  EXPECT_TRUE(WaitUntil([&] { return sink_->state().state.find("locked") != std::string::npos; }));
  EXPECT_EQ(metrics_.Get(Metric::kSinksBlocked), 1u);
  ::close(locked);
  ASSERT_TRUE(Written(1));
  EXPECT_TRUE(WaitUntil([&] { return sink_->state().state == "ok"; }));
  EXPECT_EQ(metrics_.Get(Metric::kSinksBlocked), 0u);
}

TEST_F(SinkFileTest, AFullDiskIsSaidAndCountedAndOvercome) {
  // What the kernel lets this process write into a file stands for what the disk has.
  const rlimit before = [] {
    rlimit limit;
    ::getrlimit(RLIMIT_FSIZE, &limit);
    return limit;
  }();
  ::signal(SIGXFSZ, SIG_IGN);
  config_.queue = 16;
  Start();
  Give("/0");
  ASSERT_TRUE(Written(1));
  const rlimit small{700, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  size_t left_out = 0;
  EXPECT_TRUE(WaitUntil([&] {
    left_out += Give("/more");
    return left_out > 0 && sink_->state().state.starts_with("blocked: ");
  }));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(WaitUntil([&] { return sink_->state().state == "ok" && sink_->state().queued == 0; }));
  for (const std::string& line : Lines()) EXPECT_TRUE(json::accept(line)) << line;
}

TEST_F(SinkFileTest, AFifoThatNobodyReadsHoldsUpNobodyAndGoesOnWhenItIsRead) {
  ASSERT_EQ(::mkfifo(config_.path.c_str(), 0600), 0);
  config_.queue = 64;
  Start();
  size_t left_out = 0;
  for (int i = 0; i < 1000; ++i) left_out += Give("/" + std::to_string(i));
  EXPECT_GT(left_out, 0u);
  EXPECT_TRUE(WaitUntil([&] { return sink_->state().state.find("nobody reads it") != std::string::npos; }));
  EXPECT_EQ(sink_->state().left_out, left_out);
  std::ifstream reader(config_.path);
  std::string line;
  for (size_t i = 0; i < 1000 - left_out; ++i) {
    ASSERT_TRUE(std::getline(reader, line));
    EXPECT_TRUE(json::accept(line));
  }
  EXPECT_TRUE(ClosedFiles().empty());
}

TEST_F(SinkFileTest, TheEndIsNotHeldUpByAPipeThatIsNotRead) {
  ASSERT_EQ(::mkfifo(config_.path.c_str(), 0600), 0);
  const int reader = ::open(config_.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  Start();
  for (int i = 0; i < 2000; ++i) Give("/" + std::to_string(i));
  ASSERT_TRUE(WaitUntil([&] { return sink_->state().state == "blocked: nothing is taken"; }));
  const auto before = std::chrono::steady_clock::now();
  End(10s);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  EXPECT_GT(metrics_.Get(Metric::kSinkVisitsDropped), 0u);
  ::close(reader);
}

}  // namespace
}  // namespace gatebook::review
