// Who saw addresses and names whole stands in the audit log, or they saw nothing.
#include <pwd.h>
#include <unistd.h>

#include <fstream>

#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

using testing::HasSubstr;

class AuditTest : public EdgeTest {
 protected:
  void SetUp() override {
    Say("edge", "trusted_proxies = [\"127.0.0.1\"]");
    options_.environment = {"SUDO_USER="};
  }
  void Visit(const std::string& ip) {
    RawClient client(edge_->Tls());
    ASSERT_TRUE(client.Get("/", "X-Forwarded-For: " + ip + "\r\n"));
    ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  }
  std::vector<json> Audit() {
    std::vector<json> lines;
    std::istringstream text(edge_->Command({"audit", "--json"}).output);
    for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line, nullptr, false));
    return lines;
  }
  support::Finished Reveal(const std::string& reason) {
    return edge_->Command({"visits", "--since", "1h", "--reveal", "--reason", reason});
  }
  static std::string Login() {
    const passwd* user = ::getpwuid(::getuid());
    return user == nullptr ? std::to_string(::getuid()) : user->pw_name;
  }
  std::string LogFile() const { return edge_->directory() + "/audit.log"; }
};

TEST_F(AuditTest, ARevealIsWrittenWithWhoWhenWhatAndWhy) {
  Start();
  Visit("203.0.113.77");
  EXPECT_EQ(edge_->Command({"audit"}).exit_code, 1) << "nobody has looked yet";
  EXPECT_EQ(Reveal("").exit_code, 2);
  EXPECT_EQ(Reveal("  ").exit_code, 2);
  EXPECT_TRUE(Audit().empty());
  const auto shown = Reveal("case 7, brute force");
  EXPECT_EQ(shown.exit_code, 0) << shown.errors;
  EXPECT_THAT(shown.output, HasSubstr("203.0.113.77"));
  const std::string session = edge_->Visits()[0]["session"];
  ASSERT_EQ(edge_->Command({"session", session, "--reveal", "--reason", "case 8"}).exit_code, 0);
  ASSERT_EQ(edge_->Command({"subject", "export", "--session", session}).exit_code, 0);
  const auto lines = Audit();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["n"], 1);
  EXPECT_EQ(lines[0]["who"], Login());
  EXPECT_EQ(lines[0]["via"], "command");
  EXPECT_EQ(lines[0]["why"], "case 7, brute force");
  EXPECT_THAT(lines[0]["what"].get<std::string>(), HasSubstr("visits since"));
  EXPECT_EQ(lines[1]["what"], "session " + session);
  EXPECT_EQ(lines[2]["what"], "subject export of session " + session);
  EXPECT_EQ(lines[2]["why"], "request of the person");
  const auto verified = edge_->Command({"audit", "--verify"});
  EXPECT_EQ(verified.exit_code, 0);
  EXPECT_THAT(verified.output, HasSubstr(lines[2]["chain"].get<std::string>()));
}

TEST_F(AuditTest, AChangedLineIsFound) {
  Start();
  Visit("203.0.113.77");
  ASSERT_EQ(Reveal("curiosity").exit_code, 0);
  ASSERT_EQ(Reveal("case 8").exit_code, 0);
  std::string text = support::ReadFile(LogFile());
  text.replace(text.find("curiosity"), 9, "case 0007");
  std::ofstream(LogFile()) << text;
  const auto broken = edge_->Command({"audit", "--verify"});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.errors, HasSubstr("line 1"));
  EXPECT_EQ(edge_->Command({"audit"}).exit_code, 1);
  EXPECT_EQ(edge_->Command({"retention", "--quick"}).exit_code, 1);
}

TEST_F(AuditTest, WhatCannotBeWrittenDownIsNotShown) {
  Say("audit", "");
  Start();
  Visit("203.0.113.77");
  ASSERT_EQ(::mkdir(LogFile().c_str(), 0700), 0);
  const auto refused = Reveal("case 7");
  EXPECT_TRUE(refused.exit_code == 73 || refused.exit_code == 74) << refused.exit_code;
  EXPECT_EQ(refused.output, "");
  EXPECT_THAT(refused.errors, HasSubstr("nothing is shown"));
}

TEST_F(AuditTest, WhereReadersAreNamedOnlyAnInvestigatorMay) {
  Start();
  Visit("203.0.113.77");
  const auto readers = [this](const std::string& role, const std::string& login) {
    options_.more =
        "[[reader]]\nname = \"a.smith\"\nrole = \"" + role + "\"\nunix_user = \"" + login + "\"\n";
    edge_->Configure(options_);
  };
  readers("investigator", "somebody-else");
  const auto stranger = Reveal("case 7");
  EXPECT_EQ(stranger.exit_code, 1);
  EXPECT_EQ(stranger.output, "");
  EXPECT_THAT(stranger.errors, HasSubstr(Login() + " may not reveal"));
  readers("viewer", Login());
  EXPECT_THAT(Reveal("case 7").errors, HasSubstr("a.smith is a viewer"));
  readers("investigator", Login());
  EXPECT_EQ(Reveal("case 7").exit_code, 0);
  ASSERT_EQ(Audit().size(), 1u);
  EXPECT_EQ(Audit()[0]["who"], "a.smith");
}

TEST_F(AuditTest, RootIsWhoBecameRootAndNobodyElseCanSayWhoTheyAre) {
  options_.environment = {"SUDO_USER=alice"};
  Start();
  Visit("203.0.113.77");
  ASSERT_EQ(Reveal("case 7").exit_code, 0);
  EXPECT_EQ(Audit()[0]["who"], ::getuid() == 0 ? "alice" : Login());
}

// The daily round destroys what is over, and says the last digest where it can't be changed any more.
TEST_F(AuditTest, OldLinesGoInTheDailyRound) {
  Say("audit", "keep = \"1d\"");
  Say("retention", "rewrite = false");
  Start();
  Visit("203.0.113.77");
  ASSERT_EQ(Reveal("case 7").exit_code, 0);
  ASSERT_EQ(edge_->Command({"retention", "--round"}).exit_code, 0);
  EXPECT_EQ(Audit().size(), 1u);
  EXPECT_THAT(edge_->process().Describe(), HasSubstr(Audit()[0]["chain"].get<std::string>()));
}

}  // namespace
}  // namespace gatebook::e2e
