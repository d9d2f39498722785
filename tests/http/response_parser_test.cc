#include "http/response_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace gatebook::http {
namespace {

TEST(ResponseParser, SaysWhatTheAnswerIsAndWhereItsHeadEnds) {
  ResponseParser parser(HeadLimits{});
  const std::string data = "HTTP/1.1 201 Made\r\nContent-Length: 4\r\nServer: x\r\n\r\nbody";
  ASSERT_EQ(parser.Parse(data, Method::kPost, {}), ParseStatus::kDone);
  EXPECT_EQ(parser.head().status, 201);
  EXPECT_EQ(parser.head().reason, "Made");
  EXPECT_EQ(parser.head().framing, Framing::kLength);
  EXPECT_EQ(parser.head().fields[1].id, FieldId::kServer);
  EXPECT_EQ(data.substr(parser.head().size), "body");
}

TEST(ResponseParser, IsWholeAgainAfterARefusal) {
  ResponseParser parser(HeadLimits{});
  ASSERT_EQ(parser.Parse("HTTP/1.1 101 Yes\r\nConnection: close\r\n\r\n", Method::kGet, {}),
            ParseStatus::kRefused);
  EXPECT_EQ(parser.refusal(), Refusal::kUpstreamBadUpgrade);
  EXPECT_EQ(parser.detail(), Refusal::kBadUpgrade);
  EXPECT_EQ(parser.Parse("HTTP/1.1 200 OK\r\n\r\n", Method::kGet, {}), ParseStatus::kRefused)
      << "without Reset()";
  parser.Reset();
  ASSERT_EQ(parser.Parse("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Method::kGet, {}),
            ParseStatus::kDone);
  EXPECT_TRUE(parser.head().keep_alive);
  EXPECT_FALSE(parser.head().websocket);
}

TEST(ResponseParser, KnowsTheFramingOfEveryStatusAndMethod) {
  for (int status = 200; status < 600; ++status) {
    for (const Method method : {Method::kGet, Method::kHead, Method::kPost}) {
      ResponseParser parser(HeadLimits{});
      const std::string data = "HTTP/1.1 " + std::to_string(status) + " X\r\n\r\n";
      ASSERT_EQ(parser.Parse(data, method, {}), ParseStatus::kDone) << status;
      const bool bodiless = method == Method::kHead || status == 204 || status == 304;
      EXPECT_EQ(parser.head().framing, bodiless ? Framing::kNone : Framing::kToClose) << status;
      EXPECT_EQ(parser.head().keep_alive, bodiless) << status;
    }
  }
}

}  // namespace
}  // namespace gatebook::http
