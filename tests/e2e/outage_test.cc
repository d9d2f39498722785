// Bad days: what gatebook leans on is away, slow or wrong. Traffic goes on, nothing is lost, it is said, and
// it heals.
#include <filesystem>
#include <fstream>

#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class OutageTest : public EdgeTest {
 protected:
  void VisitTimes(int times, const std::string& prefix = "/") {
    RawClient client(edge_->Tls());
    for (int i = 0; i < times; ++i) {
      const auto answer = client.Get(prefix + std::to_string(i));
      ASSERT_TRUE(answer) << i;
      ASSERT_EQ(answer->status(), 200) << i;
    }
  }
  std::string StatusText() { return edge_->Command({"status"}).output; }
};

TEST_F(OutageTest, RedisMayBeAwayAtTheStart) {
  Prepare();
  redis_->Stop();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  VisitTimes(10);
  EXPECT_EQ(edge_->Metric("gatebook_redis_up"), 0u);
  EXPECT_EQ(edge_->Metric("gatebook_visits_in_journal"), 10u);
  redis_->Start();
  const auto visits = edge_->WaitForVisits(10);
  EXPECT_EQ(visits.size(), 10u);
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_redis_up") == 1; }));
}

TEST_F(OutageTest, WhileRedisIsKilledAndBackAllVisitsArriveOnceAndInOrder) {
  Start();
  VisitTimes(20, "/before/");
  ASSERT_TRUE(edge_->WaitDelivered());
  redis_->Kill();
  VisitTimes(200, "/during/");
  EXPECT_GE(edge_->Metric("gatebook_visits_in_journal"), 200u);
  redis_->Start();
  ASSERT_TRUE(edge_->WaitDelivered());
  VisitTimes(20, "/after/");
  const auto visits = edge_->WaitForVisits(240);
  ASSERT_EQ(visits.size(), 240u);
  std::set<std::string> ids;
  for (const json& visit : visits) ids.insert(visit["id"].get<std::string>());
  EXPECT_EQ(ids.size(), 240u);
  EXPECT_EQ(visits[20]["path"], "/during/0");
  EXPECT_EQ(visits[219]["path"], "/during/199");
}

TEST_F(OutageTest, ARedisThatHangsHoldsNobodyUp) {
  Say("redis", "reply_timeout = \"500ms\"");
  Start();
  VisitTimes(1);
  ASSERT_TRUE(edge_->WaitDelivered());
  redis_->Freeze();
  VisitTimes(50);
  redis_->Thaw();
  EXPECT_EQ(edge_->WaitForVisits(51).size(), 51u);
}

TEST_F(OutageTest, ARedisThatRefusesWritesIsNamedInStatusAndNothingIsLost) {
  Start();
  VisitTimes(1);
  ASSERT_TRUE(edge_->WaitDelivered());
  redis_->Ask({"config", "set", "maxmemory", "1"});
  VisitTimes(5);
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_redis_error_replies_total") > 0; }));
  EXPECT_THAT(StatusText(), testing::HasSubstr("OOM"));
  redis_->Ask({"config", "set", "maxmemory", "0"});
  EXPECT_EQ(edge_->WaitForVisits(6).size(), 6u);
}

TEST_F(OutageTest, ASilentNameServerDelaysNoRequestAndVisitsSayTimeout) {
  support::SilentDnsServer silent;
  options_.dns = silent.address();
  Say("dns", "timeout = \"400ms\"");
  Start();
  // First those whose names are asked for in vain, then those who come when the server is taken for dead.
  for (const int from : {1, 101}) {
    const uint64_t known = edge_->Metric("gatebook_dns_names_total{check=\"timeout\"}");
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 30; ++i) {
      RawClient client(edge_->Plain("127.0.0." + std::to_string(from + i)));
      ASSERT_TRUE(client.Get("/"));
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
    ASSERT_TRUE(WaitUntil(
        [&] { return edge_->Metric("gatebook_dns_names_total{check=\"timeout\"}") >= known + 30; }));
  }
  // It is looked at every few seconds.
  EXPECT_TRUE(WaitUntil([&] { return StatusText().find("no server answers") != std::string::npos; }));
  const auto visits = edge_->WaitForVisits(60);
  ASSERT_EQ(visits.size(), 60u);
  for (const json& visit : visits) EXPECT_EQ(visit["dns_check"], "timeout") << visit["ip"];
  EXPECT_GT(silent.questions(), 0u);
}

TEST_F(OutageTest, NamesAreConfirmedDoubtedMissingOrInvalid) {
  WithNames();
  Start();
  const std::map<std::string, std::string> expected = {{"127.0.0.2", "confirmed"},
                                                       {"127.0.0.3", "unconfirmed"},
                                                       {"127.0.0.4", "none"},
                                                       {"127.0.0.5", "invalid"}};
  for (const auto& [address, check] : expected) {
    RawClient client(edge_->Tls(address));
    ASSERT_TRUE(client.Get("/"));
  }
  const auto visits = edge_->WaitForVisits(expected.size());
  ASSERT_EQ(visits.size(), expected.size());
  for (const json& visit : visits) {
    EXPECT_EQ(visit["dns_check"], expected.at(visit["ip"].get<std::string>())) << visit.dump();
  }
}

TEST_F(OutageTest, AFullJournalIsCountedAndTrafficGoesOn) {
  Say("journal", "max_size = \"256KiB\"\nsegment_size = \"64KiB\"");
  Prepare();
  redis_->Stop();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  VisitTimes(4000);
  EXPECT_GT(edge_->MetricSum("gatebook_visits_dropped_total"), 0u);
  EXPECT_EQ(edge_->WhatIsLeft().find("accepted"), std::string::npos);
  redis_->Start();
  EXPECT_TRUE(edge_->WaitDelivered());
}

TEST_F(OutageTest, AFullJournalRefusesTrafficIfThatIsTheChoice) {
  Say("journal", "max_size = \"256KiB\"\nsegment_size = \"64KiB\"\non_full = \"refuse\"");
  Prepare();
  redis_->Stop();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  int status = 200;
  for (int i = 0; i < 6000 && status == 200; ++i) {
    RawClient client(edge_->Plain());
    status = client.Get("/").value_or(HttpMessage{}).status();
  }
  EXPECT_EQ(status, 503);
  EXPECT_GE(Refusals("journal_full"), 1u);
  redis_->Start();
  EXPECT_TRUE(
      WaitUntil([&] { return RawClient(edge_->Plain()).Get("/").value_or(HttpMessage{}).status() == 200; }));
}

TEST_F(OutageTest, DamageInTheJournalIsSetAsideAndTheRestArrives) {
  Prepare();
  redis_->Stop();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  VisitTimes(30, "/damage/");
  edge_->Kill();
  bool damaged = false;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(edge_->journal_directory())) {
    if (!entry.is_regular_file()) continue;
    std::string content = support::ReadFile(entry.path());
    const size_t at = content.find("/damage/15");
    if (at == std::string::npos) continue;
    std::fstream file(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file.write("XXXX", 4);
    damaged = true;
  }
  ASSERT_TRUE(damaged);
  redis_->Start();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  ASSERT_TRUE(edge_->WaitDelivered());
  EXPECT_EQ(edge_->Visits().size(), 29u);
  EXPECT_EQ(edge_->Metric("gatebook_visits_quarantined_total"), 1u);
}

}  // namespace
}  // namespace gatebook::e2e
