// Redis in all its forms behind the real binary: TLS, users, sentinels, and every way to refuse.
#include <filesystem>

#include "tests/e2e/edge_test.h"
#include "tests/support/redis_sentinels.h"
#include "tests/support/redis_tls.h"

namespace gatebook::e2e {
namespace {

using testing::HasSubstr;

class RedisFormsTest : public EdgeTest {
 protected:
  void VisitTimes(int times) {
    RawClient client(edge_->Plain());
    for (int i = 0; i < times; ++i) {
      const auto answer = client.Get("/");
      ASSERT_TRUE(answer && answer->status() == 200) << i;
    }
  }
  std::string RedisState() {
    return json::parse(edge_->Command({"status", "--json"}).output)["redis"]["state"];
  }
  bool StateHas(const std::string& part) {
    return WaitUntil([&] { return RedisState().find(part) != std::string::npos; });
  }
  uint64_t Troubles(const std::string& reason) {
    return edge_->Metric("gatebook_redis_troubles_total{reason=\"" + reason + "\"}");
  }
  std::set<std::string> Ids(const std::vector<json>& visits) {
    std::set<std::string> ids;
    for (const json& visit : visits) ids.insert(visit["id"].get<std::string>());
    return ids;
  }
};

TEST_F(RedisFormsTest, TlsWithAClientCertificateAndAUserOfFewRights) {
  support::RedisTls tls;
  const std::string password = tls.directory().Write("password", "secret\n");
  auto arguments = tls.arguments();
  // The rights of docs/data-model.md, for the writer and the reader together.
  for (const char* word :
       {"--user", "edge", "on", ">secret", "~gb:*", "+multi", "+exec", "+xadd", "+append", "+hset", "+hsetnx",
        "+hget", "+pexpire", "+pexpireat", "+ping", "+select", "+info", "+xrange", "+hgetall"}) {
    arguments.emplace_back(word);
  }
  redis_ = std::make_unique<support::RedisServer>(arguments);
  options_.redis_url = tls.url("edge") + "/2";
  Say("redis", tls.ConfigText() + "\npassword_file = \"" + password + "\"");
  Start();
  VisitTimes(20);
  EXPECT_EQ(Ids(edge_->WaitForVisits(20)).size(), 20u);
  EXPECT_EQ(edge_->MetricSum("gatebook_redis_troubles_total"), 0u) << RedisState();
  EXPECT_EQ(redis_->Ask({"DBSIZE"}), "0") << "they are in database 2";
}

TEST_F(RedisFormsTest, WhenSentinelsPromoteAReplicaTheBookGoesOnThere) {
  // With a disk: what the replica did not have yet is then held, and given to it. Servers that keep nothing are
  // believed when they acknowledge, and a master that is killed takes that with it.
  support::RedisSentinels sentinels({"--appendonly", "yes"});
  options_.redis_url = "redis://127.0.0.1:1";  // who is there is not asked
  Say("redis", sentinels.ConfigText());
  Start();
  VisitTimes(20);
  EXPECT_EQ(Ids(edge_->WaitForVisits(20)).size(), 20u);
  sentinels.master().Kill();
  VisitTimes(20);
  EXPECT_EQ(Ids(edge_->WaitForVisits(40)).size(), 40u)
      << RedisState() << "; the replica says " << sentinels.replica().Ask({"ROLE"});
  EXPECT_NE(sentinels.replica().Ask({"DBSIZE"}), "0");
  EXPECT_THAT(sentinels.replica().Ask({"ROLE"}), testing::StartsWith("master"));
}

TEST_F(RedisFormsTest, EachWayToRefuseIsNamedInStatusAndHeals) {
  redis_ = std::make_unique<support::RedisServer>();
  Start();
  VisitTimes(1);
  ASSERT_TRUE(edge_->WaitDelivered());
  // Where the snapshot should be put there is a directory.
  const std::string snapshot = redis_->socket().substr(0, redis_->socket().rfind('/')) + "/dump.rdb";
  struct Way {
    const char* word;
    std::function<void()> refuse;
    std::function<void()> heal;
  };
  const Way ways[] = {
      {"readonly",
       [&] {
         redis_->Ask({"REPLICAOF", "127.0.0.1", "1"});
       },
       [&] {
         redis_->Ask({"REPLICAOF", "NO", "ONE"});
       }},
      {"noperm",
       [&] {
         redis_->Ask({"ACL", "SETUSER", "default", "-xadd"});
       },
       [&] {
         redis_->Ask({"ACL", "SETUSER", "default", "+xadd"});
       }},
      {"noreplicas",
       [&] {
         redis_->Ask({"CONFIG", "SET", "min-replicas-to-write", "1"});
       },
       [&] {
         redis_->Ask({"CONFIG", "SET", "min-replicas-to-write", "0"});
       }},
      {"oom",
       [&] {
         redis_->Ask({"CONFIG", "SET", "maxmemory", "1"});
       },
       [&] {
         redis_->Ask({"CONFIG", "SET", "maxmemory", "0"});
       }},
      {"misconf",
       [&] {
         std::filesystem::create_directory(snapshot);
         redis_->Ask({"CONFIG", "SET", "save", "3600 1000000"});
         EXPECT_TRUE(WaitUntil([&] {
           redis_->Ask({"BGSAVE"});
           return redis_->Ask({"INFO", "persistence"}).find("rdb_last_bgsave_status:err") !=
                  std::string::npos;
         }));
       },
       [&] {
         std::filesystem::remove(snapshot);
         redis_->Ask({"CONFIG", "SET", "save", ""});
       }},
  };
  size_t visits = 1;
  for (const Way& way : ways) {
    way.refuse();
    VisitTimes(2);
    EXPECT_TRUE(StateHas(std::string(way.word) + ": ")) << way.word << ": " << RedisState();
    EXPECT_GE(Troubles(way.word), 1u) << way.word;
    way.heal();
    visits += 2;
    ASSERT_TRUE(edge_->WaitDelivered()) << way.word << ": " << RedisState();
  }
  EXPECT_EQ(Ids(edge_->WaitForVisits(visits)).size(), visits);
}

TEST_F(RedisFormsTest, ARedisThatReadsItsDataIsWaitedFor) {
  redis_ = std::make_unique<support::RedisServer>(std::vector<std::string>{
      "--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"});
  Start();
  VisitTimes(1);
  ASSERT_TRUE(edge_->WaitDelivered());
  // More than half a second of loading.
  redis_->Ask({"EVAL", "for i = 1, 600 do redis.call('SET', 'k' .. i, i) end", "0"});
  redis_->Ask({"SAVE"});
  redis_->Kill();
  VisitTimes(5);
  bool said = false;
  std::thread watching([&] { said = StateHas("loading: LOADING"); });
  redis_->Start();
  watching.join();
  EXPECT_TRUE(said) << RedisState();
  EXPECT_EQ(Ids(edge_->WaitForVisits(6)).size(), 6u);
  EXPECT_GE(Troubles("loading"), 1u);
}

}  // namespace
}  // namespace gatebook::e2e
