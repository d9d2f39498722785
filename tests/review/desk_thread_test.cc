#include "review/desk_thread.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/net/loop_driver.h"
#include "tests/review/desk_asker.h"

namespace gatebook::review {
namespace {

TEST(DeskThread, TakesSoMuchAndGivesUpTheRest) {
  DeskThread thread(2);
  EXPECT_FALSE(thread.Do([] {})) << "not started";
  thread.Start();
  std::promise<void> begun, go_on;
  std::atomic<int> done{0};
  ASSERT_TRUE(thread.Do([&] {
    begun.set_value();
    go_on.get_future().wait();
    ++done;
  }));
  begun.get_future().wait();
  EXPECT_TRUE(thread.Do([&] { ++done; }));
  EXPECT_TRUE(thread.Do([&] { ++done; }));
  EXPECT_FALSE(thread.Do([&] { ++done; }));
  std::thread stopper([&] { thread.Stop(); });
  while (!thread.IsStopping()) std::this_thread::yield();
  go_on.set_value();
  stopper.join();
  EXPECT_EQ(done, 1);
  EXPECT_FALSE(thread.Do([] {}));
}

TEST(DeskReply, WhoHasGoneHearsNothingMore) {
  net::Loop loop;
  Reader reader(loop);
  reader.reply->Answer({});
  reader.reply->More("one");
  net::RunReady(loop);
  EXPECT_EQ(reader.answers.size(), 1u);
  EXPECT_EQ(reader.text, "one");
  EXPECT_EQ(reader.reply->backlog(), 0u);
  reader.reply->More("two");
  reader.reply->End();
  bool ran = false;
  reader.reply->Post([&ran] { ran = true; });
  EXPECT_FALSE(reader.reply->IsCancelled());
  reader.ticket.reset();
  EXPECT_TRUE(reader.reply->IsCancelled());
  net::RunReady(loop);
  EXPECT_EQ(reader.text, "one");
  EXPECT_FALSE(reader.has_ended);
  EXPECT_TRUE(ran) << "what is counted is counted";
}

}  // namespace
}  // namespace gatebook::review
