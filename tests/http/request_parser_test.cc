#include "http/request_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace gatebook::http {
namespace {

constexpr std::string_view kRequest =
    "GET /a/b?x=1 HTTP/1.1\r\nHost: example.com:8443\r\nX: \t y \r\nConnection: x-y\r\nX-Y: z\r\n\r\n";

TEST(RequestParser, SaysWhatTheRequestIsAndWhereItsHeadEnds) {
  RequestParser parser(HeadLimits{});
  const std::string data = std::string(kRequest) + "rest";
  ASSERT_EQ(parser.Parse(data), ParseStatus::kDone);
  const RequestHead& head = parser.head();
  EXPECT_EQ(head.method, Method::kGet);
  EXPECT_EQ(head.target, "/a/b?x=1");
  EXPECT_EQ(head.path, "/a/b");
  EXPECT_EQ(head.query, "x=1");
  EXPECT_EQ(head.host, "example.com");
  EXPECT_EQ(head.authority, "example.com:8443");
  EXPECT_EQ(head.fields[0].id, FieldId::kHost);
  EXPECT_EQ(head.fields[1].value, "y");
  EXPECT_TRUE(head.fields[3].hop_by_hop);
  EXPECT_EQ(data.substr(head.size), "rest");
}

TEST(RequestParser, ViewsFollowTheBytesWhenTheyMoveBehindTheHead) {
  RequestParser parser(HeadLimits{});
  std::string first(kRequest);
  ASSERT_EQ(parser.Parse(first), ParseStatus::kDone);
  const std::string second = first + "body";
  std::ranges::fill(first, '#');
  ASSERT_EQ(parser.Parse(second), ParseStatus::kDone);
  EXPECT_EQ(parser.head().target.data(), second.data() + 4);
  EXPECT_EQ(parser.head().fields[0].value, "example.com:8443");
  EXPECT_TRUE(parser.head().fields[3].hop_by_hop);
}

TEST(RequestParser, IsWholeAgainAfterARefusal) {
  RequestParser parser(HeadLimits{});
  ASSERT_EQ(parser.Parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close, "
                         "x\r\nUpgrade: websocket\r\n\r\n"),
            ParseStatus::kRefused);
  EXPECT_EQ(parser.Parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ParseStatus::kRefused) << "without Reset()";
  parser.Reset();
  ASSERT_EQ(parser.Parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ParseStatus::kDone);
  EXPECT_TRUE(parser.head().keep_alive);
  EXPECT_FALSE(parser.head().has_content_length);
  EXPECT_EQ(parser.head().framing, Framing::kNone);
}

TEST(RequestParser, TellsWhatWasAskedEvenWhenItRefuses) {
  RequestParser parser(HeadLimits{});
  ASSERT_EQ(parser.Parse("PUT /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n"), ParseStatus::kRefused);
  EXPECT_EQ(parser.KnownHead().method_text, "PUT");
  EXPECT_EQ(parser.KnownHead().target, "/x");
  parser.Reset();
  EXPECT_EQ(parser.KnownHead().method_text, "");
  EXPECT_EQ(parser.KnownHead().target, "");
  ASSERT_EQ(parser.Parse("G(T /x HTTP/1.1\r\n"), ParseStatus::kRefused);
  EXPECT_EQ(parser.KnownHead().method_text, "");
}

TEST(RequestParser, TellsNoPasswordOfARefusedAbsoluteForm) {
  RequestParser parser(HeadLimits{});
  ASSERT_EQ(parser.Parse("GET http://user:secret@a/ HTTP/1.1\r\n"), ParseStatus::kRefused);
  EXPECT_EQ(parser.refusal(), Refusal::kBadHost);
  EXPECT_EQ(parser.KnownHead().target, "");
}

TEST(RequestParser, RefusesATooLongTargetAndTellsWhatFits) {
  RequestParser parser({.target_size = 100});
  const std::string data = "GET /" + std::string(100, 'a');
  ASSERT_EQ(parser.Parse(data), ParseStatus::kRefused);
  EXPECT_EQ(parser.refusal(), Refusal::kTargetTooLong);
  EXPECT_EQ(parser.KnownHead().target, std::string(1, '/').append(99, 'a'));
}

