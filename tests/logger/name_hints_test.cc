#include "logger/name_hints.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace gatebook::logger {
namespace {

TEST(NameHints, ComeOutInOrder) {
  const auto hints = std::make_unique<NameHints>();
  base::IpAddress ip;
  EXPECT_FALSE(hints->Take(ip));
  for (uint32_t round = 0; round < 5000; ++round) {
    EXPECT_TRUE(hints->Offer(base::IpAddress::FromV4(round)));
    EXPECT_TRUE(hints->Offer(base::IpAddress::FromV4(round + 1)));
    EXPECT_TRUE(hints->Take(ip));
    EXPECT_EQ(ip, base::IpAddress::FromV4(round));
    EXPECT_TRUE(hints->Take(ip));
    EXPECT_EQ(ip, base::IpAddress::FromV4(round + 1));
  }
}

TEST(NameHints, AreRefusedWhenFull) {
  const auto hints = std::make_unique<NameHints>();
  for (uint32_t n = 0; n < NameHints::kCapacity; ++n) EXPECT_TRUE(hints->Offer(base::IpAddress::FromV4(n)));
  EXPECT_FALSE(hints->Offer(base::IpAddress::FromV4(1)));
  base::IpAddress ip;
  EXPECT_TRUE(hints->Take(ip));
  EXPECT_TRUE(hints->Offer(base::IpAddress::FromV4(1)));
}

TEST(NameHints, ComeWholeAndInOrderFromManyThreads) {
  constexpr uint32_t kThreads = 4;
  constexpr uint32_t kEach = 20000;
  const auto hints = std::make_unique<NameHints>();
  std::vector<std::thread> writers;
  for (uint32_t writer = 0; writer < kThreads; ++writer) {
    writers.emplace_back([&hints, writer] {
      for (uint32_t n = 0; n < kEach; ++n) {
        while (!hints->Offer(base::IpAddress::FromV4(writer << 24 | n))) std::this_thread::yield();
      }
    });
  }
  std::vector<uint32_t> next(kThreads, 0);
  for (uint32_t taken = 0; taken < kThreads * kEach;) {
    base::IpAddress ip;
    if (!hints->Take(ip)) {
      std::this_thread::yield();
      continue;
    }
    ++taken;
    const auto& bytes = ip.bytes();
    const uint32_t n =
        static_cast<uint32_t>(bytes[13]) << 16 | static_cast<uint32_t>(bytes[14]) << 8 | bytes[15];
    ASSERT_LT(bytes[12], kThreads);
    ASSERT_EQ(n, next[bytes[12]]++);
  }
  for (std::thread& writer : writers) writer.join();
}

}  // namespace
}  // namespace gatebook::logger
