#include "review/desk_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "review/password.h"
#include "tests/support/temp_directory.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using config::Role;
using testing::HasSubstr;
using testing::Not;

constexpr uid_t kStranger = 54321;

TEST(Password, FitsOnlyItself) {
  const auto made = Password::Make("correct horse");
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(made->Check("correct horse"));
  EXPECT_FALSE(made->Check("correct hors"));
  EXPECT_FALSE(made->Check(""));
  EXPECT_FALSE(Password::Nobody().Check("correct horse"));
  const auto again = Password::Parse(made->ToText());
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->Check("correct horse"));
  EXPECT_NE(Password::Make("correct horse")->ToText(), made->ToText()) << "each has a salt of its own";
}

TEST(Password, ShortOnesAndDamagedLinesAreRefusedWithoutRepeatingThem) {
  EXPECT_FALSE(Password::Make("short").ok());
  EXPECT_FALSE(Password::Make(std::string(2000, 'x')).ok());
  const std::string line = Password::Make("correct horse")->ToText();
  for (const std::string& bad :
       {std::string(), std::string("correct horse"), line + "A", line.substr(0, line.size() - 1),
        "scrypt:40:8:1:" + line.substr(13), "scrypt:15:8:99:" + line.substr(14),
        "scrypt:-1:8:3:" + line.substr(14), "bcrypt" + line.substr(6)}) {
    const auto parsed = Password::Parse(bad);
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_THAT(parsed.error().message, Not(HasSubstr("horse")));
  }
}

class LoginsTest : public testing::Test {
 protected:
  LoginsTest() {
    config::Desk limits;
    limits.idle = 30min;
    limits.lifetime = 2h;
    limits.logins_a_minute = 2;
    logins_.SetLimits(limits);
  }
  base::ManualClock clock_{base::WallTime(1'700'000'000'000ms)};
  DeskLogins logins_{clock_};
};

TEST_F(LoginsTest, ALoginLivesWhileItIsUsedAndNotTooLong) {
  const std::string cookie = logins_.Begin("alice");
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(29min);
    EXPECT_EQ(logins_.Use(cookie), "alice");
  }
  clock_.Advance(29min);
  EXPECT_EQ(logins_.Find(cookie), "alice");
  clock_.Advance(2min);
  EXPECT_EQ(logins_.Use(cookie), std::nullopt) << "to look whether it is there is no use of it";
  const std::string other = logins_.Begin("alice");
  for (int i = 0; i < 7; ++i) {
    clock_.Advance(20min);
    EXPECT_EQ(logins_.Use(other).has_value(), i < 5) << i;
  }
}

TEST_F(LoginsTest, CookiesAreLongAndNoOthersFit) {
  const std::string one = logins_.Begin("alice");
  EXPECT_EQ(one.size(), 43u);
  EXPECT_NE(logins_.Begin("alice"), one);
  EXPECT_EQ(logins_.Use(one.substr(1)), std::nullopt);
  EXPECT_EQ(logins_.Use(""), std::nullopt);
  EXPECT_EQ(logins_.Use(std::string(43, 'A')), std::nullopt);
  logins_.End(one);
  EXPECT_EQ(logins_.Use(one), std::nullopt);
}

TEST_F(LoginsTest, TheLongestIdleGivesWay) {
  const std::string first = logins_.Begin("alice");
  clock_.Advance(1s);
  const std::string second = logins_.Begin("alice");
  clock_.Advance(1s);
  for (int i = 0; i < 255; ++i) logins_.Begin("bob");
  EXPECT_EQ(logins_.size(), 256u);
  EXPECT_EQ(logins_.Use(first), std::nullopt);
  EXPECT_EQ(logins_.Use(second), "alice");
}

TEST_F(LoginsTest, FailedOnesAreFewAMinute) {
  EXPECT_TRUE(logins_.MayTry());
  EXPECT_TRUE(logins_.MayTry());
  EXPECT_FALSE(logins_.MayTry()) << "two are not judged yet, and may fail";
  logins_.Succeeded();
  EXPECT_TRUE(logins_.MayTry());
  EXPECT_FALSE(logins_.MayTry());
  clock_.Advance(1min);
  EXPECT_TRUE(logins_.MayTry());
}

