#include "logger/name_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace gatebook::logger {
namespace {

using namespace std::chrono_literals;

base::IpAddress Ip(uint32_t n) { return base::IpAddress::FromV4(n); }
const base::SteadyTime kNow{1h};

TEST(NameCache, ForgetsWhatHasExpired) {
  NameCache cache(8);
  cache.Put(Ip(1), {DnsCheck::kConfirmed, "a.example", kNow + 60s});
  ASSERT_NE(cache.Find(Ip(1), kNow), nullptr);
  EXPECT_EQ(cache.Find(Ip(1), kNow)->name, "a.example");
  EXPECT_EQ(cache.Peek(Ip(1), kNow + 60s), nullptr);
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.Find(Ip(1), kNow + 60s), nullptr);
  EXPECT_EQ(cache.size(), 0U);
}

TEST(NameCache, ForgetsTheLeastRecentlyUsedWhenFull) {
  NameCache cache(3);
  for (uint32_t n = 1; n <= 3; ++n) cache.Put(Ip(n), {DnsCheck::kNone, "", kNow + 1h});
  EXPECT_NE(cache.Find(Ip(1), kNow), nullptr);
  cache.Peek(Ip(2), kNow);  // does not count as use
  cache.Put(Ip(4), {DnsCheck::kNone, "", kNow + 1h});
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_EQ(cache.Find(Ip(2), kNow), nullptr);
  EXPECT_NE(cache.Find(Ip(1), kNow), nullptr);
}

TEST(NameCache, ReplacesAnEntry) {
  NameCache cache(2);
  cache.Put(Ip(1), {DnsCheck::kTimeout, "", kNow + 30s});
  cache.Put(Ip(2), {DnsCheck::kNone, "", kNow + 30s});
  cache.Put(Ip(1), {DnsCheck::kConfirmed, "a.example", kNow + 1h});
  cache.Put(Ip(3), {DnsCheck::kNone, "", kNow + 30s});
  EXPECT_EQ(cache.Find(Ip(1), kNow)->check, DnsCheck::kConfirmed);
  EXPECT_EQ(cache.Find(Ip(2), kNow), nullptr);
}

TEST(NameCache, StaysWithinItsSize) {
  NameCache cache(100);
  for (uint32_t n = 0; n < 10000; ++n) cache.Put(Ip(n * 7919), {DnsCheck::kNone, "", kNow + 1h});
  EXPECT_EQ(cache.size(), 100U);
  NameCache none(0);
  none.Put(Ip(1), {DnsCheck::kNone, "", kNow + 1h});
  EXPECT_EQ(none.Find(Ip(1), kNow), nullptr);
}

}  // namespace
}  // namespace gatebook::logger
