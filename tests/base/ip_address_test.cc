#include "base/ip_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

namespace gatebook::base {
namespace {

std::string Canonical(std::string_view text) {
  const auto address = IpAddress::Parse(text);
  return address ? address->ToText() : "(refused)";
}

TEST(IpAddress, TextOfVersion4IsADottedQuadBothWays) {
  for (const char* text : {"0.0.0.0", "1.2.3.4", "127.0.0.1", "192.0.2.255", "255.255.255.255"}) {
    EXPECT_EQ(Canonical(text), text);
  }
  EXPECT_EQ(IpAddress::FromV4(0xc0000201).ToText(), "192.0.2.1");
}

TEST(IpAddress, TextOfVersion6ComesOutAsRfc5952HasIt) {
  EXPECT_EQ(Canonical("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  EXPECT_EQ(Canonical("2001:0db8:0000:0000:0001:0000:0000:0001"), "2001:db8::1:0:0:1");
  EXPECT_EQ(Canonical("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");  // §4.2.2: one zero is not shortened
  EXPECT_EQ(Canonical("0:0:0:0:0:0:0:0"), "::");
  EXPECT_EQ(Canonical("::1"), "::1");
  EXPECT_EQ(Canonical("fe80::"), "fe80::");
  const std::string longest = "2001:1db8:1111:2222:3333:4444:5555:6666";
  EXPECT_EQ(Canonical(longest), longest);
}

TEST(IpAddress, MappedVersion4IsVersion4) {
  EXPECT_EQ(Canonical("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Canonical("::ffff:c000:201"), "192.0.2.1");
  EXPECT_EQ(IpAddress::Parse("::ffff:192.0.2.1"), IpAddress::Parse("192.0.2.1"));
  EXPECT_TRUE(IpAddress::Parse("::ffff:1.2.3.4")->IsV4());
  EXPECT_FALSE(IpAddress::Parse("::1.2.3.4")->IsV4());
}

TEST(IpAddress, WhatIsNoAddressIsRefused) {
  const std::string_view refused[] = {"",
                                      " ",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "256.1.1.1",
                                      "1.2.3.04",
                                      "0x7f.0.0.1",
                                      "127.1",
                                      " 1.2.3.4",
                                      "1.2.3.4 ",
                                      "1.2.3.4:80",
                                      "[::1]",
                                      "::1%lo",
                                      ":::",
                                      "1::2::3",
                                      "12345::",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "::1.2.3.256",
                                      "localhost",
                                      std::string_view("1.2.3.4\0", 8),
                                      std::string_view("::1\0x", 5),
                                      "2001:1db8:1111:2222:3333:4444:5555:6666:7777:8888:9999"};
  for (const std::string_view text : refused) EXPECT_FALSE(IpAddress::Parse(text)) << text;
}

TEST(IpAddress, SockaddrsOfBothFamiliesAreReadAndOthersAreNot) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(0x0a010203);
  EXPECT_EQ(IpAddress::FromSockaddr(reinterpret_cast<const sockaddr&>(in)), IpAddress::Parse("10.1.2.3"));

  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  inet_pton(AF_INET6, "::ffff:10.1.2.3", &in6.sin6_addr);
  EXPECT_EQ(IpAddress::FromSockaddr(reinterpret_cast<const sockaddr&>(in6)), IpAddress::Parse("10.1.2.3"));
  inet_pton(AF_INET6, "2001:db8::7", &in6.sin6_addr);
  EXPECT_EQ(IpAddress::FromSockaddr(reinterpret_cast<const sockaddr&>(in6))->ToText(), "2001:db8::7");

  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  EXPECT_FALSE(IpAddress::FromSockaddr(reinterpret_cast<const sockaddr&>(un)));
}

TEST(IpAddress, BytesComeBackAsTheSameAddress) {
  for (const char* text : {"1.2.3.4", "::", "2001:db8::1", "::1"}) {
    const IpAddress address = *IpAddress::Parse(text);
    EXPECT_EQ(IpAddress::FromBytes(address.bytes()), address) << text;
  }
}

TEST(IpAddress, LoopbackAndUnspecifiedAreKnown) {
  EXPECT_TRUE(IpAddress::Parse("127.0.0.1")->IsLoopback());
  EXPECT_TRUE(IpAddress::Parse("127.255.0.9")->IsLoopback());
  EXPECT_TRUE(IpAddress::Parse("::1")->IsLoopback());
  EXPECT_FALSE(IpAddress::Parse("128.0.0.1")->IsLoopback());
  EXPECT_FALSE(IpAddress::Parse("::2")->IsLoopback());
  EXPECT_TRUE(IpAddress().IsUnspecified());
  EXPECT_TRUE(IpAddress::Parse("::")->IsUnspecified());
  EXPECT_FALSE(IpAddress::Parse("::1")->IsUnspecified());
}

TEST(IpAddress, ReverseNamesAreThoseOfTheDns) {
  EXPECT_EQ(IpAddress::Parse("192.0.2.1")->ToReverseName(), "1.2.0.192.in-addr.arpa");
  // RFC 3596 §2.5.
  EXPECT_EQ(IpAddress::Parse("4321:0:1:2:3:4:567:89ab")->ToReverseName(),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa");
}

bool Contains(std::string_view network, std::string_view address) {
  const auto cidr = Cidr::Parse(network);
  EXPECT_TRUE(cidr) << network;
  return cidr && cidr->Contains(*IpAddress::Parse(address));
}

TEST(Cidr, HoldsWhatSharesItsLeadingBits) {
  EXPECT_TRUE(Contains("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(Contains("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(Contains("10.1.2.3/8", "10.9.9.9"));  // bits behind the prefix do not matter
  EXPECT_TRUE(Contains("192.0.2.128/25", "192.0.2.255"));
  EXPECT_FALSE(Contains("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(Contains("192.0.2.4/31", "192.0.2.5"));
  EXPECT_FALSE(Contains("192.0.2.4/31", "192.0.2.6"));
  EXPECT_TRUE(Contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(Contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(Contains("0.0.0.0/0", "255.255.255.255"));
  EXPECT_FALSE(Contains("0.0.0.0/0", "2001:db8::1"));
}

TEST(Cidr, ASingleAddressIsANetworkOfItself) {
  EXPECT_TRUE(Contains("192.0.2.1", "192.0.2.1"));
  EXPECT_TRUE(Contains("192.0.2.1/32", "192.0.2.1"));
  EXPECT_FALSE(Contains("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(Contains("::1", "::1"));
  EXPECT_FALSE(Contains("::1/128", "::"));
}

TEST(Cidr, AMappedNetworkCountsItsBitsAsItIsWritten) {
  EXPECT_TRUE(Contains("::ffff:10.0.0.0/104", "10.200.0.1"));
  EXPECT_FALSE(Contains("::ffff:10.0.0.0/104", "11.0.0.1"));
  EXPECT_TRUE(Contains("::ffff:0:0/96", "203.0.113.9"));
  EXPECT_FALSE(Contains("::ffff:0:0/96", "2001:db8::1"));
}

TEST(Cidr, WhatIsNoNetworkIsRefused) {
  for (const std::string_view text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/-0", "10.0.0.0/+8", "10.0.0.0/ 8",
        "10.0.0.0/8 ", "10.0.0.0/8x", "10.0.0.0/8/8", "10.0.0.0/99999999999", "10/8", "2001:db8::/129",
        "[::1]/128", "example.com/24"}) {
    EXPECT_FALSE(Cidr::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace gatebook::base
