#include "review/distinct_counter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "review/keyed_hash.h"

namespace gatebook::review {
namespace {

TEST(DistinctCounter, CountsExactlyUpToItsBound) {
  KeyedHash hash;
  DistinctCounter counter(512, 12);
  EXPECT_EQ(counter.Count(), 0u);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 512; ++i) counter.Add(hash(std::to_string(i)));
  }
  EXPECT_TRUE(counter.IsExact());
  EXPECT_EQ(counter.Count(), 512u);
  EXPECT_EQ(counter.StandardError(), 0);
  counter.Add(hash("one more"));
  EXPECT_FALSE(counter.IsExact());
}

TEST(DistinctCounter, TheHashZeroIsAThingLikeAnother) {
  DistinctCounter counter(8, 4);
  counter.Add(0);
  counter.Add(0);
  counter.Add(2);
  EXPECT_EQ(counter.Count(), 2u);
}

TEST(DistinctCounter, BeyondItsBoundItStaysWithinTheErrorThatItStates) {
  std::mt19937_64 random(20261128);
  for (const auto& [exact, precision] : {std::pair<uint32_t, uint8_t>{512, 12}, {65'536, 14}}) {
    for (const uint64_t count : {uint64_t{exact} + 1, uint64_t{exact} * 3, uint64_t{400'000}}) {
      double squares = 0;
      constexpr int kTrials = 12;
      double error = 0;
      for (int trial = 0; trial < kTrials; ++trial) {
        DistinctCounter counter(exact, precision);
        for (uint64_t i = 0; i < count; ++i) counter.Add(random());
        const double off = static_cast<double>(counter.Count()) / static_cast<double>(count) - 1;
        squares += off * off;
        error = counter.StandardError();
        EXPECT_LT(std::abs(off), 5 * error) << count;
      }
      // The mean of the squares of twelve scatters itself: by 40 %.
      EXPECT_LT(std::sqrt(squares / kTrials), 1.7 * error) << count << " at 2^" << int{precision};
    }
  }
}

TEST(KeyedHash, EachHasAKeyOfItsOwn) {
  KeyedHash one, other;
  EXPECT_EQ(one("192.0.2.1"), one("192.0.2.1"));
  EXPECT_NE(one("192.0.2.1"), other("192.0.2.1"));
}

}  // namespace
}  // namespace gatebook::review
