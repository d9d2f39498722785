#include "proxy/request_ids.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace gatebook::proxy {
namespace {

TEST(RequestIds, DoNotRepeat) {
  RequestIds ids;
  std::vector<uint64_t> drawn(1'000'000);
  for (uint64_t& id : drawn) id = ids.Next();
  std::sort(drawn.begin(), drawn.end());
  EXPECT_EQ(std::adjacent_find(drawn.begin(), drawn.end()), drawn.end());
}

TEST(RequestIds, TwoWorkersDoNotDrawTheSame) {
  RequestIds first;
  RequestIds second;
  std::vector<uint64_t> drawn;
  for (int i = 0; i < 10000; ++i) {
    drawn.push_back(first.Next());
    drawn.push_back(second.Next());
  }
  std::sort(drawn.begin(), drawn.end());
  EXPECT_EQ(std::adjacent_find(drawn.begin(), drawn.end()), drawn.end());
}

// Each bit is set in about half of them: a prefix of an id is as good a key as any other part.
TEST(RequestIds, EveryBitVaries) {
  RequestIds ids;
  std::array<int, 64> set{};
  for (int i = 0; i < 4096; ++i) {
    const uint64_t id = ids.Next();
    for (size_t bit = 0; bit < 64; ++bit) set[bit] += static_cast<int>(id >> bit & 1);
  }
  for (const int count : set) {
    EXPECT_GT(count, 1700);
    EXPECT_LT(count, 2400);
  }
}

std::string Digits(uint64_t id) {
  const auto digits = ToHexDigits(id);
  return {digits.data(), digits.size()};
}

TEST(RequestIds, TextIsSixteenLowerCaseDigits) {
  EXPECT_EQ(Digits(0), "0000000000000000");
  EXPECT_EQ(Digits(0x0123456789abcdef), "0123456789abcdef");
  EXPECT_EQ(Digits(~0ULL), "ffffffffffffffff");
}

}  // namespace
}  // namespace gatebook::proxy
