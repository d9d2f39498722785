#include "config/inert.h"

#include <gtest/gtest.h>

namespace gatebook::config {
namespace {

TEST(Inert, PlainTextStaysAsItIs) { EXPECT_EQ(Inert("edge1 — Zürich 日本 🚪", 100), "edge1 — Zürich 日本 🚪"); }

TEST(Inert, ControlCharactersAreSpelledOut) {
  EXPECT_EQ(Inert("\x1b[31m\r\n\x7f", 100), "\\u{1b}[31m\\u{d}\\u{a}\\u{7f}");
  EXPECT_EQ(Inert("\xC2\x9B", 100), "\\u{9b}");  // C1: a control sequence introducer
  EXPECT_EQ(Inert(std::string_view("\0", 1), 100), "\\u{0}");
}

TEST(Inert, CharactersThatTurnTheWritingAreSpelledOut) {
  EXPECT_EQ(Inert("a\xE2\x80\xAE"
                  "b",
                  100),
            "a\\u{202e}b");
}

TEST(Inert, BytesThatAreNotUtf8AreSpelledOut) {
  EXPECT_EQ(Inert("\xff", 100), "\\xff");
  EXPECT_EQ(Inert("\xC0\xAF", 100), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(Inert("\xED\xA0\x80", 100), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(Inert("\xE2\x82", 100), "\\xe2\\x82");           // cut off
  EXPECT_EQ(Inert("\xF4\x90\x80\x80", 100), "\\xf4\\x90\\x80\\x80");
}

TEST(Inert, LongTextIsCut) { EXPECT_EQ(Inert("abcdef", 3), "abc…"); }

}  // namespace
}  // namespace gatebook::config
