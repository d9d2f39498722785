// The command line, as people and scripts use it.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class CommandTest : public EdgeTest {};

TEST(Commands, EveryCommandHasHelpWithAnExample) {
  const auto help = support::Run({GATEBOOK_BINARY, "--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* command : {"run", "check", "visits", "session", "status", "doctor", "config", "version"}) {
    EXPECT_THAT(help.output, testing::HasSubstr(command));
    const auto its_help = support::Run({GATEBOOK_BINARY, command, "--help"});
    EXPECT_EQ(its_help.exit_code, 0) << command;
    EXPECT_THAT(its_help.output, testing::HasSubstr("gatebook " + std::string(command))) << its_help.output;
  }
}

TEST(Commands, MisuseIsExitCodeTwo) {
  EXPECT_EQ(support::Run({GATEBOOK_BINARY}).exit_code, 2);
  EXPECT_EQ(support::Run({GATEBOOK_BINARY, "nonsense"}).exit_code, 2);
  EXPECT_EQ(support::Run({GATEBOOK_BINARY, "run", "--nonsense"}).exit_code, 2);
  const auto mistyped = support::Run({GATEBOOK_BINARY, "chek"});
  EXPECT_EQ(mistyped.exit_code, 2);
  EXPECT_EQ(mistyped.errors, "gatebook: unknown command \"chek\"; did you mean check?\n");
}

TEST(Commands, TheVersionIsToldOnOneLine) {
  const auto version = support::Run({GATEBOOK_BINARY, "version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.output, testing::StartsWith("gatebook "));
  EXPECT_EQ(support::Run({GATEBOOK_BINARY, "--version"}).output, version.output);
}

TEST(Commands, AMissingConfigIsToldWithItsName) {
  for (const char* command : {"check", "run"}) {
    const auto check = support::Run({GATEBOOK_BINARY, command, "-c", "/nonexistent/gatebook.toml"});
    EXPECT_EQ(check.exit_code, 78);
    EXPECT_THAT(check.errors + check.output, testing::HasSubstr("/nonexistent/gatebook.toml"));
  }
}

TEST_F(CommandTest, CheckAcceptsAGoodConfig) {
  Prepare();
  verify_ = false;
  const auto check = edge_->Command({"check"});
  EXPECT_EQ(check.exit_code, 0) << check.errors;
}

TEST_F(CommandTest, CheckTellsAllErrorsAtOnceWithTheirPlaces) {
  Prepare();
  verify_ = false;
  support::TempDirectory directory;
  const std::string path =
      directory.Write("bad.toml", support::ReadFile(edge_->config_path()) +
                                      "[timeouts]\nconect = \"5s\"\nfirst_byte = \"30\"\n");
  for (const char* command : {"check", "run"}) {
    const auto check = support::Run({GATEBOOK_BINARY, command, "-c", path});
    const std::string text = check.errors + check.output;
    EXPECT_EQ(check.exit_code, std::string(command) == "check" ? check.exit_code : 78);
    EXPECT_NE(check.exit_code, 0);
    EXPECT_THAT(text, testing::ContainsRegex("bad\\.toml:[0-9]+:[0-9]+: error: "));
    EXPECT_THAT(text, testing::AllOf(testing::HasSubstr("conect"), testing::HasSubstr("connect"),
                                     testing::HasSubstr("first_byte"), testing::HasSubstr("^")));
  }
}

TEST_F(CommandTest, TheShownConfigIsAConfig) {
  Prepare();
  verify_ = false;
  const auto shown = edge_->Command({"config", "show"});
  ASSERT_EQ(shown.exit_code, 0) << shown.errors;
  support::TempDirectory directory;
  const auto check =
      support::Run({GATEBOOK_BINARY, "check", "-c", directory.Write("shown.toml", shown.output)});
  EXPECT_EQ(check.exit_code, 0) << check.errors << shown.output;
}

TEST_F(CommandTest, VisitsAreFoundByWhatIsKnownOfThem) {
  WithNames();
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.Send(Answer(request.first_line.find("/missing") != std::string::npos ? 404 : 200, ""));
  });
  Start();
  RawClient one(edge_->Tls("127.0.0.2")), two(edge_->Tls("127.0.0.3"));
  ASSERT_TRUE(one.Get("/here"));
  ASSERT_TRUE(one.Get("/missing"));
  const std::string session = upstream_->last_request().Field("x-session-id").value_or("");
  ASSERT_TRUE(two.Get("/here"));
  ASSERT_EQ(edge_->WaitForVisits(3).size(), 3u);
  EXPECT_EQ(edge_->Visits({"--ip", "127.0.0.2"}).size(), 2u);
  EXPECT_EQ(edge_->Visits({"--session", session}).size(), 2u);
  EXPECT_EQ(edge_->Visits({"--where", "status >= 400"}).size(), 1u);
  EXPECT_EQ(edge_->Visits({"--where", "path = /here and ip = 127.0.0.3"}).size(), 1u);
  EXPECT_EQ(edge_->Visits({"--where", "dns = guest.visitors.test"}).size(), 2u);
  EXPECT_EQ(edge_->Command({"visits", "--since", "1h", "--where", "status = 500"}).exit_code, 1);
  const auto wrong = edge_->Command({"visits", "--where", "colour = red"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.errors, testing::HasSubstr("colour"));
}

TEST_F(CommandTest, VisitsAreToldOldestFirstOneALine) {
  Start();
  RawClient client(edge_->Tls());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.Get("/" + std::to_string(i)));
  ASSERT_EQ(edge_->WaitForVisits(5).size(), 5u);
  const auto plain = edge_->Command({"visits", "--since", "1h"});
  EXPECT_EQ(plain.exit_code, 0);
  EXPECT_GE(std::count(plain.output.begin(), plain.output.end(), '\n'), 5);
  EXPECT_EQ(plain.output.find('\x1b'), std::string::npos) << "colours are for terminals";
  const auto visits = edge_->Visits();
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(visits[i]["path"], "/" + std::to_string(i));
}

TEST_F(CommandTest, FollowShowsVisitsAsTheyCome) {
  Start();
  support::Process follow({GATEBOOK_BINARY, "visits", "--follow", "--json", "-c", edge_->config_path()});
  RawClient client(edge_->Tls());
  int made = 0;
  EXPECT_TRUE(WaitUntil([&] {
    client.Get("/follow/" + std::to_string(made++));
    return follow.Output().find("/follow/") != std::string::npos;
  })) << follow.Describe();
}

TEST_F(CommandTest, ASessionIsToldWithItsVisits) {
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Get("/first"));
  ASSERT_TRUE(client.Get("/second"));
  ASSERT_EQ(edge_->WaitForVisits(2).size(), 2u);
  const std::string session = upstream_->last_request().Field("x-session-id").value_or("");
  const auto told = edge_->Command({"session", session});
  EXPECT_EQ(told.exit_code, 0) << told.errors;
  EXPECT_THAT(told.output, testing::HasSubstr("127.0.0.1"));
  EXPECT_EQ(edge_->Command({"session", "AAAAAAAAAAAAAAAAAAAAAA"}).exit_code, 1);
}