class AccessTest : public testing::Test {
 protected:
  void Read(std::vector<config::Reader> readers) {
    auto loaded = DeskReaders::Load(readers);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    access_.SetReaders(std::move(loaded).value(), {});
  }
  static DeskRequest FromSocket(uid_t uid) {
    DeskRequest request;
    request.peer.uid = uid;
    request.path = "/desk/api/me";
    request.host = request.authority = "localhost";
    return request;
  }
  static DeskRequest OverTls() {
    DeskRequest request = FromSocket(0);
    request.peer = {true, {}, {}};
    request.host = request.authority = "edge.example";
    return request;
  }
  int Refusal(const DeskRequest& request) const {
    const auto refusal = access_.Refuse(request);
    return refusal ? refusal->status : 0;
  }

  support::TempDirectory files_;
  base::ManualClock clock_{base::WallTime(1'700'000'000'000ms)};
  DeskAccess access_{clock_};
};

TEST_F(AccessTest, WhoeverMayOpenTheSocketIsAViewerAtLeast) {
  Read({});
  EXPECT_EQ(access_.Who(FromSocket(kStranger)).identity->role, Role::kViewer);
  EXPECT_EQ(access_.Who(FromSocket(0)).identity->role, Role::kInvestigator);
  EXPECT_EQ(access_.Who(FromSocket(::geteuid())).identity->role, Role::kInvestigator);
  config::Reader reader;
  reader.name = "ann";
  reader.unix_user = "root";
  Read({reader});
  EXPECT_EQ(access_.Who(FromSocket(0)).identity->name, "ann");
  EXPECT_EQ(access_.Who(FromSocket(0)).identity->role, Role::kViewer) << "as the config says";
  reader.unix_user = "daemon";
  Read({reader});
  EXPECT_EQ(access_.Who(FromSocket(0)).identity->role, Role::kViewer) << "others are named";
}

TEST_F(AccessTest, OverTlsOneOfThreeThingsSaysWhoItIs) {
  config::Reader tool, carol;
  tool.name = "tool";
  tool.token_file = files_.Write("token", "0123456789abcdef\n");
  carol.name = "carol";
  carol.certificate = "Carol C.";
  Read({tool, carol});
  DeskRequest request = OverTls();
  EXPECT_FALSE(access_.Who(request).identity);
  request.authorization = "Bearer 0123456789abcdef";
  EXPECT_EQ(access_.Who(request).identity->name, "tool");
  request.authorization = "Bearer 0123456789abcdeF";
  EXPECT_FALSE(access_.Who(request).identity);
  request.authorization = "Bearer ";
  EXPECT_FALSE(access_.Who(request).identity);
  request.authorization = "";
  request.peer.certificate_name = "carol";
  EXPECT_FALSE(access_.Who(request).identity);
  request.peer.certificate_name = "Carol C.";
  EXPECT_EQ(access_.Who(request).identity->name, "carol");
}

TEST_F(AccessTest, WhoseSecretIsChangedIsOut) {
  config::Reader alice, tool;
  alice.name = "alice";
  alice.password_file = files_.Write("alice", Password::Make("first password").value().ToText() + "\n");
  tool.name = "tool";
  tool.token_file = files_.Write("token", "0123456789abcdef\n");
  Read({alice, tool});
  DeskRequest by_login = OverTls(), by_token = OverTls();
  by_login.cookie = "__Host-gatebook-desk=" + access_.logins().Begin("alice");
  by_token.authorization = "Bearer 0123456789abcdef";
  const DeskIdentity alice_then = *access_.Who(by_login).identity;
  const DeskIdentity tool_then = *access_.Who(by_token).identity;
  Read({alice, tool});
  EXPECT_TRUE(access_.Who(by_login).identity) << "a reload alone changes nothing";
  EXPECT_TRUE(access_.IsStill(alice_then, by_login));
  EXPECT_TRUE(access_.IsStill(tool_then, by_token));
  files_.Write("alice", Password::Make("other password").value().ToText() + "\n");
  files_.Write("token", "fedcba9876543210\n");
  Read({alice, tool});
  EXPECT_FALSE(access_.Who(by_login).identity);
  EXPECT_FALSE(access_.IsStill(alice_then, by_login));
  EXPECT_FALSE(access_.IsStill(tool_then, by_token));
}

