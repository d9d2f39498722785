#include "logger/erasures.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_directory.h"

namespace gatebook::logger {
namespace {

using namespace std::chrono_literals;

const base::WallTime kNow{std::chrono::milliseconds(1'800'000'000'000)};

ErasureKey KeyOf(uint8_t byte) { return ErasureKey(std::vector<uint8_t>(32, byte)); }

Visit VisitAt(base::WallTime arrival, const char* ip = "192.0.2.1") {
  Visit visit;
  visit.arrival = arrival;
  visit.session.bytes = {1, 2, 3};
  visit.ip = *base::IpAddress::Parse(ip);
  return visit;
}

Erasure OfAddress(const char* ip, base::WallTime since, base::WallTime until) {
  return {"receipt", Erasure::Kind::kAddress, KeyOf(1).Of(*base::IpAddress::Parse(ip)), since, until};
}

TEST(Erasures, CoverASessionFromItsBeginningToTheMoment) {
  const Visit visit = VisitAt(kNow);
  const ErasureList list(KeyOf(1),
                         {{"r", Erasure::Kind::kSession, KeyOf(1).Of(visit.session), {}, kNow + 1ms}});
  EXPECT_TRUE(list.Contains(visit));
  EXPECT_TRUE(list.Contains(VisitAt(kNow - 30min, "2001:db8::1")));
  EXPECT_FALSE(list.Contains(VisitAt(kNow + 1ms))) << "what comes afterwards is another matter";
  Visit other = visit;
  other.session.bytes = {9};
  EXPECT_FALSE(list.Contains(other));
}

TEST(Erasures, CoverAnAddressInItsWindowsOnly) {
  const ErasureList list(KeyOf(1), {OfAddress("192.0.2.1", kNow - 2h, kNow - 1h),
                                    OfAddress("192.0.2.1", kNow - 10min, kNow - 5min)});
  EXPECT_TRUE(list.Contains(VisitAt(kNow - 2h)));
  EXPECT_FALSE(list.Contains(VisitAt(kNow - 1h)));
  EXPECT_TRUE(list.Contains(VisitAt(kNow - 6min)));
  EXPECT_FALSE(list.Contains(VisitAt(kNow - 2h, "192.0.2.2")));
}

TEST(Erasures, ADigestIsWorthNothingUnderAnotherKey) {
  const auto ip = *base::IpAddress::Parse("192.0.2.1");
  EXPECT_NE(KeyOf(1).Of(ip), KeyOf(2).Of(ip));
  EXPECT_EQ(KeyOf(1).Of(ip), KeyOf(1).Of(*base::IpAddress::Parse("::ffff:192.0.2.1")));
  const ErasureList list(KeyOf(2), {OfAddress("192.0.2.1", kNow - 2h, kNow)});
  EXPECT_FALSE(list.Contains(VisitAt(kNow - 1h)));
}

TEST(ErasureRegister, KeepsWhatItWasGivenAndNamesNobody) {
  support::TempDirectory directory;
  const ErasureRegister erasures(directory.path(), 720h);
  EXPECT_TRUE(erasures.Load(kNow)->empty());
  const Erasure first = OfAddress("192.0.2.1", kNow - 2h, kNow - 1h);
  const Erasure second = OfAddress("2001:db8::7", kNow - 3h, kNow);
  ASSERT_TRUE(erasures.Add(first, kNow).ok());
  ASSERT_TRUE(erasures.Add(second, kNow).ok());
  EXPECT_EQ(*erasures.Load(kNow), (std::vector{first, second}));
  const std::string text = support::ReadFile(erasures.path());
  EXPECT_EQ(text.find("192.0.2"), std::string::npos);
  EXPECT_EQ(text.find("2001:db8"), std::string::npos);
  struct stat info;
  ASSERT_EQ(::stat(erasures.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(ErasureRegister, StrikesOutWhatIsVoid) {
  support::TempDirectory directory;
  const ErasureRegister erasures(directory.path(), 1h);
  const Erasure first = OfAddress("192.0.2.1", kNow - 2h, kNow - 1h);
  ASSERT_TRUE(erasures.Add(first, kNow).ok());
  EXPECT_EQ(erasures.Load(kNow)->size(), 1u) << "a visit of its last moment may just still be there";
  EXPECT_TRUE(erasures.Load(kNow + 1ms)->empty());
  const Erasure second = OfAddress("192.0.2.2", kNow - 2h, kNow);
  ASSERT_TRUE(erasures.Add(second, kNow + 1min).ok());
  EXPECT_EQ(*erasures.Load(kNow), std::vector{second}) << "gone from the file";
}

TEST(ErasureRegister, WhatIsVoidIsStruckOutAlsoWhenNothingIsAdded) {
  support::TempDirectory directory;
  const ErasureRegister erasures(directory.path(), 1h);
  EXPECT_TRUE(erasures.StrikeOut(kNow).ok()) << "no file is in order";
  EXPECT_TRUE(ErasureRegister(directory.Path("nowhere"), 1h).StrikeOut(kNow).ok());
  ASSERT_TRUE(erasures.Add(OfAddress("192.0.2.1", kNow - 2h, kNow - 1h), kNow).ok());
  const Erasure second = OfAddress("192.0.2.2", kNow - 2h, kNow);
  ASSERT_TRUE(erasures.Add(second, kNow).ok());
  ASSERT_TRUE(erasures.StrikeOut(kNow).ok());
  EXPECT_EQ(erasures.Load(kNow - 24h)->size(), 2u);
  ASSERT_TRUE(erasures.StrikeOut(kNow + 1ms).ok());
  EXPECT_EQ(*erasures.Load(kNow - 24h), std::vector{second});
}

TEST(ErasureRegister, LeavesDamagedLinesOutAndReadsTheOthers) {
  support::TempDirectory directory;
  const ErasureRegister erasures(directory.path(), 1h);
  const Erasure one = OfAddress("192.0.2.1", kNow - 2h, kNow);
  ASSERT_TRUE(erasures.Add(one, kNow).ok());
  {
    std::ofstream file(erasures.path(), std::ios::app);
    file << "r address 00ff 1 2\nr nobody " << std::string(64, '0') << " 1 2\n\nr session "
         << std::string(64, 'a') << " 1";
  }
  EXPECT_EQ(*erasures.Load(kNow), std::vector{one});
}

TEST(ErasureRegister, WithoutAJournalThereIsNoneAndItSaysSo) {
  support::TempDirectory directory;
  const ErasureRegister erasures(directory.Path("nowhere"), 1h);
  EXPECT_EQ(erasures.Add(OfAddress("192.0.2.1", kNow - 2h, kNow), kNow).error().exit_code,
            base::ExitCode::kCannotCreate);
}

}  // namespace
}  // namespace gatebook::logger
