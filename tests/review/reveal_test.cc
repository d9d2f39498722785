#include "review/reveal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "review/audit_command.h"
#include "review/audit_log.h"
#include "review/commands.h"
#include "tests/review/visit_scribe.h"
#include "tests/support/temp_directory.h"

namespace gatebook::review {
namespace {

using testing::HasSubstr;

const Login kAlice{"alice", false};
const Login kRoot{"root", true};

class RevealTest : public testing::Test {
 protected:
  RevealTest() { config_.audit.file = files_.Path("audit.log"); }
  void Reader(const std::string& name, config::Role role, const std::string& unix_user) {
    config::Reader& reader = config_.readers.emplace_back();
    reader.name = name;
    reader.role = role;
    reader.unix_user = unix_user;
  }
  base::Status Write(const Login& login, const std::string& reason) {
    return WriteReveal(config_, {.wanted = true, .reason = reason, .login = login}, "visits", clock_);
  }
  std::vector<AuditLine> Lines() { return AuditLog(config_.audit, clock_).Read()->lines; }

  support::TempDirectory files_;
  config::Config config_;
  const base::Clock& clock_ = base::Clock::System();
};

TEST_F(RevealTest, WithoutReadersWhoeverMayWriteTheAuditLogMayReveal) {
  EXPECT_EQ(*WhoMayReveal(config_, kAlice), "alice");
  EXPECT_EQ(*WhoMayReveal(config_, kRoot), "root");
}

TEST_F(RevealTest, WithReadersOnlyAnInvestigatorOfThatLoginMay) {
  Reader("a.smith", config::Role::kInvestigator, "alice");
  Reader("b.jones", config::Role::kViewer, "bob");
  EXPECT_EQ(*WhoMayReveal(config_, kAlice), "a.smith");
  EXPECT_THAT(WhoMayReveal(config_, {"bob", false}).error().message, HasSubstr("b.jones is a viewer"));
  EXPECT_THAT(WhoMayReveal(config_, {"eve\x1b", false}).error().message,
              HasSubstr("eve\\x1b may not reveal"));
  EXPECT_FALSE(WhoMayReveal(config_, kRoot).ok());
  EXPECT_FALSE(WhoMayReveal(config_, {"bob", true}).ok()) << "by sudo they are who they were";
}

TEST_F(RevealTest, RootMayAsLongAsNoReaderHasALogin) {
  Reader("a.smith", config::Role::kInvestigator, "");
  EXPECT_EQ(*WhoMayReveal(config_, kRoot), "root");
  EXPECT_FALSE(WhoMayReveal(config_, kAlice).ok());
}

TEST_F(RevealTest, ALineIsWrittenOrNothingIsShown) {
  EXPECT_EQ(Write(kAlice, " ").error().exit_code, base::ExitCode::kUsage);
  EXPECT_EQ(Write(kAlice, std::string(501, 'x')).error().exit_code, base::ExitCode::kUsage);
  EXPECT_TRUE(Lines().empty());
  EXPECT_TRUE(Write(kAlice, "case 7").ok());
  ASSERT_EQ(Lines().size(), 1u);
  EXPECT_EQ(Lines()[0].entry.who, "alice");
  EXPECT_EQ(Lines()[0].entry.why, "case 7");
  config_.audit.file = files_.Path("no/such/directory");
  EXPECT_EQ(Write(kAlice, "case 7").error().exit_code, base::ExitCode::kCannotCreate);
}

TEST_F(RevealTest, AReasonForNothingIsASlip) {
  EXPECT_TRUE(WriteReveal(config_, {}, "visits", clock_).ok());
  EXPECT_EQ(WriteReveal(config_, {.reason = "case 7"}, "visits", clock_).error().exit_code,
            base::ExitCode::kUsage);
}

TEST_F(RevealTest, VisitsAreShownWholeOnlyAfterTheLineIsWritten) {
  support::RedisServer redis;
  config_.redis = redis.Config();
  Scribe scribe(redis);
  scribe.visit.ip = *base::IpAddress::Parse("203.0.113.7");
  scribe.visit.session.bytes = {5};
  scribe.Write(0, PastMinute());
  VisitsOptions options{.ip = "203.0.113.7", .form = Form::kJson};
  const auto run = [&] {
    return Capture([&](std::FILE* out) { return RunVisits(config_, options, out, false); });
  };
  EXPECT_EQ(run().exit_code, 2) << "finer than what is shown";
  options.reveal = {.wanted = true, .reason = "case 7", .login = kAlice};
  const Outcome shown = run();
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.output, HasSubstr("\"203.0.113.7\""));
  ASSERT_EQ(Lines().size(), 1u);
  EXPECT_THAT(Lines()[0].entry.what, HasSubstr("ip 203.0.113.7"));
  const std::string session = logger::ToText(scribe.visit.session);
  const Outcome whole = Capture([&](std::FILE* out) {
    return RunSession(config_, {.session = session, .reveal = options.reveal}, out, false);
  });
  EXPECT_THAT(whole.output, HasSubstr("203.0.113.7"));
  EXPECT_EQ(Lines()[1].entry.what, "session " + session);
  config_.audit.file = files_.Path("no/such/directory");
  const Outcome refused = run();
  EXPECT_EQ(refused.exit_code, 73);
  EXPECT_EQ(refused.output, "");
}

TEST_F(RevealTest, TheAuditCommandShowsAndVerifies) {
  const auto audit = [&](const AuditOptions& options) {
    return Capture([&](std::FILE* out) { return RunAudit(config_, options, clock_, out, false); });
  };
  EXPECT_EQ(audit({}).exit_code, 1);
  EXPECT_EQ(audit({.only_verify = true}).exit_code, 0);
  ASSERT_TRUE(Write(kAlice, "case 7").ok());
  ASSERT_TRUE(Write({"bob", false}, "case \x1b[2J 8").ok());
  EXPECT_THAT(audit({}).output, HasSubstr("\talice\tcommand\tcase 7\tvisits\n"));
  EXPECT_EQ(audit({.who = "alice"}).output.find("bob"), std::string::npos);
  EXPECT_EQ(audit({.until = "1h"}).exit_code, 1);
  EXPECT_EQ(audit({.since = "soon"}).exit_code, 2);
  const Outcome json = audit({.who = "bob", .json = true});
  EXPECT_EQ(nlohmann::json::parse(json.output)["why"], "case \\x1b[2J 8");
  EXPECT_THAT(audit({.only_verify = true}).output, HasSubstr("lines 1 to 2: the chain holds"));
  std::string text = support::ReadFile(config_.audit.file);
  text[text.find("case 7")] = 'b';
  std::FILE* file = std::fopen(config_.audit.file.c_str(), "w");
  std::fputs(text.c_str(), file);
  std::fclose(file);
  EXPECT_EQ(audit({}).exit_code, 1);
  EXPECT_EQ(audit({.only_verify = true}).exit_code, 1);
}

}  // namespace
}  // namespace gatebook::review
