// That everything is destroyed in time, seen through the real binary.
#include <filesystem>
#include <fstream>

#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

class RetentionTest : public EdgeTest {
 protected:
  void Visit(int visits, const std::string& source = "127.0.0.1") {
    RawClient client(edge_->Tls(source));
    for (int i = 0; i < visits; ++i) {
      const auto answer = client.Get("/page/" + std::to_string(i));
      EXPECT_TRUE(answer && answer->status() == 200);
    }
  }
  support::Finished Retention(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), "retention");
    return edge_->Command(std::move(arguments));
  }
  json Status() { return json::parse(edge_->Admin("/status").body); }
  std::string LedgerPath() { return edge_->directory() + "/retention.ledger"; }
};

TEST_F(RetentionTest, WhatIsKeptIsProvenByCommandRoundAndLedger) {
  WithNames();
  Start();
  Visit(3);
  ASSERT_EQ(edge_->WaitForVisits(3).size(), 3u);
  const auto looked = Retention({"--json"});
  ASSERT_EQ(looked.exit_code, 0) << looked.output << looked.errors;
  const json report = json::parse(looked.output);
  EXPECT_EQ(report["places"]["visits"]["records"], 3);
  EXPECT_GE(report["places"]["index"]["records"], 1);
  EXPECT_EQ(report["places"]["names"]["records"], 1);
  EXPECT_EQ(report["retention"], "30d");
  EXPECT_THAT(Retention().output, HasSubstr("every promise is kept"));

  EXPECT_EQ(Retention({"--ledger"}).exit_code, 1) << "nothing is written yet";
  const auto round = Retention({"--round"});
  ASSERT_EQ(round.exit_code, 0) << round.output << round.errors << edge_->process().Errors();
  const json status = Status();
  EXPECT_EQ(status["retention"]["state"], "kept");
  EXPECT_EQ(status["retention"]["redis_rewrite"], "ok");
  EXPECT_EQ(status["clock"]["state"], "ok");
  EXPECT_EQ(edge_->Metric("gatebook_redis_rewrites_total{result=\"ok\"}"), 1u);
  EXPECT_THAT(redis_->Ask({"info", "persistence"}), HasSubstr("aof_rewrites:1\r"));
  const std::string digest = status["retention"]["ledger_digest"];
  EXPECT_THAT(edge_->process().Errors(), HasSubstr(digest));
  const auto ledger = Retention({"--ledger", "--expect", digest});
  EXPECT_EQ(ledger.exit_code, 0) << ledger.errors;
  EXPECT_THAT(ledger.output, HasSubstr("the chain holds: 1 lines"));
  EXPECT_EQ(Retention({"--ledger", "--expect", std::string(64, '0')}).exit_code, 1);
  EXPECT_THAT(support::ReadFile(LedgerPath()), Not(HasSubstr("127.0.0.1")));

  std::string text = support::ReadFile(LedgerPath());
  text.replace(text.find("\"records\":3"), 11, "\"records\":2");
  std::ofstream(LedgerPath(), std::ios::trunc) << text;
  const auto broken = Retention({"--ledger"});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.errors, HasSubstr("line 1 does not follow"));
}

TEST_F(RetentionTest, ABrokenPromiseIsSaidByCommandRoundAndMetric) {
  Start();
  Visit(1);
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  redis_->Ask({"set", "gb:stranger", "x"});
  EXPECT_EQ(Retention().exit_code, 1);
  const auto round = Retention({"--round"});
  EXPECT_EQ(round.exit_code, 1);
  EXPECT_EQ(round.output, "broken: other keys\n");
  EXPECT_EQ(edge_->Metric("gatebook_retention_rounds_total{result=\"broken\"}"), 1u);
  EXPECT_EQ(edge_->Metric("gatebook_retention_undated_keys"), 1u);
  EXPECT_THAT(edge_->process().Errors(), HasSubstr("a promise is broken"));
}

TEST_F(RetentionTest, WithoutRedisTheCommandSaysSoAndTheRoundIsTriedAgain) {
  Start();
  redis_->Kill();
  EXPECT_EQ(Retention().exit_code, 69);
  EXPECT_EQ(Retention({"--round"}).exit_code, 1);
  EXPECT_THAT(Status()["retention"]["state"].get<std::string>(), HasSubstr("failed: Redis at"));
  EXPECT_EQ(edge_->Metric("gatebook_retention_rounds_total{result=\"failed\"}"), 1u);
  redis_->Start();
  EXPECT_EQ(Retention({"--round"}).exit_code, 0);
}

TEST_F(RetentionTest, WhatTheCommandDoesNotKnowIsAUsageError) {
  Prepare();
  EXPECT_EQ(Retention({"--expect", "x"}).exit_code, 2);
  EXPECT_EQ(Retention({"--round", "--ledger"}).exit_code, 2);
  EXPECT_EQ(Retention({"--round"}).exit_code, 69) << "no edge runs";
  EXPECT_EQ(Retention({"--confirm-clock"}).exit_code, 69);
  verify_ = false;
}

}  // namespace
}  // namespace gatebook::e2e
