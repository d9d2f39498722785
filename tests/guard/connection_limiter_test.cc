#include "guard/connection_limiter.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace gatebook::guard {
namespace {

using base::IpAddress;
using Verdict = ConnectionLimiter::Verdict;

const std::optional<IpAddress> kFirst = IpAddress::Parse("192.0.2.1");
const std::optional<IpAddress> kSecond = IpAddress::Parse("2001:db8::1");
constexpr std::optional<IpAddress> kUnix;

TEST(ConnectionLimiter, AdmitsAsManyAsItsLimitAndAgainAfterOneLeft) {
  ConnectionLimiter limiter(2, 0);
  EXPECT_EQ(limiter.Enter(kFirst), Verdict::kAdmit);
  EXPECT_EQ(limiter.Enter(kFirst), Verdict::kAdmit);
  EXPECT_EQ(limiter.Enter(kSecond), Verdict::kTooMany);
  EXPECT_EQ(limiter.open(), 2U);  // the refused one does not count
  limiter.Leave(kFirst);
  EXPECT_EQ(limiter.Enter(kSecond), Verdict::kAdmit);
}

TEST(ConnectionLimiter, OneAddressCannotTakeTheRoomOfOthers) {
  ConnectionLimiter limiter(100, 2);
  EXPECT_EQ(limiter.Enter(kFirst), Verdict::kAdmit);
  EXPECT_EQ(limiter.Enter(kFirst), Verdict::kAdmit);
  EXPECT_EQ(limiter.Enter(kFirst), Verdict::kTooManyFromAddress);
  EXPECT_EQ(limiter.open(), 2U);
  EXPECT_EQ(limiter.Enter(kSecond), Verdict::kAdmit);
  limiter.Leave(kFirst);
  EXPECT_EQ(limiter.Enter(kFirst), Verdict::kAdmit);
  EXPECT_EQ(limiter.Enter(kFirst), Verdict::kTooManyFromAddress);
}

TEST(ConnectionLimiter, AClientIsOneWhicheverSocketItCameThrough) {
  ConnectionLimiter limiter(100, 1);
  EXPECT_EQ(limiter.Enter(IpAddress::Parse("192.0.2.1")), Verdict::kAdmit);
  EXPECT_EQ(limiter.Enter(IpAddress::Parse("::ffff:192.0.2.1")), Verdict::kTooManyFromAddress);
}

TEST(ConnectionLimiter, UnixPeersCountInAllOnly) {
  ConnectionLimiter limiter(3, 1);
  EXPECT_EQ(limiter.Enter(kUnix), Verdict::kAdmit);
  EXPECT_EQ(limiter.Enter(kUnix), Verdict::kAdmit);
  EXPECT_EQ(limiter.Enter(kUnix), Verdict::kAdmit);
  EXPECT_EQ(limiter.Enter(kUnix), Verdict::kTooMany);
  limiter.Leave(kUnix);
  EXPECT_EQ(limiter.open(), 2U);
}

TEST(ConnectionLimiter, ManyThreadsNeverPassALimitAndAllIsGivenBack) {
  constexpr uint32_t kMost = 5;
  ConnectionLimiter limiter(kMost, 3);
  std::atomic<uint32_t> inside{0};
  std::atomic<uint32_t> admitted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto& address = t % 2 == 0 ? kFirst : kSecond;
      for (int i = 0; i < 5000; ++i) {
        uint32_t held = 0;
        for (int tries = 0; tries < 3; ++tries) {
          if (limiter.Enter(address) == Verdict::kAdmit) ++held;
        }
        admitted += held;
        EXPECT_LE(inside += held, kMost);
        inside -= held;
        for (; held > 0; --held) limiter.Leave(address);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(limiter.open(), 0U);
  EXPECT_GT(admitted, 0U);
  // Nothing is left behind by address either.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.Enter(kFirst), Verdict::kAdmit);
}

}  // namespace
}  // namespace gatebook::guard
