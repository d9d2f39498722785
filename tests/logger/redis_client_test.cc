#include "logger/redis_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "tests/support/redis_script.h"
#include "tests/support/redis_server.h"
#include "tests/support/redis_tls.h"

namespace gatebook::logger {
namespace {

using namespace std::chrono_literals;
using support::BulkArray;
using support::RedisScript;
using testing::HasSubstr;

// The greeting of a well server, and nothing else.
std::string Greets(const RedisScript::Command& command) {
  if (command[0] == "PING") return "+PONG\r\n";
  if (command[0] == "ROLE") return "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
  return command[0] == "AUTH" || command[0] == "SELECT" ? "+OK\r\n" : "-ERR unknown command\r\n";
}

config::Redis ConfigOf(const RedisScript& script) {
  config::Redis config;
  config.server = script.server();
  config.connect_timeout = 2s;
  config.reply_timeout = 2s;
  return config;
}

std::string FailureOf(const config::Redis& config) {
  const auto client = RedisClient::Connect(config);
  return client.ok() ? "(connected)" : client.error().message;
}

TEST(RedisClient, RepliesInSingleBytesAreTheSame) {
  const auto answer = [](const RedisScript::Command& command) {
    return command[0] == "LRANGE" ? BulkArray({"one", std::string(5000, 'x'), ""}) : Greets(command);
  };
  for (const size_t split : {0u, 1u, 7u}) {
    RedisScript script(answer, split);
    auto client = RedisClient::Connect(ConfigOf(script));
    ASSERT_TRUE(client.ok()) << client.error().message;
    for (int i = 0; i < 3; ++i) (*client)->Append({"LRANGE", "k", "0", "-1"});
    for (int i = 0; i < 3; ++i) {
      const auto reply = (*client)->Receive();
      ASSERT_TRUE(reply.ok()) << reply.error().message;
      ASSERT_EQ((*reply)->elements.size(), 3u);
      EXPECT_EQ((*reply)->elements[1].text.size(), 5000u);
    }
  }
}

TEST(RedisClient, WhatKeepsItOutIsNamed) {
  std::atomic<const char*> answer = "-LOADING Redis is loading the dataset in memory\r\n";
  {
    RedisScript script([&](const RedisScript::Command&) { return std::string(answer.load()); });
    EXPECT_THAT(FailureOf(ConfigOf(script)), HasSubstr("loading: LOADING Redis"));
    answer = "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to\r\n";
    EXPECT_EQ(FailureOf(ConfigOf(script)), "(connected)") << "it can still be read";
    answer = "-NOAUTH Authentication required.\r\n";
    EXPECT_THAT(FailureOf(ConfigOf(script)), HasSubstr("auth: NOAUTH"));
    answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
    EXPECT_THAT(FailureOf(ConfigOf(script)), HasSubstr("protocol: "));
    answer = RedisScript::kHangUp;
    EXPECT_THAT(FailureOf(ConfigOf(script)), HasSubstr("closed: "));
    answer = "";
    config::Redis config = ConfigOf(script);
    config.connect_timeout = 50ms;
    EXPECT_THAT(FailureOf(config), HasSubstr("timeout: no answer within connect_timeout"));
  }
  config::Redis nobody;
  nobody.server.ip = *base::IpAddress::Parse("127.0.0.1");
  nobody.server.port = support::FreePort();
  EXPECT_THAT(FailureOf(nobody), HasSubstr("refused: Connection refused"));
  nobody.server.kind = config::Endpoint::Kind::kUnix;
  nobody.server.path = "/nowhere/redis.sock";
  EXPECT_THAT(FailureOf(nobody), HasSubstr("refused: "));
}

TEST(RedisClient, AReplyMayBeTakenLate) {
  RedisScript script(Greets);
  config::Redis config = ConfigOf(script);
  config.reply_timeout = 60ms;
  auto client = RedisClient::Connect(config);
  ASSERT_TRUE(client.ok());
  (*client)->Append({"PING"});
  (*client)->Append({"PING"});
  ASSERT_TRUE((*client)->Receive().ok());
  const auto later = std::chrono::steady_clock::now() + 200ms;
  ASSERT_TRUE(support::WaitUntil([&] { return std::chrono::steady_clock::now() > later; }));
  EXPECT_TRUE((*client)->Receive().ok()) << "who is slow to ask is not told that Redis is slow to answer";
}

TEST(RedisClient, TlsWithClientCertificateUserAndDatabase) {
  support::RedisTls tls;
  const std::string password = tls.directory().Write("password", "secret\n");
  auto arguments = tls.arguments();
  for (const char* word : {"--user", "edge", "on", ">secret", "~*", "+@all"}) arguments.emplace_back(word);
  support::RedisServer redis(arguments);
  config::Redis config = tls.Config();
  config.user = "edge";
  config.password_file = password;
  config.database = 3;
  auto client = RedisClient::Connect(config);
  ASSERT_TRUE(client.ok()) << client.error().message;
  const std::string large(3 << 20, 'x');
  ASSERT_TRUE((*client)->Command({"SET", "k", large}).ok());
  const auto reply = (*client)->Command({"GET", "k"});
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_EQ((*reply)->text, large);
  EXPECT_EQ(support::ToText(**(*client)->Command({"ACL", "WHOAMI"})), "edge");
  EXPECT_EQ(redis.Ask({"EXISTS", "k"}), "0") << "that is database 0";
}

TEST(RedisClient, TlsThatIsNotAgreedUponIsNamed) {
  support::RedisTls tls;
  support::RedisServer redis(tls.arguments());
  config::Redis config = tls.Config();
  config.tls_name = "other.internal";
  EXPECT_THAT(FailureOf(config), testing::AllOf(HasSubstr("tls: "), HasSubstr("hostname mismatch")));
  config.tls_verify = false;
  config.tls_ca.clear();
  EXPECT_EQ(FailureOf(config), "(connected)") << "for those who want it";
  config.tls_name = "redis.internal";
  config.tls_verify = true;
  EXPECT_THAT(FailureOf(config), HasSubstr("tls: ")) << "this system trusts no test";
  config = tls.Config();
  config.tls_certificate.clear();
  config.tls_key.clear();
  EXPECT_THAT(FailureOf(config), HasSubstr("tls: ")) << "the server wants a certificate";
  config = tls.Config();
  config.tls_key = tls.directory().Write("bad.key", "no key");
  EXPECT_THAT(FailureOf(config), HasSubstr("bad.key"));
  config = tls.Config();
  RedisScript plain(Greets);
  config.server = plain.server();
  config.connect_timeout = 300ms;
  EXPECT_THAT(FailureOf(config), testing::AnyOf(HasSubstr("tls: "), HasSubstr("timeout: ")))
      << "a server that speaks no TLS";
}

class SentinelTest : public testing::Test {
 protected:
  // A sentinel that says what `said_` holds.
  RedisScript::Answer Says() {
    return [this](const RedisScript::Command& command) {
      if (command[0] != "SENTINEL") return Greets(command);
      return command[2] == "mymaster" ? said_ : std::string("*-1\r\n");
    };
  }
  config::Redis Config(std::vector<config::Endpoint> sentinels) {
    config::Redis config;
    config.sentinels = std::move(sentinels);
    config.sentinel_master = "mymaster";
    return config;
  }
  void Name(const RedisScript& server) { said_ = BulkArray({"127.0.0.1", std::to_string(server.port())}); }

