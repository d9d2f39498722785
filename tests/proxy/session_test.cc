#include "proxy/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "tests/support/temp_directory.h"

namespace gatebook::proxy {
namespace {

using namespace std::chrono_literals;
using Verdict = SessionDecision::Verdict;

class SessionTest : public testing::Test {
 protected:
  static SessionKey MakeKey(uint8_t filling) {
    std::array<uint8_t, SessionKey::kSize> bytes{};
    bytes.fill(filling);
    return SessionKey(bytes);
  }

  // The value of a decision's Set-Cookie field.
  std::string FieldOf(const SessionDecision& decision) { return FieldOf(keeper_, decision); }
  std::string FieldOf(SessionKeeper& keeper, const SessionDecision& decision) {
    return std::string(keeper.SetCookieValue(decision.token));
  }
  // What the client sends back: name and value.
  std::string CookieOf(const SessionDecision& decision) {
    const std::string field = FieldOf(decision);
    return field.substr(0, field.find(';'));
  }

  config::Session config_;
  base::WallTime now_{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)};
  SessionKeeper keeper_{MakeKey(7), config_, "1"};
};

TEST_F(SessionTest, NoCookieBeginsASessionAndSetsIt) {
  const SessionDecision decision = keeper_.Decide("", now_);
  EXPECT_EQ(decision.verdict, Verdict::kNew);
  EXPECT_TRUE(decision.IsNew());
  EXPECT_TRUE(decision.set_cookie);
  const std::string field = FieldOf(decision);
  EXPECT_THAT(field, testing::StartsWith("__Host-gatebook=v1."));
  EXPECT_THAT(field, testing::EndsWith("; Max-Age=1800; Path=/; Secure; HttpOnly; SameSite=Lax"));
}

TEST_F(SessionTest, ItsOwnCookieContinuesTheSessionWithoutSettingItAgain) {
  const SessionDecision first = keeper_.Decide("", now_);
  const SessionDecision second = keeper_.Decide("a=b; " + CookieOf(first) + "; c=d", now_ + 30s);
  EXPECT_EQ(second.verdict, Verdict::kContinued);
  EXPECT_EQ(second.id, first.id);
  EXPECT_FALSE(second.set_cookie);
}

TEST_F(SessionTest, TwoSessionsHaveDifferentIds) {
  std::set<logger::SessionId> ids;
  for (int i = 0; i < 100; ++i) ids.insert(keeper_.Decide("", now_).id);
  EXPECT_EQ(ids.size(), 100U);
}

TEST_F(SessionTest, ACookieAMinuteOldIsSetAgain) {
  const SessionDecision first = keeper_.Decide("", now_);
  EXPECT_FALSE(keeper_.Decide(CookieOf(first), now_ + 59s).set_cookie);
  const SessionDecision second = keeper_.Decide(CookieOf(first), now_ + 60s);
  EXPECT_TRUE(second.set_cookie);
  EXPECT_EQ(second.token.seen, first.token.seen + 60);
  EXPECT_EQ(second.token.created, first.token.created);
}

TEST_F(SessionTest, IdleEndsASession) {
  const SessionDecision first = keeper_.Decide("", now_);
  EXPECT_EQ(keeper_.Decide(CookieOf(first), now_ + 30min - 1s).verdict, Verdict::kContinued);
  const SessionDecision late = keeper_.Decide(CookieOf(first), now_ + 30min);
  EXPECT_EQ(late.verdict, Verdict::kStale);
  EXPECT_NE(late.id, first.id);
  EXPECT_TRUE(late.set_cookie);
}

TEST_F(SessionTest, ABusySessionStillEndsAfterItsLifetime) {
  SessionDecision decision = keeper_.Decide("", now_);
  const logger::SessionId id = decision.id;
  for (auto age = 20min; age < 24h; age += 20min) {
    decision = keeper_.Decide(CookieOf(decision), now_ + age);
    ASSERT_EQ(decision.verdict, Verdict::kContinued) << age.count();
    ASSERT_EQ(decision.id, id);
  }
  EXPECT_THAT(FieldOf(decision), testing::HasSubstr("; Max-Age=1200;"));
  EXPECT_EQ(keeper_.Decide(CookieOf(decision), now_ + 24h).verdict, Verdict::kStale);
}

TEST_F(SessionTest, EveryChangedCharacterIsForged) {
  const SessionDecision first = keeper_.Decide("", now_);
  const std::string cookie = CookieOf(first);
  for (size_t i = cookie.find('=') + 1; i < cookie.size(); ++i) {
    std::string changed = cookie;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const SessionDecision decision = keeper_.Decide(changed, now_);
    EXPECT_EQ(decision.verdict, Verdict::kForged) << i;
    EXPECT_NE(decision.id, first.id);
  }
}

TEST_F(SessionTest, EveryShortenedOrLengthenedCookieIsForged) {
  const std::string cookie = CookieOf(keeper_.Decide("", now_));
  for (size_t size = cookie.find('=') + 1; size < cookie.size(); ++size) {
    EXPECT_EQ(keeper_.Decide(cookie.substr(0, size), now_).verdict, Verdict::kForged) << size;
  }
  EXPECT_EQ(keeper_.Decide(cookie + "A", now_).verdict, Verdict::kForged);
  EXPECT_EQ(keeper_.Decide("__Host-gatebook", now_).verdict, Verdict::kForged);
  EXPECT_EQ(keeper_.Decide("__Host-gatebook=" + std::string(5000, 'A'), now_).verdict, Verdict::kForged);
}

TEST_F(SessionTest, ACookieShownTwiceIsBelievedNeitherTime) {
  const std::string cookie = CookieOf(keeper_.Decide("", now_));
  EXPECT_EQ(keeper_.Decide(cookie + "; " + cookie, now_).verdict, Verdict::kForged);
  EXPECT_EQ(keeper_.Decide(cookie + "; __Host-gatebook=x", now_).verdict, Verdict::kForged);
}

TEST_F(SessionTest, AnotherKeysCookieIsForged) {
  SessionKeeper other(MakeKey(8), config_, "1");
  EXPECT_EQ(other.Decide(CookieOf(keeper_.Decide("", now_)), now_).verdict, Verdict::kForged);
}

TEST_F(SessionTest, TheSameKeyContinuesASessionInAnotherWorker) {
  SessionKeeper other(MakeKey(7), config_, "1");
  const SessionDecision first = keeper_.Decide("", now_);
  const SessionDecision second = other.Decide(CookieOf(first), now_);
  EXPECT_EQ(second.verdict, Verdict::kContinued);
  EXPECT_EQ(second.id, first.id);
}

TEST_F(SessionTest, ACookieFromTheFutureIsStaleButAClockALittleBehindIsForgiven) {
  const std::string cookie = CookieOf(keeper_.Decide("", now_));
  EXPECT_EQ(keeper_.Decide(cookie, now_ - 5min).verdict, Verdict::kContinued);
  EXPECT_EQ(keeper_.Decide(cookie, now_ - 5min - 1s).verdict, Verdict::kStale);
}

TEST_F(SessionTest, NamesAreCaseSensitiveAndWhole) {
  const std::string cookie = CookieOf(keeper_.Decide("", now_));
  EXPECT_EQ(keeper_.Decide("x" + cookie, now_).verdict, Verdict::kNew);
  EXPECT_EQ(keeper_.Decide("__host-gatebook" + cookie.substr(cookie.find('=')), now_).verdict, Verdict::kNew);
  EXPECT_EQ(keeper_.Decide("a=" + cookie, now_).verdict, Verdict::kNew);
}

TEST_F(SessionTest, EmbeddedUseSetsAPartitionedCookie) {
  config_.same_site = config::SameSite::kNone;
  config_.partitioned = true;
  SessionKeeper keeper(MakeKey(7), config_, "1");
  EXPECT_THAT(FieldOf(keeper, keeper.Decide("", now_)),
              testing::EndsWith("; Secure; HttpOnly; SameSite=None; Partitioned"));
}

class SessionKeyTest : public testing::Test {
 protected:
  support::TempDirectory directory_;
  std::string path_ = directory_.Path("session.key");
};

TEST_F(SessionKeyTest, IsMadeOnceAndThenRead) {
  const auto first = SessionKey::LoadOrMake(path_);
  ASSERT_TRUE(first.ok()) << first.error().message;
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_EQ(info.st_size, 32);
  const auto second = SessionKey::LoadOrMake(path_);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(first->bytes(), second->bytes());
}

TEST_F(SessionKeyTest, LeavesNothingBesideIt) {
  ASSERT_TRUE(SessionKey::LoadOrMake(path_).ok());
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_.path())) files++;
  EXPECT_EQ(files, 1U);
}

