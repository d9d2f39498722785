#include "review/discreet.h"

#include <gtest/gtest.h>

namespace gatebook::review {
namespace {

TEST(Discreet, OfAnAddressOnlyItsNetworkIsShown) {
  EXPECT_EQ(ShortAddress("203.0.113.77"), "203.0.113.0/24");
  EXPECT_EQ(ShortAddress("2001:db8:1:2::3"), "2001:db8:1::/48");
  EXPECT_EQ(ShortAddress("nonsense"), "");
}

TEST(Discreet, OfANameOnlyWhatSomebodyRegistered) {
  EXPECT_EQ(DomainOf("p5b0a1.dip0.t-ipconnect.de"), "t-ipconnect.de");
  EXPECT_EQ(DomainOf("mary.home.example.co.uk"), "example.co.uk");
  EXPECT_EQ(DomainOf("co.uk"), "");
  EXPECT_EQ(DomainOf(""), "");
  EXPECT_EQ(DomainOf("localhost"), "");
}

TEST(Discreet, OfAMachineThatACompanyLetsOutNoMoreThanTheCompany) {
  EXPECT_EQ(DomainOf("ec2-203-0-113-7.eu-west-1.compute.amazonaws.com"), "amazonaws.com");
  EXPECT_EQ(DomainOf("203-0-113-7.ip.linodeusercontent.com"), "linodeusercontent.com");
  EXPECT_EQ(DomainOf("marys-house.dyndns.org"), "dyndns.org");
}

TEST(Discreet, ANameUnderNoRegistryNamesAMachine) {
  EXPECT_EQ(DomainOf("mary-laptop.lan"), "");
  EXPECT_EQ(DomainOf("mary.laptop.local"), "");
  EXPECT_EQ(DomainOf("..."), "");
  EXPECT_EQ(DomainOf(".com"), "");
}

TEST(Discreet, AVisitOfThisMachineStaysWhole) {
  logger::StoredVisit visit;
  visit.ip = "127.0.0.1";
  visit.dns = "mary.example.net";
  MakeDiscreet(&visit);
  EXPECT_EQ(visit.ip, "127.0.0.1");
  EXPECT_EQ(visit.dns, "mary.example.net");
  visit.ip = "203.0.113.9";
  MakeDiscreet(&visit);
  EXPECT_EQ(visit.ip, "203.0.113.0/24");
  EXPECT_EQ(visit.dns, "example.net");
}

TEST(Discreet, ANetworkFinerThanWhatIsShownIsNotCoarse) {
  EXPECT_TRUE(IsCoarse(*base::Cidr::Parse("203.0.113.0/24")));
  EXPECT_FALSE(IsCoarse(*base::Cidr::Parse("203.0.113.0/25")));
  EXPECT_FALSE(IsCoarse(*base::Cidr::Parse("203.0.113.7")));
  EXPECT_TRUE(IsCoarse(*base::Cidr::Parse("2001:db8::/32")));
  EXPECT_FALSE(IsCoarse(*base::Cidr::Parse("2001:db8::/64")));
  EXPECT_TRUE(IsCoarse(*base::Cidr::Parse("127.0.0.1")));
}

}  // namespace
}  // namespace gatebook::review
