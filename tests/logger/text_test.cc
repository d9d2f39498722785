#include "logger/text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace gatebook::logger {
namespace {

std::string Clean(std::string_view raw, size_t most = 512) {
  std::string out(most, '?');
  return std::string(CleanText(raw, most, out));
}

TEST(CleanText, ReturnsPrintableTextItself) {
  const std::string raw = "Mozilla/5.0 (X11; Linux x86_64) \"quoted\" <b> \\ ~";
  char out[64];
  EXPECT_EQ(CleanText(raw, 512, out).data(), raw.data());
  EXPECT_EQ(CleanText(raw, 512, out), raw);
  const std::string finnish = "\xc3\xa4iti ja \xf0\x9f\x98\x80";
  EXPECT_EQ(CleanText(finnish, 512, out).data(), finnish.data());
}

TEST(CleanText, ShowsControlCharacters) {
  EXPECT_EQ(Clean("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(Clean(std::string_view("\0\r\n\x7f", 4)), "\\x00\\x0d\\x0a\\x7f");
  EXPECT_EQ(Clean("\xc2\x85\xc2\x9b"), "\\u0085\\u009b");
}

TEST(CleanText, ShowsHiddenAndReorderingCharacters) {
  EXPECT_EQ(Clean("a\u202e\u2066\u200f\u2028\ufeff"), "a\\u202e\\u2066\\u200f\\u2028\\ufeff");
  EXPECT_EQ(Clean("\U000e0041"), "\\U0e0041");
}

TEST(CleanText, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(Clean("\xff"), "\\xff");
  EXPECT_EQ(Clean("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(Clean("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(Clean("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
  EXPECT_EQ(Clean("ab\xe2\x82"), "ab\\xe2\\x82");                // cut short
}

TEST(CleanText, CutsOnlyBetweenCharacters) {
  EXPECT_EQ(Clean("abcdef", 3), "abc");
  EXPECT_EQ(Clean("ab\xc3\xa4", 3), "ab");
  EXPECT_EQ(Clean("a\x1b", 4), "a");
  EXPECT_EQ(Clean("", 0), "");
  EXPECT_EQ(Clean("\x01", 0), "");
}

TEST(CleanText, MakesAnyBytesHarmless) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string raw(random() % 40, '\0');
    for (char& c : raw) c = static_cast<char>(random());
    const std::string clean = Clean(raw, random() % 64);
    for (size_t at = 0; at < clean.size();) {
      const Utf8Character character = ReadUtf8(std::string_view(clean).substr(at));
      ASSERT_NE(character.size, 0U);
      ASSERT_GE(character.code, 0x20U);
      ASSERT_FALSE(character.code >= 0x7f && character.code <= 0x9f);
      at += character.size;
    }
    EXPECT_EQ(Clean(clean), clean);
  }
}

}  // namespace
}  // namespace gatebook::logger
