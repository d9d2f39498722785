#include "http/request_parser.h"

#include <gtest/gtest.h>

namespace gatebook::http {
namespace {

TEST(RequestParser, AcceptsAPlainGetAndSaysWhereItsHeadEnds) {
  RequestParser parser(HeadLimits{});
  const std::string_view data = "GET /a/b?x=1 HTTP/1.1\r\nHost: example.com:8443\r\nX: \t y \r\n\r\nrest";
  ASSERT_EQ(parser.Parse(data), ParseStatus::kDone);
  EXPECT_EQ(parser.head().target, "/a/b?x=1");
  EXPECT_EQ(parser.head().path, "/a/b");
  EXPECT_EQ(parser.head().query, "x=1");
  EXPECT_EQ(parser.head().host, "example.com");
  EXPECT_EQ(parser.head().authority, "example.com:8443");
  EXPECT_EQ(parser.head().fields[1].value, "y");
  EXPECT_EQ(data.substr(parser.head().size), "rest");
}

}  // namespace
}  // namespace gatebook::http
