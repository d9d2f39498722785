#include "logger/known_time.h"

#include <gtest/gtest.h>

#include "tests/support/temp_directory.h"

namespace gatebook::logger {
namespace {

using namespace std::chrono_literals;

TEST(KnownTime, IsReadBackAsItWasWritten) {
  const support::TempDirectory directory;
  EXPECT_FALSE(LoadKnownTime(directory.path()).has_value()) << "nothing is known yet";
  for (const std::string boot : {"5f1e6a44-boot", ""}) {
    const base::KnownTime known{boot, base::SteadyTime(77s), base::WallTime(1'000'000h)};
    ASSERT_TRUE(SaveKnownTime(directory.path(), known).ok());
    const auto read = LoadKnownTime(directory.path());
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->boot, boot);
    EXPECT_EQ(read->since, known.since);
    EXPECT_EQ(read->wall, known.wall);
  }
}

TEST(KnownTime, DamageIsAsIfNothingWereKnown) {
  const support::TempDirectory directory;
  for (const char* text : {"", "\n", "boot 1", "boot -1 5\n", "boot one 5\n"}) {
    directory.Write("clock", text);
    EXPECT_FALSE(LoadKnownTime(directory.path()).has_value()) << text;
  }
}

TEST(KnownTime, WithoutAJournalItCannotBeKept) {
  const support::TempDirectory directory;
  EXPECT_FALSE(SaveKnownTime(directory.Path("nowhere"), {}).ok());
}

}  // namespace
}  // namespace gatebook::logger
