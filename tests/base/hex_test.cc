#include "base/hex.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

namespace gatebook::base {
namespace {

std::vector<uint8_t> Bytes(std::string_view text) { return {text.begin(), text.end()}; }

TEST(Hex, BytesBecomeLowerCaseDigits) {
  EXPECT_EQ(ToHex({}), "");
  EXPECT_EQ(ToHex(std::array<uint8_t, 4>{0x00, 0x0f, 0xa5, 0xff}), "000fa5ff");
}

TEST(Hex, EveryByteComesBack) {
  for (int value = 0; value < 256; ++value) {
    const std::array<uint8_t, 1> byte = {static_cast<uint8_t>(value)};
    std::array<uint8_t, 1> back = {static_cast<uint8_t>(~value)};
    ASSERT_TRUE(FromHex(ToHex(byte), back));
    EXPECT_EQ(back, byte);
  }
}

TEST(Hex, BothCasesAreRead) {
  std::array<uint8_t, 2> out{};
  EXPECT_TRUE(FromHex("aBCd", out));
  EXPECT_EQ(out, (std::array<uint8_t, 2>{0xab, 0xcd}));
}

TEST(Hex, WhatIsNotTwoDigitsAByteIsRefused) {
  std::array<uint8_t, 2> out{};
  for (const std::string_view text : {"", "a", "abc", "abcde", "abcdef", "ab g", "0x12", "ab-1", "+abc"}) {
    EXPECT_FALSE(FromHex(text, out)) << text;
  }
  EXPECT_TRUE(FromHex("", {}));
  EXPECT_FALSE(FromHex("00", {}));
}

// RFC 4648 §10, without padding.
TEST(Base64Url, TheVectorsOfTheRfcComeOut) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(ToBase64Url(Bytes(bytes)), text);
    std::vector<uint8_t> back(bytes.size());
    EXPECT_TRUE(FromBase64Url(text, back));
    EXPECT_EQ(back, Bytes(bytes));
  }
}

TEST(Base64Url, EveryLengthComesBack) {
  for (size_t size = 0; size <= 70; ++size) {
    std::vector<uint8_t> bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 151 + size);
    std::vector<uint8_t> back(size);
    ASSERT_TRUE(FromBase64Url(ToBase64Url(bytes), back)) << size;
    EXPECT_EQ(back, bytes);
  }
}

// Of all texts of the right length, exactly one names each value: no second spelling of a signed cookie.
TEST(Base64Url, AValueHasOneSpelling) {
  std::set<std::array<uint8_t, 1>> seen;
  size_t accepted = 0;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char text[2] = {static_cast<char>(first), static_cast<char>(second)};
      std::array<uint8_t, 1> out{};
      if (!FromBase64Url({text, 2}, out)) continue;
      ++accepted;
      seen.insert(out);
    }
  }
  EXPECT_EQ(accepted, 256U);
  EXPECT_EQ(seen.size(), 256U);
}

TEST(Base64Url, OtherAlphabetsPaddingAndLengthsAreRefused) {
  std::array<uint8_t, 2> out{};
  for (const std::string_view text : {"", "Zm", "Zm8=", "Zm9", "Zm9v", "+/8", "Z 8", "Zm8\n"}) {
    EXPECT_FALSE(FromBase64Url(text, out)) << text;
  }
  // A length that no number of bytes has.
  EXPECT_FALSE(FromBase64Url("A", {}));
  std::array<uint8_t, 3> three{};
  EXPECT_FALSE(FromBase64Url("AAAAA", three));
}

}  // namespace
}  // namespace gatebook::base
