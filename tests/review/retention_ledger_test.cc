#include "review/retention_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_directory.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class RetentionLedgerTest : public testing::Test {
 protected:
  LedgerLine Add(int day, const std::string& rewrite = "ok") {
    LedgerEntry entry;
    entry.edge = "edge1";
    entry.redis_rewrite = rewrite;
    entry.report.made = base::WallTime(day * 24h);
    entry.report.retention = 720h;
    entry.report.at(Place::kVisits).records = 100;
    const auto line = ledger_.Append(entry);
    EXPECT_TRUE(line.ok()) << line.error().message;
    return *line;
  }
  LedgerContents Read() {
    const auto contents = ledger_.Read();
    EXPECT_TRUE(contents.ok());
    return *contents;
  }
  std::string Text() { return support::ReadFile(ledger_.path()); }
  void Write(const std::string& text) { std::ofstream(ledger_.path(), std::ios::trunc) << text; }

  support::TempDirectory files_;
  RetentionLedger ledger_{files_.Path("ledger")};
};

TEST_F(RetentionLedgerTest, BeforeTheFirstLineThereIsNone) {
  EXPECT_TRUE(Read().lines.empty());
  EXPECT_EQ(Read().broken, "");
}

TEST_F(RetentionLedgerTest, LinesFollowOneAnotherAndAreReadBack) {
  Add(1, "off");
  const LedgerLine second = Add(2);
  const LedgerContents contents = Read();
  EXPECT_EQ(contents.broken, "");
  ASSERT_EQ(contents.lines.size(), 2u);
  EXPECT_EQ(contents.lines[1].chain, second.chain);
  EXPECT_EQ(contents.lines[1].number, 2u);
  EXPECT_EQ(contents.lines[1].time, base::WallTime(48h));
  EXPECT_TRUE(contents.lines[1].kept);
  EXPECT_FALSE(contents.lines[0].rewritten);
  EXPECT_TRUE(contents.lines[1].rewritten);
  EXPECT_THAT(contents.lines[1].text, HasSubstr("\"visits\":{\"records\":100"));
}

TEST_F(RetentionLedgerTest, AnyChangedByteBreaksTheChain) {
  Add(1);
  Add(2);
  const std::string text = Text();
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == '7' ? '8' : '7';
    Write(changed);
    EXPECT_NE(Read().broken, "") << "byte " << i;
  }
}

TEST_F(RetentionLedgerTest, ALineThatIsTakenOutOrPutInBreaksTheChain) {
  for (int day = 1; day <= 3; ++day) Add(day);
  const std::string text = Text();
  const size_t first = text.find('\n') + 1;
  const size_t second = text.find('\n', first) + 1;
  Write(text.substr(0, first) + text.substr(second));
  EXPECT_THAT(Read().broken, HasSubstr("line 2"));
  Write(text.substr(first));
  EXPECT_THAT(Read().broken, HasSubstr("line 1"));
  Write(text + text.substr(second));
  EXPECT_THAT(Read().broken, HasSubstr("line 4"));
}

TEST_F(RetentionLedgerTest, ALineCutShortShowsAndTheNextStandsForItself) {
  Add(1);
  Add(2);
  const std::string text = Text();
  Write(text.substr(0, text.size() - 30));
  EXPECT_THAT(Read().broken, HasSubstr("line 2"));
  Add(3);
  const LedgerContents contents = Read();
  EXPECT_THAT(contents.broken, HasSubstr("line 2"));
  ASSERT_EQ(contents.lines.size(), 3u);
  EXPECT_EQ(contents.lines[2].number, 3u);
  EXPECT_EQ(contents.lines[2].time, base::WallTime(72h));
}

TEST_F(RetentionLedgerTest, OneThatCannotBeWrittenSaysSo) {
  LedgerEntry entry;
  EXPECT_EQ(RetentionLedger(files_.Path("no/such/ledger")).Append(entry).error().exit_code,
            base::ExitCode::kCannotCreate);
  EXPECT_EQ(RetentionLedger(files_.path()).Read().error().exit_code, base::ExitCode::kInputOutput);
}

}  // namespace
}  // namespace gatebook::review
