#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace gatebook::base {
namespace {

TEST(Result, HoldsAValueOrTheErrorThatKeptItFromBeing) {
  Result<int> good(7);
  ASSERT_TRUE(good.ok());
  EXPECT_TRUE(static_cast<bool>(good));
  EXPECT_EQ(*good, 7);
  *good = 8;
  EXPECT_EQ(good.value(), 8);

  const Result<int> bad(Error{"no number", ExitCode::kConfig});
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().message, "no number");
  EXPECT_EQ(static_cast<int>(bad.error().exit_code), 78);
}

TEST(Result, GivesUpWhatItOwns) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(3));
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 3);
}

TEST(Result, StatusIsWellUnlessAnErrorWasPutIn) {
  const Status well;
  EXPECT_TRUE(well.ok());
  const Status ill = Error{"disk full", ExitCode::kInputOutput};
  EXPECT_FALSE(ill);
  EXPECT_EQ(ill.error().message, "disk full");
}

TEST(ResultDeathTest, AskingForWhatIsNotThereIsABugOfOurs) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Result<int> bad(Error{"x"});
  EXPECT_DEATH((void)bad.value(), "bug: ok\\(\\) does not hold at .*result.h");
  const Result<int> good(1);
  EXPECT_DEATH((void)good.error(), "bug: !ok\\(\\) does not hold");
  const Status well;
  EXPECT_DEATH((void)well.error(), "bug: !ok\\(\\) does not hold");
}

}  // namespace
}  // namespace gatebook::base
