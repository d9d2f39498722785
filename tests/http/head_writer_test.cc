#include "http/head_writer.h"

#include <gtest/gtest.h>

#include <string>

namespace gatebook::http {
namespace {

TEST(HeadWriter, WritesARequest) {
  std::string out;
  HeadWriter writer(out);
  writer.RequestLine("POST", "/a?b");
  EXPECT_TRUE(writer.Field("Host", "example.com"));
  EXPECT_TRUE(writer.Field("X-Empty", ""));
  writer.ContentLength(18446744073709551615U);
  writer.Chunked();
  writer.End();
  EXPECT_EQ(out,
            "POST /a?b HTTP/1.1\r\nHost: example.com\r\nX-Empty: \r\nContent-Length: 18446744073709551615\r\n"
            "Transfer-Encoding: chunked\r\n\r\n");
}

TEST(HeadWriter, WritesAnAnswerIntoABuffer) {
  base::BufferPool pool;
  base::Buffer out(pool);
  HeadWriter writer(out);
  writer.StatusLine(404, "Not Found");
  writer.End();
  EXPECT_EQ(out.data(), "HTTP/1.1 404 Not Found\r\n\r\n");
}

TEST(HeadWriter, LeavesOutWhatWouldBeTwoLines) {
  std::string out;
  HeadWriter writer(out);
  for (const std::string_view value :
       {std::string_view("a\r\nb: c"), std::string_view("a\nb"), std::string_view("a\r"),
        std::string_view("a\0b", 3), std::string_view("\x1b[2J")}) {
    EXPECT_FALSE(writer.Field("X", value));
  }
  for (const char* name : {"", "a b", "a:", "a\r\n", "a\n", "\xc3\xa4"})
    EXPECT_FALSE(writer.Field(name, "x")) << name;
  EXPECT_EQ(out, "");
}

TEST(HeadWriter, TakesItsOwnReasonForOneThatIsNoText) {
  std::string out;
  HeadWriter(out).StatusLine(200, "O\r\nSet-Cookie: x");
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\n");
}

TEST(HeadWriterDeathTest, EndsTheProcessRatherThanWriteABrokenRequestLine) {
  std::string out;
  HeadWriter writer(out);
  EXPECT_DEATH(writer.RequestLine("GET", "/a b"), "bug");
  EXPECT_DEATH(writer.RequestLine("GET", "/\r\nHost: x"), "bug");
  EXPECT_DEATH(writer.RequestLine("GET\r\n", "/"), "bug");
  EXPECT_DEATH(writer.RequestLine("GET", ""), "bug");
}

}  // namespace
}  // namespace gatebook::http
