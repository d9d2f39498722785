// A real Redis Cluster behind real edges: a master that dies, slots that move, several edges that write.
#include "tests/support/redis_cluster.h"

#include <map>
#include <thread>

#include "logger/redis_keys.h"
#include "logger/redis_slots.h"
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class RedisClusterTest : public EdgeTest {
 protected:
  void SetUp() override {
    cluster_ = std::make_unique<support::RedisCluster>(std::vector<std::string>{"--appendonly", "yes"});
    options_.redis_url = cluster_->url();
    Say("redis", cluster_->ConfigText());
    Start();
  }
  void StartSecond() {
    GatebookOptions options = options_;
    options.edge = "second";
    second_ = std::make_unique<GatebookProcess>(GATEBOOK_BINARY, options);
    ASSERT_TRUE(second_->Start()) << second_->process().Describe();
  }
  void TearDown() override {
    if (second_) {
      EXPECT_EQ(second_->Verify(), "");
    }
    EdgeTest::TearDown();
  }
  // Visits until `enough`, each with a session of its own. The ids that were answered.
  static void Visit(const GatebookProcess& edge, const std::atomic<bool>& enough,
                    std::atomic<size_t>& answered) {
    while (!enough) {
      RawClient client(edge.Plain());
      for (int i = 0; i < 5 && !enough; ++i) {
        const auto answer = client.Get("/");
        if (!answer || answer->status() != 200) break;
        ++answered;
      }
    }
  }
  // Every visit stands in the book once. How many of the edge.
  static size_t StoodOnce(const std::vector<json>& visits, const std::string& edge) {
    std::set<std::string> ids;
    size_t count = 0;
    for (const json& visit : visits) {
      const std::string id = visit["id"];
      EXPECT_TRUE(ids.insert(id).second) << id;
      if (id.starts_with(edge + ".")) ++count;
    }
    return count;
  }

  std::unique_ptr<support::RedisCluster> cluster_;
  std::unique_ptr<GatebookProcess> second_;
};

TEST_F(RedisClusterTest, VisitsAreSpreadAndReadBackTogether) {
  for (int i = 0; i < 40; ++i) {
    RawClient client(edge_->Plain());
    ASSERT_TRUE(client.Get("/" + std::to_string(i)));
  }
  const auto visits = edge_->WaitForVisits(40);
  EXPECT_EQ(StoodOnce(visits, "test"), 40u);
  const std::string session = visits[7]["session"];
  EXPECT_EQ(edge_->Command({"session", session}).exit_code, 0);
  const auto erased = edge_->Command({"subject", "erase", "--session", session});
  EXPECT_EQ(erased.exit_code, 0) << erased.errors;
  EXPECT_EQ(edge_->Visits().size(), 39u);
  EXPECT_EQ(edge_->Metric("gatebook_redis_troubles_total"), 0u);
}

TEST_F(RedisClusterTest, WhatIsAskedOfABookIsAnsweredByAllItsNodes) {
  for (int i = 0; i < 12; ++i) {
    RawClient client(edge_->Plain());
    ASSERT_TRUE(client.Get("/" + std::to_string(i)));
  }
  ASSERT_EQ(edge_->WaitForVisits(12).size(), 12u);
  const auto looked = edge_->Command({"retention", "--json"});
  ASSERT_EQ(looked.exit_code, 0) << looked.output << looked.errors;
  const json report = json::parse(looked.output);
  EXPECT_EQ(report["places"]["visits"]["records"], 12);
  EXPECT_GE(report["places"]["index"]["records"], 12);
  EXPECT_EQ(report["places"]["other keys"]["records"], 0);
  const auto counted = edge_->Command({"stats", "--json"});
  ASSERT_EQ(counted.exit_code, 0) << counted.errors;
  EXPECT_EQ(json::parse(counted.output)["sessions"], 12);
  const auto examined = edge_->Command({"doctor", "--json"});
  std::istringstream findings(examined.output);
  for (std::string line; std::getline(findings, line);) {
    const json finding = json::parse(line);
    const std::string name = finding["check"];
    if (name.starts_with("redis") || name == "edge_name") {
      EXPECT_NE(finding["severity"], "error") << finding;
    }
  }
  // A visitor asks for himself.
  RawClient visitor(edge_->Tls());
  const auto first = visitor.Get("/first");
  ASSERT_TRUE(first);
  const std::string cookie = first->Field("set-cookie").value_or("");
  ASSERT_EQ(edge_->WaitForVisits(13).size(), 13u);
  visitor.Send(Request("GET /.well-known/gatebook/my-visits",
                       "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n"));
  const auto shown = visitor.ReadResponse();
  ASSERT_TRUE(shown);
  ASSERT_EQ(shown->status(), 200) << shown->body;
  EXPECT_EQ(json::parse(shown->body)["visits"].size(), 1u) << shown->body;
}

TEST_F(RedisClusterTest, AMasterIsKilledAndSlotsMoveWhileTwoEdgesWrite) {
  StartSecond();
  std::atomic<bool> enough = false;
  std::atomic<size_t> answered[2] = {};
  std::thread writers[2] = {std::thread([&] { Visit(*edge_, enough, answered[0]); }),
                            std::thread([&] { Visit(*second_, enough, answered[1]); })};
  const auto more = [&](size_t visits) {
    const size_t before[2] = {answered[0], answered[1]};
    return WaitUntil([&] { return answered[0] >= before[0] + visits && answered[1] >= before[1] + visits; });
  };
  EXPECT_TRUE(more(50));
  // The slot of the stream that the first edge writes now moves, key by key, while it is written.
  const auto minute_now = [] {
    return std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now().time_since_epoch());
  };
  const auto minute = minute_now();
  const uint16_t slot = logger::SlotOf(logger::VisitsKey("test", 0, static_cast<uint64_t>(minute.count())));
  const size_t from = cluster_->MasterOf(slot);
  const size_t to = (from + 1) % support::RedisCluster::kMasters;
  cluster_->BeginMove(slot, from, to);
  EXPECT_TRUE(more(20));
  cluster_->MoveKeys(slot, from, to);
  EXPECT_TRUE(more(20));
  cluster_->EndMove(slot, from, to);
  EXPECT_TRUE(more(20));
  const bool was_written_meanwhile = minute_now() == minute;  // else the next minute's stream was
  // kill -9 for the master that has it now.
  cluster_->node(to).Kill();
  EXPECT_TRUE(more(50));
  enough = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_TRUE(edge_->WaitDelivered());
  EXPECT_TRUE(second_->WaitDelivered());
  const auto visits = edge_->WaitForVisits(answered[0] + answered[1]);
  EXPECT_GE(StoodOnce(visits, "test"), answered[0].load());
  EXPECT_GE(StoodOnce(visits, "second"), answered[1].load());
  EXPECT_GE(edge_->MetricSum("gatebook_redis_redirects_total") +
                second_->MetricSum("gatebook_redis_redirects_total"),
            was_written_meanwhile ? 1u : 0u);
}

}  // namespace
}  // namespace gatebook::e2e
