#include "review/visit_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "review/render.h"

namespace gatebook::review {
namespace {

using testing::HasSubstr;

std::string Csv(const logger::StoredVisit& visit) {
  std::string line;
  AppendCsv(line, visit);
  return line;
}

TEST(VisitCsv, HasAHeaderAndAsManyCellsALine) {
  std::string header;
  AppendCsvHeader(header);
  EXPECT_TRUE(header.starts_with("id,time,session,")) << header;
  EXPECT_TRUE(header.ends_with("\r\n"));
  const std::string line = Csv({});
  EXPECT_EQ(std::count(line.begin(), line.end(), ','), std::count(header.begin(), header.end(), ','));
  EXPECT_TRUE(line.ends_with("\r\n"));
}

TEST(VisitCsv, QuotesStandTwiceAndInQuotes) {
  logger::StoredVisit visit;
  visit.path = "/a,b";
  visit.user_agent = "so \"called\"";
  EXPECT_THAT(Csv(visit), HasSubstr(",\"/a,b\","));
  EXPECT_THAT(Csv(visit), HasSubstr(",\"so \"\"called\"\"\","));
}

TEST(VisitCsv, NoCellIsAFormula) {
  for (const std::string begin : {"=", "+", "-", "@", "\t=", "\r=", "\n="}) {
    logger::StoredVisit visit;
    visit.user_agent = begin + "HYPERLINK(\"http://evil\")";
    const std::string line = Csv(visit);
    const size_t cell = line.find(",\"") + 2;
    EXPECT_TRUE(line[cell] == '\'' || line[cell] == '\\') << line;
    EXPECT_EQ(line.find_first_of("\t\n\r"), line.size() - 2) << line;
  }
  logger::StoredVisit visit;
  visit.session = "-AAAAAAAAAAAAAAAAAAAAA";
  EXPECT_THAT(Csv(visit), HasSubstr(",'-AAAA"));
}

TEST(VisitCsv, NorIsOneWhereSemicolonsAreBorders) {
  const auto cell = [](const std::string& agent) {
    logger::StoredVisit visit;
    visit.user_agent = agent;
    return Csv(visit);
  };
  EXPECT_THAT(cell("a;=cmd|' /C calc'!A0"), HasSubstr("a;'=cmd"));
  EXPECT_THAT(cell("a; \"=1+1\""), HasSubstr("; \"\"'=1+1"));
  EXPECT_THAT(cell("＝1+1"), HasSubstr("'＝1+1"));
  EXPECT_THAT(cell("Mozilla/5.0 (X11; Linux x86_64)"), HasSubstr(",Mozilla/5.0 (X11; Linux x86_64),"));
}

TEST(VisitCsv, TextsThatActAreInert) {
  logger::StoredVisit visit;
  visit.path = "/\x1b[2J\xe2\x80\xae\xff";
  const std::string line = Csv(visit);
  EXPECT_THAT(line, HasSubstr("/\\x1b[2J\\u202e\\xff"));
}

TEST(Form, HasAName) {
  EXPECT_EQ(ParseForm("csv"), Form::kCsv);
  EXPECT_EQ(ParseForm("combined"), Form::kCombined);
  EXPECT_EQ(ParseForm("xml"), std::nullopt);
  EXPECT_EQ(RenderHeading(Form::kEcs), "");
  EXPECT_TRUE(RenderHeading(Form::kCsv).starts_with("id,"));
}

}  // namespace
}  // namespace gatebook::review
