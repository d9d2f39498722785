#include "base/ascii.h"

#include <gtest/gtest.h>

namespace gatebook::base {
namespace {

TEST(Ascii, ClassesAreThoseOfAsciiForEveryByte) {
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    const bool digit = value >= '0' && value <= '9';
    const bool upper = value >= 'A' && value <= 'Z';
    const bool lower = value >= 'a' && value <= 'z';
    EXPECT_EQ(IsAsciiDigit(c), digit) << value;
    EXPECT_EQ(IsAsciiAlpha(c), upper || lower) << value;
    EXPECT_EQ(IsAsciiHex(c), digit || (value >= 'A' && value <= 'F') || (value >= 'a' && value <= 'f'))
        << value;
    EXPECT_EQ(ToAsciiLower(c), upper ? static_cast<char>(value + 32) : c) << value;
  }
}

TEST(Ascii, CaseIsIgnoredForLettersOnly) {
  EXPECT_TRUE(EqualsIgnoreCase("Content-Length", "cONTENT-lENGTH"));
  EXPECT_TRUE(EqualsIgnoreCase("", ""));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoreCase("@", "`"));        // 32 apart, no letters
  EXPECT_FALSE(EqualsIgnoreCase("\xc4", "\xe4"));  // letters of Latin-1, not of ASCII
  EXPECT_FALSE(EqualsIgnoreCase(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
  EXPECT_EQ(ToAsciiLower(std::string_view("ÄbC-9_")), "Äbc-9_");
}

TEST(Ascii, OnlySpacesAndTabsAreTrimmed) {
  EXPECT_EQ(TrimOws(" \t a b\t "), "a b");
  EXPECT_EQ(TrimOws(" \t "), "");
  EXPECT_EQ(TrimOws(""), "");
  EXPECT_EQ(TrimOws("\r a \n"), "\r a \n");
  EXPECT_EQ(TrimOws("\va\f"), "\va\f");
}

}  // namespace
}  // namespace gatebook::base