  std::string said_;
};

TEST_F(SentinelTest, TheSecondOneSaysWhereTheMasterIsIfTheFirstIsAway) {
  RedisScript master(Greets);
  RedisScript sentinel(Says());
  Name(master);
  config::Endpoint away = sentinel.server();
  away.port = support::FreePort();
  EXPECT_EQ(FailureOf(Config({away, sentinel.server()})), "(connected)");
  EXPECT_THAT(master.heard(), testing::ElementsAre("PING", "ROLE"));
  EXPECT_THAT(FailureOf(Config({away})), HasSubstr("sentinel: 127.0.0.1:"));
}

TEST_F(SentinelTest, AMasterThatNobodyKnowsIsNamed) {
  RedisScript sentinel(Says());
  said_ = "*-1\r\n";
  EXPECT_THAT(FailureOf(Config({sentinel.server()})), HasSubstr("no master is known as mymaster"));
  said_ = "-IDONTKNOW ask somebody else\r\n";
  EXPECT_THAT(FailureOf(Config({sentinel.server()})), HasSubstr("IDONTKNOW"));
  said_ = BulkArray({"not an address!", "1"});
  EXPECT_THAT(FailureOf(Config({sentinel.server()})), HasSubstr("an address of the master that is none"));
}

TEST_F(SentinelTest, AServerThatIsNoMasterIsNotBelieved) {
  RedisScript replica([](const RedisScript::Command& command) {
    return command[0] == "ROLE" ? BulkArray({"slave", "10.0.0.1", "6379", "connected", "0"})
                                : Greets(command);
  });
  RedisScript sentinel(Says());
  Name(replica);
  EXPECT_THAT(FailureOf(Config({sentinel.server()})), HasSubstr("readonly: the sentinels named a server"));
}

TEST_F(SentinelTest, SentinelsHaveALoginOfTheirOwn) {
  support::TempDirectory directory;
  RedisScript master(Greets);
  RedisScript sentinel(Says());
  Name(master);
  config::Redis config = Config({sentinel.server()});
  config.user = "edge";
  config.password_file = directory.Write("redis", "one\n");
  config.sentinel_user = "asker";
  config.sentinel_password_file = directory.Write("sentinel", "two\n");
  config.database = 5;
  EXPECT_EQ(FailureOf(config), "(connected)");
  EXPECT_THAT(master.heard(), testing::ElementsAre("AUTH edge one", "SELECT 5", "PING", "ROLE"));
  EXPECT_THAT(sentinel.heard(),
              testing::ElementsAre("AUTH asker two", "PING", "SENTINEL get-master-addr-by-name mymaster"));
}

class RedirectTest : public testing::Test {
 protected:
  // CLUSTER SLOTS of two nodes that share the slots at 8,000.
  std::string Map(int first, int second) const {
    const auto range = [](int from, int to, int port) {
      return "*3\r\n:" + std::to_string(from) + "\r\n:" + std::to_string(to) + "\r\n*2\r\n" +
             support::Bulk("127.0.0.1") + ":" + std::to_string(port) + "\r\n";
    };
    return "*2\r\n" + range(0, 7999, first) + range(8000, 16383, second);
  }
};

TEST_F(RedirectTest, EachKeyGoesToItsNodeAndRepliesComeInTheOrderOfTheQuestions) {
  uint16_t other = 0;
  RedisScript* first = nullptr;
  const auto node = [&](const char* name) {
    return [&, name](const RedisScript::Command& command) {
      if (command[0] == "CLUSTER") return Map(first->port(), other);
      return command[0] == "GET" ? support::Bulk(name + (":" + command[1])) : Greets(command);
    };
  };
  RedisScript one(node("one")), two(node("two"));
  first = &one;
  other = two.port();
  config::Redis config = ConfigOf(one);
  config.cluster = true;
  auto client = RedisClient::Connect(config);
  ASSERT_TRUE(client.ok()) << client.error().message;
  EXPECT_EQ((*client)->masters(), 2u);
  std::vector<std::string> answers;
  const std::vector<std::string> keys = {"foo", "bar", "123456789", "hello"};  // 12182 5061 12739 866
  for (const std::string& key : keys) (*client)->Append({"GET", key});
  for (size_t i = 0; i < keys.size(); ++i) answers.push_back(support::ToText(**(*client)->Receive()));
  EXPECT_THAT(answers, testing::ElementsAre("two:foo", "one:bar", "two:123456789", "one:hello"));
  EXPECT_EQ(support::ToText(**(*client)->CommandAt(1, {"GET", "x"})), "two:x");
}

TEST_F(RedirectTest, MovedAndAskAreFollowedAndACircleEnds) {
  uint16_t other = 0;
  RedisScript* first = nullptr;
  bool asking = false;
  RedisScript one([&](const RedisScript::Command& command) {
    if (command[0] == "CLUSTER") return Map(first->port(), first->port());
    if (command[0] != "GET") return Greets(command);
    const std::string there = " 127.0.0.1:" + std::to_string(other) + "\r\n";
    return (command[1] == "asked" ? "-ASK 1" : "-MOVED 1") + there;
  });
  RedisScript two([&](const RedisScript::Command& command) {
    if (command[0] == "ASKING") {
      asking = true;
      return std::string("+OK\r\n");
    }
    if (command[0] != "GET") return Greets(command);
    if (command[1] == "circle") return "-MOVED 1 127.0.0.1:" + std::to_string(first->port()) + "\r\n";
    return support::Bulk(std::exchange(asking, false) ? "asked" : "moved");
  });
  first = &one;
  other = two.port();
  config::Redis config = ConfigOf(one);
  config.cluster = true;
  auto client = RedisClient::Connect(config);
  ASSERT_TRUE(client.ok()) << client.error().message;
  for (const char* key : {"asked", "k", "asked", "circle"}) (*client)->Append({"GET", key});
  EXPECT_EQ(support::ToText(**(*client)->Receive()), "asked");
  EXPECT_EQ(support::ToText(**(*client)->Receive()), "moved");
  EXPECT_EQ(support::ToText(**(*client)->Receive()), "asked");
  EXPECT_THAT(support::ToText(**(*client)->Receive()), HasSubstr("(error) MOVED"));
  EXPECT_TRUE((*client)->Command({"GET", "k"}).ok());
}

}  // namespace
}  // namespace gatebook::logger
