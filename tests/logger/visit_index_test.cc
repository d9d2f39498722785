#include "logger/visit_index.h"

#include <gtest/gtest.h>

namespace gatebook::logger {
namespace {

constexpr uint64_t kHour = 496'000;
const SessionId kOne{{1}};
const SessionId kTwo{{2}};
const base::IpAddress kHere = base::IpAddress::FromV4(0xcb007107);
const base::IpAddress kThere = base::IpAddress::FromV4(0xcb007108);

std::string Index() {
  std::string index;
  AppendIndexElement(index, kHour * 60 + 3, kOne, kHere);
  AppendIndexElement(index, kHour * 60 + 3, kTwo, kThere);
  AppendIndexElement(index, kHour * 60 + 59, kOne, kThere);
  return index;
}

TEST(VisitIndex, HasAKeyAnHourAndWorker) {
  EXPECT_EQ(IndexKey("edge1", 3, HourOfMinute(kHour * 60 + 59)), "gb:index:{edge1.3.496000}");
}

TEST(VisitIndex, SaysInWhichMinutesASessionIsMet) {
  EXPECT_EQ(MinutesWithSession(Index(), IndexDigest(kOne)), uint64_t{1} << 3 | uint64_t{1} << 59);
  EXPECT_EQ(MinutesWithSession(Index(), IndexDigest(kTwo)), uint64_t{1} << 3);
  EXPECT_EQ(MinutesWithSession(Index(), IndexDigest(SessionId{{3}})), 0u);
}

TEST(VisitIndex, SaysInWhichMinutesAnAddressIsMet) {
  EXPECT_EQ(MinutesWithAddress(Index(), IndexDigest(kHere)), uint64_t{1} << 3);
  EXPECT_EQ(MinutesWithAddress(Index(), IndexDigest(kThere)), uint64_t{1} << 3 | uint64_t{1} << 59);
}

TEST(VisitIndex, WhatIsErasedIsNotFoundAndNothingElseMoves) {
  std::string index = Index();
  const auto offsets = ElementsOf(index, kHour * 60 + 3, IndexDigest(kOne), IndexDigest(kHere));
  ASSERT_EQ(offsets, std::vector<size_t>{0});
  index.replace(0, kIndexElementSize, kIndexElementSize, static_cast<char>(kErased));
  EXPECT_EQ(MinutesWithSession(index, IndexDigest(kOne)), uint64_t{1} << 59);
  EXPECT_EQ(MinutesWithAddress(index, IndexDigest(kThere)), uint64_t{1} << 3 | uint64_t{1} << 59);
}

TEST(VisitIndex, ATornElementAndAMinuteThatIsNoneAreNothing) {
  std::string index = Index();
  index += std::string(kIndexElementSize, '\x7f') + "\x05" + "ab";
  EXPECT_EQ(MinutesWithSession(index, 0x7f7f7f), 0u);
  EXPECT_EQ(MinutesWithSession("", IndexDigest(kOne)), 0u);
}

}  // namespace
}  // namespace gatebook::logger
