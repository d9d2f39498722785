// Workers, recorder and keeper at once; and processes that are killed.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/logger/journal_fixture.h"

namespace gatebook::logger {
namespace {

using Outcome = Appended::Outcome;

class JournalThreadsTest : public ::testing::Test {
 protected:
  JournalThreadsTest() {
    config_.directory = directory_.Path("journal");
    config_.segment_size = kLeastSegment;
    config_.max_size = 64 * kLeastSegment;
  }
  std::unique_ptr<Journal> Open(uint32_t workers) {
    auto opened = Journal::Open(config_, "edge1", workers, base::Clock::System());
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(opened).value();
  }

  support::TempDirectory directory_;
  config::Journal config_;
};

// Waits, without a limit of its own (the suite has one), until the bell rings.
void AwaitRing(Doorbell& bell) {
  pollfd waited{bell.fd(), POLLIN, 0};
  ::poll(&waited, 1, -1);
  bell.Answer();
}

TEST_F(JournalThreadsTest, TheRecorderGetsAllOfEveryWorkerInOrderWhileTheyWrite) {
  constexpr uint32_t kWorkers = 3;
  constexpr uint64_t kEach = 5000;
  const auto journal = Open(kWorkers);
  std::vector<std::thread> workers;
  for (uint32_t i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&, i] {
      VisitId last;
      for (uint64_t number = 1; number <= kEach;) {
        const Appended appended = journal->writer(i).Append(SmallVisit(number));
        if (appended.outcome != Outcome::kOk) {
          std::this_thread::yield();  // the keeper is behind
          continue;
        }
        EXPECT_LT(last, appended.id);
        last = appended.id;
        ++number;
      }
    });
  }
  std::vector<uint64_t> next(kWorkers, 1);
  while (next != std::vector<uint64_t>(kWorkers, kEach + 1)) {
    AwaitRing(journal->doorbell());
    for (JournalReader* reader : journal->readers()) {
      Record record;
      while (reader->Next(&record)) {
        EXPECT_EQ(record.visit.request_id, next[reader->worker()]);
        EXPECT_EQ(record.visit.host, "example.com");
        ++next[reader->worker()];
        if (next[reader->worker()] % 64 == 0) reader->Release(record.position);
      }
      if (record.position != 0) reader->Release(record.position);
    }
  }
  for (auto& worker : workers) worker.join();
}

TEST_F(JournalThreadsTest, EveryFlushThatIsAskedForIsAnswered) {
  config_.flush = config::Flush::kAlways;
  const auto journal = Open(1);
  JournalWriter& writer = journal->writer(0);
  Doorbell answered;
  writer.SetFlushCallback([&] { answered.Ring(); });
  for (uint64_t number = 1; number <= 50; ++number) {
    const Appended appended = writer.Append(SmallVisit(number));
    ASSERT_EQ(appended.outcome, Outcome::kOk);
    writer.RequestFlush();
    while (writer.flushed_position() < appended.position) AwaitRing(answered);
  }
  writer.SetFlushCallback(nullptr);
}

// A child that appends until it is killed, and tells each number only after its Append returned.
void AppendUntilKilled(const config::Journal& config, int told) {
  auto opened = Journal::Open(config, "edge1", 1, base::Clock::System());
  if (!opened) _exit(1);
  JournalWriter& writer = (*opened)->writer(0);
  for (uint64_t number = 1;;) {
    if (writer.Append(SmallVisit(number)).outcome != Outcome::kOk) continue;
    if (::write(told, &number, sizeof number) != sizeof number) _exit(1);
    ++number;
  }
}

TEST_F(JournalThreadsTest, AKilledProcessLosesNoVisitWhoseAppendReturned) {
  for (const uint64_t kill_at : {1, 2, 100, 1000, 3000}) {
    std::filesystem::remove_all(config_.directory);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const base::UniqueFd told(ends[0]);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      AppendUntilKilled(config_, ends[1]);
    }
    ::close(ends[1]);
    uint64_t number = 0;
    while (number < kill_at && ::read(told.get(), &number, sizeof number) == sizeof number) {
    }
    ASSERT_EQ(number, kill_at);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    while (::read(told.get(), &number, sizeof number) == sizeof number) {
    }

    const auto journal = Open(1);
    EXPECT_GE(journal->recovered_visits(), number);
    EXPECT_LE(journal->recovered_visits(), number + 1);  // appended, but killed before it could tell
    JournalReader& reader = *journal->readers()[0];
    Record record;
    uint64_t found = 0;
    while (reader.Next(&record)) EXPECT_EQ(record.visit.request_id, ++found);
    EXPECT_EQ(found, journal->recovered_visits());
  }
}

}  // namespace
}  // namespace gatebook::logger
