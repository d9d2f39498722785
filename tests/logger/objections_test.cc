#include "logger/objections.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/temp_directory.h"

namespace gatebook::logger {
namespace {

using namespace std::chrono_literals;

const base::WallTime kNow{std::chrono::milliseconds(1'800'000'000'000)};

ObjectionKey KeyOf(uint8_t byte) { return ObjectionKey(std::vector<uint8_t>(32, byte)); }
base::IpAddress Ip(const char* text) { return *base::IpAddress::Parse(text); }

Objection OfNetwork(const char* text, const char* id = "o-1") {
  const base::Cidr cidr = *base::Cidr::Parse(text);
  return {id,      Objection::Kind::kNetwork, cidr.bits(), KeyOf(1).Of(cidr.address(), cidr.bits()), kNow, {},
          "a note"};
}

TEST(Objections, CoverTheAddressesOfTheirNetworksOnly) {
  const ObjectionList list(
      KeyOf(1), {OfNetwork("192.0.2.0/24"), OfNetwork("2001:db8::/48"), OfNetwork("198.51.100.7")}, 1);
  for (const char* in :
       {"192.0.2.0", "192.0.2.255", "2001:db8:0:ffff::1", "198.51.100.7", "::ffff:192.0.2.9"}) {
    EXPECT_TRUE(list.Contains(Ip(in))) << in;
  }
  for (const char* out : {"192.0.3.0", "2001:db8:1::", "198.51.100.8", "::1"}) {
    EXPECT_FALSE(list.Contains(Ip(out))) << out;
  }
}

TEST(Objections, CoverASession) {
  SessionId session;
  session.bytes = {1, 2, 3};
  Objection one;
  one.digest = KeyOf(1).Of(session);
  EXPECT_TRUE(ObjectionList(KeyOf(1), {one}, 1).Contains(session));
  EXPECT_FALSE(ObjectionList(KeyOf(2), {one}, 1).Contains(session)) << "another key";
  EXPECT_FALSE(ObjectionList(KeyOf(1), {one}, 1).Contains(SessionId{}));
}

TEST(Objections, ADigestForOneUseIsNoneForAnother) {
  EXPECT_NE(DigestKey(std::vector<uint8_t>(32, 1), "one use").Of(Ip("192.0.2.1")),
            KeyOf(1).Of(Ip("192.0.2.1")));
  EXPECT_NE(KeyOf(1).Of(Ip("192.0.2.0"), 120), KeyOf(1).Of(Ip("192.0.2.0"), 128));
}

TEST(ObjectionRegister, KeepsWhatItWasGivenOnce) {
  support::TempDirectory directory;
  const ObjectionRegister objections(directory.path());
  EXPECT_TRUE(objections.Load(kNow)->empty());
  const Objection one = OfNetwork("192.0.2.0/24");
  EXPECT_EQ(*objections.Add(one, kNow), "o-1");
  EXPECT_EQ(*objections.Add(OfNetwork("192.0.2.0/24", "o-2"), kNow), "o-1") << "it is there already";
  EXPECT_EQ(*objections.Load(kNow), std::vector{one});
  struct stat info {};
  ASSERT_EQ(::stat(objections.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(support::ReadFile(objections.path()).find("192.0"), std::string::npos);
}

TEST(ObjectionRegister, LosesAnEntryByIdByDigestAndByTime) {
  support::TempDirectory directory;
  const ObjectionRegister objections(directory.path());
  Objection brief = OfNetwork("192.0.2.3", "o-3");
  brief.until = kNow + 1h;
  ASSERT_TRUE(objections.Add(OfNetwork("192.0.2.1", "o-1"), kNow).ok());
  ASSERT_TRUE(objections.Add(OfNetwork("192.0.2.2", "o-2"), kNow).ok());
  ASSERT_TRUE(objections.Add(brief, kNow).ok());
  EXPECT_EQ(objections.Load(kNow)->size(), 3u);
  EXPECT_EQ(objections.Load(kNow + 1h)->size(), 2u);
  EXPECT_TRUE(objections.Remove("o-1", nullptr, kNow).ok());
  const KeyedDigest digest = OfNetwork("192.0.2.2").digest;
  EXPECT_TRUE(objections.Remove("", &digest, kNow).ok());
  EXPECT_EQ(objections.Remove("o-9", nullptr, kNow).error().exit_code, base::ExitCode::kNegative);
  EXPECT_EQ(*objections.Load(kNow), std::vector{brief});
}

TEST(ObjectionRegister, LeavesDamagedLinesOut) {
  support::TempDirectory directory;
  const ObjectionRegister objections(directory.path());
  const Objection one = OfNetwork("192.0.2.1");
  ASSERT_TRUE(objections.Add(one, kNow).ok());
  std::ofstream(objections.path(), std::ios::app)
      << "o-2 nobody 128 00 1 0 x\no-3\n\no-4 network 129 " << std::string(64, 'a') << " 1 0 x\n\xff\n";
  EXPECT_EQ(*objections.Load(kNow), std::vector{one});
}

TEST(ObjectionRegister, HasABoundOfEntriesAndOfLengths) {
  support::TempDirectory directory;
  const ObjectionRegister objections(directory.path());
  for (size_t i = 0; i < ObjectionRegister::kMostLengths; ++i) {
    ASSERT_TRUE(objections.Add(OfNetwork(fmt::format("2001:db8::/{}", 32 + i).c_str()), kNow).ok());
  }
  EXPECT_EQ(objections.Add(OfNetwork("2001:db8::/100"), kNow).error().exit_code, base::ExitCode::kNegative);
  std::string lines;
  for (size_t i = 0; i < ObjectionRegister::kMost; ++i) {
    lines += fmt::format("o-{} session 0 {:064x} 1 0 \n", i, i);
  }
  std::ofstream(objections.path()) << lines;
  EXPECT_EQ(objections.Load(kNow)->size(), ObjectionRegister::kMost);
  EXPECT_EQ(objections.Add(OfNetwork("192.0.2.1"), kNow).error().exit_code, base::ExitCode::kNegative);
}

TEST(ObjectionRegister, WithoutAJournalThereIsNone) {
  support::TempDirectory directory;
  EXPECT_EQ(ObjectionRegister(directory.Path("nowhere")).Add(OfNetwork("192.0.2.1"), kNow).error().exit_code,
            base::ExitCode::kCannotCreate);
}

}  // namespace
}  // namespace gatebook::logger
