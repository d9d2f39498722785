// What the recorder tells its tap, against a real Redis.
#include "logger/visit_tap.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "logger/erasures.h"
#include "tests/logger/recorder_fixture.h"

namespace gatebook::logger {
namespace {

class Listener final : public VisitTap {
 public:
  std::vector<std::string> paths() const {
    const std::lock_guard lock(mutex_);
    return paths_;
  }
  size_t closings() const {
    const std::lock_guard lock(mutex_);
    return closings_;
  }
  size_t unfinished() const {
    const std::lock_guard lock(mutex_);
    return since_all_;
  }

  void Listen(bool listening) { listening_ = listening; }

 private:
  bool IsListening() const override { return listening_; }
  void OnVisit(const Record& record, const Name&, const Place&) override {
    const std::lock_guard lock(mutex_);
    paths_.emplace_back(record.visit.path);
    ++since_all_;
  }
  void OnClosing(const Record&) override {
    const std::lock_guard lock(mutex_);
    ++closings_;
    ++since_all_;
  }
  void OnToldAll() override {
    const std::lock_guard lock(mutex_);
    since_all_ = 0;
  }
  void OnErasures(std::shared_ptr<const ErasureList>) override {}

  mutable std::mutex mutex_;
  std::vector<std::string> paths_;
  size_t closings_ = 0;
  size_t since_all_ = 0;
  std::atomic<bool> listening_{true};
};

std::vector<std::string> Paths(int from, int to) {
  std::vector<std::string> paths;
  for (int i = from; i < to; ++i) paths.push_back("/visit/" + std::to_string(i));
  return paths;
}

TEST(VisitTap, HearsOfEachVisitOnceAndInTheOrderOfTheJournal) {
  support::RedisServer redis;
  Listener tap;  // outlives the recorder
  Book book(redis.Config());
  book.SetTap(tap);
  book.Open();
  for (int i = 0; i < 3000; ++i) book.Write();
  ASSERT_TRUE(book.AllStored());
  EXPECT_EQ(tap.paths(), Paths(0, 3000));
  EXPECT_EQ(tap.unfinished(), 0u);
}

TEST(VisitTap, HearsOfClosings) {
  support::RedisServer redis;
  Listener tap;  // outlives the recorder
  Book book(redis.Config());
  book.SetTap(tap);
  book.Open();
  book.WriteClosing(0, book.Write(0, true));
  ASSERT_TRUE(support::WaitUntil([&] { return book.Count(Metric::kClosingsStored) == 1; }));
  EXPECT_EQ(tap.closings(), 1u);
}

TEST(VisitTap, HearsOfVisitsWhileRedisIsAwayAndNotAgainWhenItIsBack) {
  support::RedisServer redis;
  Listener tap;  // outlives the recorder
  Book book(redis.Config());
  book.SetTap(tap);
  book.Open();
  ASSERT_TRUE(support::WaitUntil([&] { return book.recorder().state().redis_up; }));
  for (int i = 0; i < 100; ++i) book.Write();
  redis.Stop();
  for (int i = 0; i < 2000; ++i) book.Write();
  EXPECT_TRUE(support::WaitUntil([&] { return tap.paths().size() == 2100; })) << tap.paths().size();
  redis.Start();
  for (int i = 0; i < 10; ++i) book.Write();
  ASSERT_TRUE(book.AllStored());
  EXPECT_EQ(tap.paths(), Paths(0, 2110));
}

TEST(VisitTap, HearsAgainOfWhatWasStillInTheJournal) {
  support::RedisServer redis;
  Listener tap;  // outlives the recorder
  Book book(redis.Config());
  book.Open();
  ASSERT_TRUE(support::WaitUntil([&] { return book.recorder().state().redis_up; }));
  redis.Stop();
  for (int i = 0; i < 50; ++i) book.Write();
  book.Close(0ms);
  book.SetTap(tap);
  book.Open();
  EXPECT_TRUE(support::WaitUntil([&] { return tap.paths().size() == 50; }));
  EXPECT_EQ(tap.paths(), Paths(0, 50));
}

TEST(VisitTap, DoesNotHearOfWhatIsOver) {
  support::RedisServer redis;
  Listener tap;  // outlives the recorder
  Book book(redis.Config());
  book.config().visit.retention = 0ms;
  book.SetTap(tap);
  book.Open();
  book.Write();
  EXPECT_TRUE(support::WaitUntil([&] { return book.Count(Metric::kVisitsDroppedExpired) == 1; }));
  EXPECT_TRUE(tap.paths().empty());
}

TEST(VisitTap, IsNotToldLaterOfWhatItDidNotWantToHear) {
  support::RedisServer redis;
  Listener tap;  // outlives the recorder
  Book book(redis.Config());
  tap.Listen(false);
  book.SetTap(tap);
  book.Open();
  for (int i = 0; i < 50; ++i) book.Write();
  ASSERT_TRUE(book.AllStored());
  tap.Listen(true);
  redis.Kill();
  redis.Start();
  book.Write();
  ASSERT_TRUE(book.AllStored());
  EXPECT_EQ(tap.paths(), Paths(50, 51));
}

}  // namespace
}  // namespace gatebook::logger