// Every 64th begins so.
TEST_F(CommandTest, ASessionIdMayBeginWithAHyphen) {
  Start();
  const auto told = edge_->Command({"session", "-gRd-VKrhNdKw78wNsLzdg"});
  EXPECT_EQ(told.exit_code, 1) << told.errors;  // there is no such session
}

// What is wrong elsewhere in the file must not blind those who look for what is wrong.
TEST_F(CommandTest, LookingNeedsOnlyWhatItLooksWith) {
  Start();
  RawClient(edge_->Tls()).Get("/");
  EXPECT_EQ(edge_->WaitForVisits(1).size(), 1u);
  options_.chain_file = options_.key_file = "/nonexistent/secret.pem";
  options_.more = "[limitz]\nconnections = 1\n";
  edge_->Configure(options_);
  EXPECT_EQ(edge_->Command({"check"}).exit_code, 78);
  for (const char* command : {"status", "visits"}) {
    const auto told = edge_->Command({command});
    EXPECT_EQ(told.exit_code, 0) << command << told.errors;
  }
  options_.redis_url = "nonsense";
  edge_->Configure(options_);
  EXPECT_EQ(edge_->Command({"visits"}).exit_code, 78);
}

TEST_F(CommandTest, WithoutRedisTheBookIsUnavailable) {
  Start();
  redis_->Stop();
  const auto visits = edge_->Command({"visits", "--since", "1h"});
  EXPECT_EQ(visits.exit_code, 69);
  EXPECT_NE(visits.errors, "");
  redis_->Start();
}

TEST_F(CommandTest, StatusTellsHowItGoesAndWhenNobodyIsThere) {
  Start();
  const auto status = edge_->Command({"status"});
  EXPECT_EQ(status.exit_code, 0) << status.errors;
  for (const char* part : {"redis", "journal", "dns"}) EXPECT_THAT(status.output, testing::HasSubstr(part));
  const auto as_json = edge_->Command({"status", "--json"});
  EXPECT_FALSE(json::parse(as_json.output, nullptr, false).is_discarded()) << as_json.output;
  EXPECT_EQ(edge_->Stop(), 0);
  EXPECT_EQ(edge_->Command({"status"}).exit_code, 69);
  verify_ = false;
}

}  // namespace
}  // namespace gatebook::e2e
