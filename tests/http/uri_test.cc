#include "http/uri.h"

#include <gtest/gtest.h>

#include <string>

namespace gatebook::http {
namespace {

TEST(Authority, IsAHostAndPerhapsAPort) {
  for (const char* text :
       {"a", "example.com", "example.com.", "xn--bcher-kva.example", "_dmarc.example", "a-b.c", "1.2.3.4",
        "[::1]", "[2001:db8::1]", "[::ffff:1.2.3.4]", "1a.2b", "1.example"}) {
    const auto alone = ParseAuthority(text);
    ASSERT_TRUE(alone) << text;
    EXPECT_EQ(alone->host, text);
    EXPECT_EQ(alone->port, "");
    const std::string with_port = std::string(text) + ":08443";
    const auto both = ParseAuthority(with_port);
    ASSERT_TRUE(both) << with_port;
    EXPECT_EQ(both->host, text);
    EXPECT_EQ(both->port, "08443");
  }
}

TEST(Authority, IsNothingThatTwoReadersCouldTakeForTwoHosts) {
  for (const char* text : {"",
                           ":80",
                           "a:",
                           "a:65536",
                           "a:123456",
                           "a:-1",
                           "a:+1",
                           "a:8 0",
                           "a b",
                           "a,b",
                           "a/b",
                           "a?b",
                           "a#b",
                           "a@b",
                           "user@a:80",
                           "a\\b",
                           "a%62",
                           "a%",
                           ".a",
                           "a..b",
                           ".",
                           "..",
                           "a:80:80",
                           "::1",
                           "[::1",
                           "::1]",
                           "[]",
                           "[a]",
                           "[::1]a",
                           "[::1]:",
                           "[::1]:x",
                           "[fe80::1%25eth0]",
                           "[fe80::1%eth0]",
                           "[v1.x]",
                           "[127.0.0.1]",
                           "127.1",
                           "256.1.1.1",
                           "1.2.3.04",
                           "2130706433",
                           "1.2.3.4.5",
                           "a.123",
                           "\"a\"",
                           "a\"",
                           "<a>",
                           "a;b",
                           "a=b",
                           "(a)",
                           "a|b",
                           "b\xc3\xbc"
                           "cher.example",
                           "a\x01",
                           "a\tb"}) {
    EXPECT_FALSE(ParseAuthority(text)) << text;
  }
  EXPECT_FALSE(ParseAuthority(std::string_view("a\0b", 3)));
  EXPECT_TRUE(ParseAuthority(std::string(255, 'a')));
  EXPECT_FALSE(ParseAuthority(std::string(256, 'a')));
}

TEST(Target, OfTheOriginFormIsPathAndQuery) {
  Target target;
  ASSERT_FALSE(ParseTarget("/a%2Fb?c=d?e", Method::kGet, target));
  EXPECT_EQ(target.path, "/a%2Fb");
  EXPECT_EQ(target.query, "c=d?e");
  EXPECT_TRUE(target.authority.empty());
  ASSERT_FALSE(ParseTarget("//a/b", Method::kGet, target));
  EXPECT_EQ(target.path, "//a/b") << "two slashes name no host here";
  ASSERT_FALSE(ParseTarget("/?", Method::kGet, target));
  EXPECT_TRUE(target.has_query);
  EXPECT_EQ(target.path_and_query, "/?");
}

TEST(Target, OfTheAbsoluteFormHasAnAuthority) {
  Target target;
  ASSERT_FALSE(ParseTarget("hTTps://[::1]:8443/a?b", Method::kGet, target));
  EXPECT_EQ(target.authority, "[::1]:8443");
  EXPECT_EQ(target.parsed.host, "[::1]");
  EXPECT_EQ(target.path_and_query, "/a?b");
  ASSERT_FALSE(ParseTarget("http://a", Method::kGet, target));
  EXPECT_EQ(target.path, "");
}

TEST(Target, HasNoByteThatIsNotVisibleAscii) {
  for (int byte = 0; byte < 256; ++byte) {
    Target target;
    const std::string text = std::string("/a") + static_cast<char>(byte) + "4F";
    const bool well = byte > 0x20 && byte < 0x7f && byte != '#';
    EXPECT_EQ(!ParseTarget(text, Method::kGet, target), well) << byte;
  }
}

TEST(Target, HasOnlyWholeEscapesInItsPath) {
  Target target;
  for (const char* text : {"/%", "/%4", "/%g0", "/%0g", "/%%41", "/a%2", "/%?a"}) {
    EXPECT_EQ(ParseTarget(text, Method::kGet, target), Refusal::kBadTarget) << text;
  }
  for (const char* text : {"/?%", "/?q=100%", "/?%0g"}) {
    EXPECT_EQ(ParseTarget(text, Method::kGet, target), std::nullopt) << text;
  }
}

TEST(Target, IsAnAsteriskOnlyForOptions) {
  Target target;
  EXPECT_FALSE(ParseTarget("*", Method::kOptions, target));
  EXPECT_EQ(target.path, "*");
  EXPECT_EQ(ParseTarget("*", Method::kGet, target), Refusal::kBadTarget);
  EXPECT_EQ(ParseTarget("**", Method::kOptions, target), Refusal::kBadTarget);
  EXPECT_EQ(ParseTarget("", Method::kGet, target), Refusal::kBadTarget);
}

}  // namespace
}  // namespace gatebook::http