TEST_F(SessionKeyTest, AKeyThatOthersMayReadIsRefused) {
  ASSERT_TRUE(SessionKey::LoadOrMake(path_).ok());
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  const auto key = SessionKey::LoadOrMake(path_);
  ASSERT_FALSE(key.ok());
  EXPECT_THAT(key.error().message, testing::HasSubstr("0640"));
}

TEST_F(SessionKeyTest, AKeyOfTheWrongSizeIsRefused) {
  directory_.Write("session.key", "too short");
  ASSERT_EQ(::chmod(path_.c_str(), 0600), 0);
  const auto key = SessionKey::LoadOrMake(path_);
  ASSERT_FALSE(key.ok());
  EXPECT_THAT(key.error().message, testing::HasSubstr("9 bytes"));
}

TEST_F(SessionKeyTest, ADirectoryIsNoKey) {
  ASSERT_EQ(::mkdir(path_.c_str(), 0700), 0);
  EXPECT_FALSE(SessionKey::LoadOrMake(path_).ok());
}

TEST_F(SessionKeyTest, AMissingDirectoryIsSaid) {
  const auto key = SessionKey::LoadOrMake(directory_.Path("nowhere/session.key"));
  ASSERT_FALSE(key.ok());
  EXPECT_EQ(key.error().exit_code, base::ExitCode::kCannotCreate);
}

TEST_F(SessionTest, ACookieSaysWhichPolicyItsSessionKnows) {
  const std::string cookie = CookieOf(keeper_.Decide("", now_));
  EXPECT_FALSE(keeper_.Decide(cookie, now_ + 1s).policy_changed);
  SessionKeeper next(MakeKey(7), config_, "2");
  const SessionDecision told = next.Decide(cookie, now_ + 1s);
  EXPECT_EQ(told.verdict, Verdict::kContinued);
  EXPECT_TRUE(told.policy_changed);
  EXPECT_TRUE(told.set_cookie) << "or it would be told again";
  EXPECT_FALSE(next.Decide(CookieOf(told), now_ + 2s).policy_changed);
  const SessionDecision late = next.Decide(cookie, now_ + 1h);
  EXPECT_EQ(late.verdict, Verdict::kStale);
  EXPECT_TRUE(late.policy_changed) << "who comes back later is told as well";
  EXPECT_FALSE(next.Decide("", now_).policy_changed) << "a first visit knows no other";
}

}  // namespace
}  // namespace gatebook::proxy