TEST_F(AccessTest, WrongTokensAreFewAMinute) {
  Read({});
  DeskRequest request = OverTls();
  request.authorization = "Bearer guess";
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(access_.Who(request).is_limited) << i;
  EXPECT_TRUE(access_.Who(request).is_limited);
}

TEST_F(AccessTest, PlainTcpIsClosed) {
  Read({});
  DeskRequest request = OverTls();
  request.peer.has_tls = false;
  EXPECT_EQ(Refusal(request), 404);
}

TEST_F(AccessTest, OtherPagesAreRefused) {
  Read({});
  DeskRequest request = FromSocket(0);
  EXPECT_EQ(Refusal(request), 0);
  request.host = "rebound.example";
  EXPECT_EQ(Refusal(request), 421);
  request.host = "localhost";
  for (const char* site : {"cross-site", "same-site"}) {
    request.fetch_site = site;
    EXPECT_EQ(Refusal(request), 403) << site;
  }
  request.path = "/desk/";
  EXPECT_EQ(Refusal(request), 0) << "a link may lead to the page, which holds nothing";
  request = OverTls();
  request.is_post = true;
  EXPECT_EQ(Refusal(request), 403) << "not marked";
  request.is_marked = true;
  EXPECT_EQ(Refusal(request), 0);
  for (const char* origin :
       {"https://other.example", "http://edge.example", "https://edge.example:8443", "null"}) {
    request.origin = origin;
    EXPECT_EQ(Refusal(request), 403) << origin;
  }
  request.origin = "https://edge.example";
  EXPECT_EQ(Refusal(request), 0);
}

TEST_F(AccessTest, SecretsThatCannotBeUsedAreSaidWithoutShowingThem) {
  config::Reader reader;
  reader.name = "alice";
  reader.password_file = files_.Write("alice", "my password in clear\n");
  const auto loaded = DeskReaders::Load({reader});
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().message, HasSubstr("alice"));
  EXPECT_THAT(loaded.error().message, Not(HasSubstr("clear")));
  reader.password_file.clear();
  reader.token_file = files_.Write("token", "short\n");
  EXPECT_FALSE(DeskReaders::Load({reader}).ok());
  reader.token_file = files_.Path("none");
  EXPECT_FALSE(DeskReaders::Load({reader}).ok());
  reader.token_file.clear();
  EXPECT_FALSE(DeskReaders::Load({reader, reader}).ok());
  config::Reader other = reader;
  other.name = "bob";
  other.token_file = reader.token_file = files_.Write("shared", "0123456789abcdef\n");
  const auto shared = DeskReaders::Load({reader, other});
  ASSERT_FALSE(shared.ok()) << "whose role would they have?";
  EXPECT_THAT(shared.error().message, HasSubstr("that of the reader alice"));
}

TEST(DeskHttp, ParametersAndCookiesAreTakenApart) {
  const auto parameters = ParseParameters("a=1&b=x%20y+z&a=2&=3&c&d=%zz&e=%4");
  EXPECT_EQ(parameters.size(), 5u);
  EXPECT_EQ(parameters.at("a"), "2");
  EXPECT_EQ(parameters.at("b"), "x y z");
  EXPECT_EQ(parameters.at("c"), "");
  EXPECT_EQ(parameters.at("d"), "%zz");
  EXPECT_EQ(parameters.at("e"), "%4");
  EXPECT_EQ(CookieOf("x=1; __Host-gatebook-desk=abc; y=2", "__Host-gatebook-desk"), "abc");
  EXPECT_EQ(CookieOf("x__Host-gatebook-desk=abc", "__Host-gatebook-desk"), "");
}

}  // namespace
}  // namespace gatebook::review
