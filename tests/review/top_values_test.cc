#include "review/top_values.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace gatebook::review {
namespace {

TEST(TopValues, AreExactWhileAllFit) {
  TopValues values(4);
  for (int i = 0; i < 10; ++i) values.Count("often", static_cast<uint64_t>(1 + i % 3));
  values.Count("b", 7);
  values.Count("a", 7);
  const auto rows = values.Rows(2);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].value, "often");
  EXPECT_EQ(rows[0].visits, 10u);
  EXPECT_EQ(rows[0].sessions, 3u);
  EXPECT_EQ(rows[0].missed, 0u);
  EXPECT_EQ(rows[1].value, "a");  // of equal ones the first by name
  EXPECT_EQ(values.size(), 3u);
  EXPECT_EQ(values.LetGo(), 0u);
}

TEST(TopValues, WhatIsFrequentIsFoundAmongAnyNumberOfRareValues) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    std::map<std::string, uint64_t> truth;
    TopValues values(64);
    for (int i = 0; i < 20'000; ++i) {
      // A few frequent ones among a flood of which each comes once.
      std::string value =
          random() % 4 == 0 ? "page" + std::to_string(random() % 8) : "rare" + std::to_string(i);
      ++truth[value];
      values.Count(value, random());
    }
    ASSERT_LE(values.size(), 64u);
    const auto rows = values.Rows(64);
    for (const auto& row : rows) {
      EXPECT_LE(row.visits, truth[row.value]);
      EXPECT_GE(row.visits + row.missed, truth[row.value]);
    }
    for (const auto& [value, count] : truth) {
      const bool is_kept =
          std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.value == value; });
      if (!is_kept) {
        EXPECT_LE(count, values.LetGo()) << value;
      }
    }
    for (size_t i = 0; i < 8; ++i) EXPECT_TRUE(rows[i].value.starts_with("page")) << rows[i].value;
  }
}

}  // namespace
}  // namespace gatebook::review
