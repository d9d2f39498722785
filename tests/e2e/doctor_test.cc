// `gatebook doctor` as an operator runs it: beside a running edge, with a real Redis that is well or isn't.
#include "tests/e2e/edge_test.h"
#include "tests/support/test_certificates.h"

namespace gatebook::e2e {
namespace {

class DoctorTest : public EdgeTest {
 protected:
  DoctorTest() {
    support::CertificateRequest request;
    request.dns_names = {"localhost"};
    request.ends = std::chrono::hours(24 * 90);
    const auto text = authority_.Issue(request);
    options_.chain_file = files_.Write("chain.pem", text.chain);
    options_.key_file = files_.Write("key.pem", text.key);
    Say("limits", "connections = 1000");  // within what any machine that tests lets a process open
  }
  // What each check said worst: ok, warn, error.
  std::map<std::string, std::string> Ask(int exit_code) {
    const auto run = edge_->Command({"doctor", "--json"});
    EXPECT_EQ(run.exit_code, exit_code) << run.output << run.errors;
    std::map<std::string, std::string> worst;
    std::istringstream lines(run.output);
    for (std::string line; std::getline(lines, line);) {
      const json finding = json::parse(line);
      std::string& severity = worst[finding["check"]];
      const std::string said = finding["severity"];
      if (severity.empty() || said == "error" || (said == "warn" && severity == "ok")) severity = said;
      EXPECT_EQ(finding.contains("do"), said != "ok") << line;
    }
    return worst;
  }

  support::TempDirectory files_;
  support::TestAuthority authority_;
};

TEST_F(DoctorTest, AnEdgeThatIsWellHasNoErrors) {
  redis_ = std::make_unique<support::RedisServer>(
      std::vector<std::string>{"--appendonly", "yes", "--maxmemory", "100mb"});
  Start();
  const auto said = Ask(0);
  for (const char* check :
       {"edge", "upstreams", "redis", "redis_eviction", "redis_memory", "redis_durability", "redis_rights",
        "edge_name", "journal", "journal_backlog", "certificates", "cores"}) {
    EXPECT_EQ(said.count(check), 1u) << check;
    EXPECT_EQ(said.count(check) == 1 ? said.at(check) : "", "ok") << check;
  }
  const auto text = edge_->Command({"doctor"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.output, testing::HasSubstr("ok     redis_eviction"));
}

TEST_F(DoctorTest, ARedisWithBadSettingsIsExitCodeOneAndEachIsNamed) {
  redis_ = std::make_unique<support::RedisServer>(
      std::vector<std::string>{"--maxmemory-policy", "volatile-ttl", "--appendonly", "no"});
  Start();
  const auto said = Ask(1);
  EXPECT_EQ(said.at("redis_eviction"), "error");
  EXPECT_EQ(said.at("redis_durability"), "error");
  EXPECT_EQ(said.at("redis_memory"), "warn");
  EXPECT_EQ(said.at("redis"), "ok");
}

TEST_F(DoctorTest, ARedisThatIsAwayIsExitCode69AndTheRestIsStillLookedAt) {
  Prepare();
  verify_ = false;
  redis_->Stop();
  const auto said = Ask(69);
  EXPECT_EQ(said.at("redis"), "error");
  EXPECT_EQ(said.at("edge"), "warn") << "it does not run";
  EXPECT_EQ(said.at("certificates"), "ok");
  EXPECT_EQ(said.at("journal"), "ok");
}

}  // namespace
}  // namespace gatebook::e2e