TEST(RequestParser, ReadsALargeHeadByteByByteInLinearTime) {
  // A parser that begins anew at every byte would look at 4 × 10^12 bytes here.
  const HeadLimits limits{.target_size = 1 << 20, .header_size = 4 << 20};
  std::string data = "GET /" + std::string(1 << 19, 'a') +
                     " HTTP/1.1\r\nHost: a\r\nX: " + std::string(2 << 20, 'b') + "\r\n\r\n";
  RequestParser parser(limits);
  for (size_t size = 1; size < data.size(); ++size) {
    ASSERT_EQ(parser.Parse(std::string_view(data).substr(0, size)), ParseStatus::kNeedMore);
  }
  EXPECT_EQ(parser.Parse(data), ParseStatus::kDone);
}

TEST(RequestParser, KeepsVeryLongNamesAndNumbersApart) {  // CVE-2021-40346
  for (const size_t extra : {1U, 128U, 256U, 257U, 65536U}) {
    RequestParser parser({.header_size = 1 << 20});
    const std::string data = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length0" + std::string(extra, 'a') +
                             ": 7\r\nContent-Length: " + std::string(extra, '0') + "5\r\n\r\nhello";
    ASSERT_EQ(parser.Parse(data), ParseStatus::kDone) << extra;
    EXPECT_EQ(parser.head().content_length, 5U);
    EXPECT_EQ(parser.head().fields[1].id, FieldId::kOther);
    EXPECT_EQ(parser.head().fields[1].name.size(), 15 + extra);
  }
}

TEST(RequestParser, NeverLooksBehindTheLargestHead) {
  RequestParser parser({.header_size = 64});
  const std::string data = std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n") + std::string(1 << 20, '\0');
  EXPECT_EQ(parser.Parse(data), ParseStatus::kDone);
}

TEST(RequestParser, HasNoControlByteItTakesAnywhere) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool control = byte < 0x20 || byte == 0x7f;
    for (size_t padding = 0; padding < 9; ++padding) {
      RequestParser parser(HeadLimits{});
      const std::string data =
          "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(padding, 'x') + c + "y\r\n\r\n";
      const bool well = parser.Parse(data) == ParseStatus::kDone;
      EXPECT_EQ(well, !control || c == '\t') << byte << " behind " << padding;
    }
  }
}

TEST(RequestParser, TakesOnlyTokensAsNames) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  for (int byte = 1; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (c == ':') continue;
    const bool token = (byte < 0x80 && std::isalnum(byte) != 0) || kOthers.find(c) != std::string_view::npos;
    RequestParser parser(HeadLimits{});
    const std::string data = std::string("GET / HTTP/1.1\r\nHost: a\r\nX") + c + "Y: z\r\n\r\n";
    EXPECT_EQ(parser.Parse(data) == ParseStatus::kDone, token) << byte;
  }
}

TEST(Refusals, HaveSlugsOfTheirOwnAndStatusesOfErrors) {
  std::set<std::string_view> slugs;
  for (size_t i = 0; i < static_cast<size_t>(Refusal::kCount); ++i) {
    const RefusalInfo& info = InfoOf(static_cast<Refusal>(i));
    EXPECT_TRUE(slugs.insert(info.slug).second) << info.slug;
    EXPECT_GE(info.status, 400);
    EXPECT_NE(ReasonPhrase(info.status), "Unknown") << info.status;
    EXPECT_FALSE(info.meaning.empty());
  }
}

TEST(Refusals, OfTheParserAllHaveAGoldenConversation) {
  std::ifstream file(GATEBOOK_SOURCE_DIR "/tests/golden/requests.txt");
  std::set<std::string> seen;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string mark, refused, status, slug;
    words >> mark >> refused >> status >> slug;
    if (mark == ">" && refused == "refused") seen.insert(status + " " + slug);
  }
  for (size_t i = 0; i <= static_cast<size_t>(Refusal::kBadTrailer); ++i) {
    const RefusalInfo& info = InfoOf(static_cast<Refusal>(i));
    EXPECT_TRUE(seen.contains(std::to_string(info.status) + " " + std::string(info.slug))) << info.slug;
  }
}

}  // namespace
}  // namespace gatebook::http
