#include "review/saved_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/loader.h"

namespace gatebook::review {
namespace {

using testing::HasSubstr;

config::LoadOutcome Load(const std::string& more) {
  const std::string text =
      "[[listen]]\naddress = \"127.0.0.1:0\"\ntls = false\n[[upstream]]\nname = \"a\"\nservers = "
      "[\"127.0.0.1:1\"]\n";
  return config::LoadText(text + more, "gatebook.toml", config::FileChecks::kOff, CheckQueries);
}

TEST(SavedQuery, IsFoundByItsName) {
  const auto loaded = Load("[[query]]\nname = \"failed-logins\"\nwhere = \"status = 401\"\n");
  ASSERT_TRUE(loaded.ok()) << config::RenderProblems(loaded.problems, false);
  logger::StoredVisit visit;
  visit.status = 401;
  EXPECT_TRUE(ParseSavedQuery(*loaded.config, "failed-logins", {})->Matches(visit));
  EXPECT_THAT(ParseSavedQuery(*loaded.config, "failed-login", {}).error().message,
              HasSubstr("did you mean failed-logins?"));
  EXPECT_THAT(ParseSavedQuery({}, "x", {}).error().message, HasSubstr("the config has none"));
}

TEST(SavedQuery, AskedDiscreetlyItMayNotBeFinerThanWhatIsShown) {
  config::Config config;
  config.queries.push_back({"one", "ip = 203.0.113.7"});
  EXPECT_TRUE(ParseSavedQuery(config, "one", {}).ok());
  EXPECT_THAT(ParseSavedQuery(config, "one", {.discreet = true}).error().message,
              HasSubstr("[[query]] one: finer"));
}

TEST(SavedQuery, OneThatIsWrongIsSaidWithItsPlaceInTheFile) {
  const auto loaded = Load("[[query]]\nname = \"a\"\nwhere = \"status = 401 and contry = FI\"\n");
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(loaded.problems[0].line, 9u);
  EXPECT_EQ(loaded.problems[0].column, 27u);
  EXPECT_THAT(loaded.problems[0].message, HasSubstr("did you mean \"country\"?"));
  const auto escaped = Load("[[query]]\nname = \"a\"\nwhere = \"host = \\\"a\\\" and contry = FI\"\n");
  ASSERT_EQ(escaped.problems.size(), 1u);
  EXPECT_EQ(escaped.problems[0].column, 9u) << "the value's";
}

TEST(SavedQuery, SinksAreLookedAtAsWellAndNamesDiffer) {
  const auto loaded = Load(
      "[[query]]\nname = \"a\"\nwhere = \"open\"\n[[query]]\nname = \"a\"\nwhere = \"open\"\n"
      "[[sink]]\nname = \"s\"\nkind = \"stdout\"\nwhere = \"path ~ '('\"\n");
  ASSERT_EQ(loaded.problems.size(), 2u) << config::RenderProblems(loaded.problems, false);
  EXPECT_THAT(loaded.problems[0].message, HasSubstr("another [[query]] has it"));
  EXPECT_THAT(loaded.problems[1].message, HasSubstr("not a regular expression"));
}

}  // namespace
}  // namespace gatebook::review
