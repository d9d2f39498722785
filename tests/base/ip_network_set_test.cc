#include "base/ip_network_set.h"

#include <gtest/gtest.h>

namespace gatebook::base {
namespace {

IpNetworkSet SetOf(std::initializer_list<std::string_view> texts) {
  IpNetworkSet set;
  for (const std::string_view text : texts) EXPECT_TRUE(set.Add(text)) << text;
  return set;
}

bool Holds(const IpNetworkSet& set, std::string_view address) {
  return set.Contains(*IpAddress::Parse(address));
}

TEST(IpNetworkSet, HoldsNobodyAtFirst) {
  const IpNetworkSet set;
  EXPECT_TRUE(set.IsEmpty());
  EXPECT_FALSE(Holds(set, "127.0.0.1"));
  EXPECT_FALSE(Holds(set, "::"));
}

TEST(IpNetworkSet, HoldsTheMembersOfEachNetwork) {
  const auto set = SetOf({"10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1/128"});
  EXPECT_FALSE(set.IsEmpty());
  for (const char* member : {"10.1.2.3", "192.0.2.7", "::ffff:10.1.2.3", "2001:db8::9", "::1"}) {
    EXPECT_TRUE(Holds(set, member)) << member;
  }
  for (const char* stranger : {"11.0.0.1", "192.0.2.8", "2001:db9::9", "::2", "::"}) {
    EXPECT_FALSE(Holds(set, stranger)) << stranger;
  }
}

TEST(IpNetworkSet, AWideNetworkIsOfItsOwnFamilyOnly) {
  EXPECT_TRUE(Holds(SetOf({"::/0"}), "2001:db8::1"));
  EXPECT_FALSE(Holds(SetOf({"::/0"}), "192.0.2.1"));
  EXPECT_TRUE(Holds(SetOf({"0.0.0.0/0"}), "192.0.2.1"));
  EXPECT_FALSE(Holds(SetOf({"0.0.0.0/0"}), "2001:db8::1"));
  EXPECT_TRUE(Holds(SetOf({"::ffff:0:0/96"}), "192.0.2.1"));
}

TEST(IpNetworkSet, AUnixPeerIsHeldOnlyByItsWord) {
  EXPECT_TRUE(SetOf({"unix"}).Contains(IpAddress()));
  EXPECT_FALSE(SetOf({"unix"}).IsEmpty());
  EXPECT_FALSE(Holds(SetOf({"unix"}), "127.0.0.1"));
  EXPECT_FALSE(SetOf({"::/0", "0.0.0.0/0"}).Contains(IpAddress()));
}

TEST(IpNetworkSet, WhatIsNoNetworkIsNotAdded) {
  IpNetworkSet set;
  for (const char* text : {"", "10.0.0.0/33", "10.0.0.5/8", "2001:db8::1/32", "10.0.0.0/08", "example.com",
                           "unix:", "unix:/run/x", "10.0.0.0/8 ", "[::1]", "127.0.0.1:80"}) {
    EXPECT_NE(IpNetworkSet::Complaint(text), nullptr) << text;
    EXPECT_FALSE(set.Add(text)) << text;
  }
  EXPECT_TRUE(set.IsEmpty());
}

TEST(IpNetworkSet, TheSameNetworkIsAddedOnceInAnyForm) {
  auto set = SetOf({"10.0.0.0/8", "::1", "unix"});
  EXPECT_FALSE(set.Add("::ffff:10.0.0.0/104"));
  EXPECT_FALSE(set.Add("0:0::1/128"));
  EXPECT_FALSE(set.Add("unix"));
}

TEST(IpNetworkSet, ItsTextsMakeTheSameSet) {
  const auto set = SetOf({"unix", "10.0.0.0/8", "0.0.0.0/0", "192.0.2.1", "::/0", "2001:db8::/33", "::1"});
  const std::vector<std::string> texts = {"10.0.0.0/8",    "0.0.0.0/0", "192.0.2.1", "::/0",
                                          "2001:db8::/33", "::1",       "unix"};
  EXPECT_EQ(set.ToTexts(), texts);
  IpNetworkSet again;
  for (const std::string& text : texts) EXPECT_TRUE(again.Add(text));
  EXPECT_EQ(again, set);
}

}  // namespace
}  // namespace gatebook::base
