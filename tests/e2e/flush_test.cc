// journal.flush = "always": the last byte of an answer waits for the disk, and nobody waits for ever.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class FlushTest : public EdgeTest {
 protected:
  FlushTest() { Say("journal", "flush = \"always\""); }
};

TEST_F(FlushTest, EveryAnswerArrivesAndStandsInTheBook) {
  options_.workers = 2;
  Start();
  RawClient kept(edge_->Tls());
  for (int i = 0; i < 20; ++i) {
    const auto answer = kept.Get("/kept/" + std::to_string(i));
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->body, "hello");
  }
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(RawClient(edge_->Plain()).Get("/once"));
  EXPECT_EQ(edge_->WaitForVisits(30).size(), 30u);
}

TEST_F(FlushTest, PipelinedRequestsAreAnsweredInOrder) {
  Start();
  RawClient client(edge_->Tls());
  std::string requests;
  for (int i = 0; i < 10; ++i) requests += Request("GET /" + std::to_string(i));
  ASSERT_TRUE(client.Send(requests + Request("POST /last", "Content-Length: 5\r\n") + "bytes"));
  for (int i = 0; i < 11; ++i) {
    const auto answer = client.ReadResponse();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->status(), 200);
  }
  const auto visits = edge_->WaitForVisits(11);
  ASSERT_EQ(visits.size(), 11u);
  EXPECT_EQ(visits[3]["path"], "/3");
  EXPECT_EQ(visits[10]["path"], "/last");
}

TEST_F(FlushTest, OwnAnswersWaitForTheDiskAndArrive) {
  Start();
  RawClient redirected(edge_->Redirecting());
  ASSERT_TRUE(redirected.Send(Request("GET /redirected")));
  const auto redirect = redirected.ReadResponse();
  ASSERT_TRUE(redirect);
  EXPECT_EQ(redirect->status() / 100, 3);
  EXPECT_TRUE(redirect->complete);

  for (const std::string head : {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "no request at all\r\n\r\n",
                                 "POST /two HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1, 2\r\n\r\n"}) {
    RawClient refused(edge_->Plain());
    ASSERT_TRUE(refused.Send(head));
    const auto answer = refused.ReadResponse();
    ASSERT_TRUE(answer) << head;
    EXPECT_EQ(answer->status(), 400);
    EXPECT_TRUE(answer->complete);
    EXPECT_TRUE(refused.WaitClosed());
  }

  const auto visits = edge_->WaitForVisits(4);
  ASSERT_EQ(visits.size(), 4u);
  EXPECT_EQ(visits[0]["path"], "/redirected");
  for (size_t i = 1; i < 4; ++i) EXPECT_EQ(visits[i]["status"], 400) << visits[i].dump();
}

// Whoever has a whole answer stands in the book: also when all are killed at that moment.
TEST_F(FlushTest, AKillRightBehindAnAnswerLosesNoVisit) {
  Prepare();
  redis_->Stop();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  ASSERT_TRUE(RawClient(edge_->Tls()).Get("/whole"));
  edge_->Kill();
  redis_->Start();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["path"], "/whole");
}

}  // namespace
}  // namespace gatebook::e2e
