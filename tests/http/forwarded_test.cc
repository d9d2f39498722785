#include "http/forwarded.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "http/field_table.h"

namespace gatebook::http {
namespace {

base::IpAddress Ip(std::string_view text) { return *base::IpAddress::Parse(text); }

const base::IpNetworkSet& Trusted() {
  static const base::IpNetworkSet set = [] {
    base::IpNetworkSet networks;
    for (const char* text : {"10.0.0.0/8", "2001:db8:aaaa::/48", "unix"}) EXPECT_TRUE(networks.Add(text));
    return networks;
  }();
  return set;
}

using NameAndValue = std::pair<std::string_view, std::string_view>;

ForwardedClient WalkFrom(const base::IpAddress& peer, ForwardedSource source,
                         std::initializer_list<NameAndValue> pairs) {
  std::vector<Field> fields;
  for (const auto& [name, value] : pairs) {
    const FieldKind kind = KindOf(name);
    fields.push_back({name, value, kind.id, kind.hop_by_hop});
  }
  return WalkForwarded(peer, fields, Trusted(), source);
}

// The client that a trusted peer, 10.0.0.1, tells of.
std::string FromList(std::string_view value) {
  return WalkFrom(Ip("10.0.0.1"), ForwardedSource::kXForwardedFor, {{"X-Forwarded-For", value}})
      .address.ToText();
}

ForwardedClient WalkRfc(std::string_view value) {
  return WalkFrom(Ip("10.0.0.1"), ForwardedSource::kForwarded, {{"Forwarded", value}});
}

std::string FromRfc(std::string_view value) { return WalkRfc(value).address.ToText(); }

TEST(Forwarded, AStrangersWordIsNotTaken) {
  for (const auto source : {ForwardedSource::kXForwardedFor, ForwardedSource::kForwarded}) {
    const auto client = WalkFrom(Ip("192.0.2.9"), source,
                                 {{"X-Forwarded-For", "198.51.100.1"},
                                  {"Forwarded", "for=198.51.100.1;proto=https"},
                                  {"X-Forwarded-Proto", "https"}});
    EXPECT_EQ(client.address, Ip("192.0.2.9"));
    EXPECT_EQ(client.hops, 0u);
    EXPECT_FALSE(client.https);
  }
}

TEST(Forwarded, ATrustedPeerTellsItsClient) {
  EXPECT_EQ(FromList("198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(FromRfc("for=198.51.100.1"), "198.51.100.1");
}

TEST(Forwarded, NobodyBeyondTheFirstStrangerIsBelieved) {
  EXPECT_EQ(FromList("203.0.113.1, 198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(FromList("203.0.113.1, 198.51.100.1, 10.2.0.1, 10.3.0.1"), "198.51.100.1");
  EXPECT_EQ(FromRfc("for=203.0.113.1, for=198.51.100.1, for=10.2.0.1"), "198.51.100.1");
  EXPECT_EQ(FromList("10.9.9.9, 198.51.100.1"), "198.51.100.1");
}

TEST(Forwarded, TheChainIsToldFromThePeerToTheClient) {
  const auto client = WalkFrom(Ip("10.0.0.1"), ForwardedSource::kXForwardedFor,
                               {{"X-Forwarded-For", "203.0.113.1, 198.51.100.1, 10.2.0.1, 10.3.0.1"}});
  ASSERT_EQ(client.hops, 3u);
  EXPECT_EQ(client.chain[0], Ip("10.3.0.1"));
  EXPECT_EQ(client.chain[1], Ip("10.2.0.1"));
  EXPECT_EQ(client.chain[2], Ip("198.51.100.1"));
}

TEST(Forwarded, WhenAllAreTrustedTheFirstOfThemIsTheClient) {
  EXPECT_EQ(FromList("10.1.0.1, 10.2.0.1"), "10.1.0.1");
  EXPECT_EQ(FromList(""), "10.0.0.1");
  EXPECT_EQ(FromList(" , "), "10.0.0.1");
  EXPECT_EQ(WalkFrom(Ip("10.0.0.1"), ForwardedSource::kXForwardedFor, {}).address, Ip("10.0.0.1"));
}

TEST(Forwarded, SeveralFieldsAreOneList) {
  const auto walk = [](std::initializer_list<NameAndValue> fields) {
    return WalkFrom(Ip("10.0.0.1"), ForwardedSource::kXForwardedFor, fields).address.ToText();
  };
  EXPECT_EQ(walk({{"X-Forwarded-For", "203.0.113.1"}, {"Accept", "*/*"}, {"X-Forwarded-For", "10.2.0.1"}}),
            "203.0.113.1");
  EXPECT_EQ(walk({{"X-Forwarded-For", "203.0.113.1"}, {"x-forwarded-for", "198.51.100.1, 10.2.0.1"}}),
            "198.51.100.1");
  EXPECT_EQ(walk({{"X-Forwarded-For", "203.0.113.1"}, {"X-Forwarded-For", "junk"}}), "10.0.0.1");
}

TEST(Forwarded, TheTwoKindsOfFieldAreNeverMixed) {
  const std::initializer_list<NameAndValue> both = {{"Forwarded", "for=203.0.113.1;proto=https"},
                                                    {"X-Forwarded-For", "198.51.100.1"},
                                                    {"X-Real-IP", "1.1.1.1"}};
  EXPECT_EQ(WalkFrom(Ip("10.0.0.1"), ForwardedSource::kXForwardedFor, both).address, Ip("198.51.100.1"));
  EXPECT_FALSE(WalkFrom(Ip("10.0.0.1"), ForwardedSource::kXForwardedFor, both).https);
  EXPECT_EQ(WalkFrom(Ip("10.0.0.1"), ForwardedSource::kForwarded, both).address, Ip("203.0.113.1"));
}

TEST(Forwarded, NamesWithAnUnderscoreDoNotCount) {
  const Field forged{"X_Forwarded_For", "203.0.113.1", FieldId::kXForwarded, true};
  EXPECT_EQ(WalkForwarded(Ip("10.0.0.1"), {&forged, 1}, Trusted(), ForwardedSource::kXForwardedFor).hops, 0u);
}

TEST(Forwarded, AddressesStandInEveryUsualForm) {
  for (const auto& [text, address] : {NameAndValue{"198.51.100.1:4711", "198.51.100.1"},
                                      {"\t198.51.100.1 ", "198.51.100.1"},
                                      {"2001:db8::7", "2001:db8::7"},
                                      {"[2001:db8::7]", "2001:db8::7"},
                                      {"[2001:db8::7]:4711", "2001:db8::7"},
                                      {"::ffff:198.51.100.1", "198.51.100.1"},
                                      {"2001:db8::7, 2001:db8:aaaa::1", "2001:db8::7"},
                                      {"198.51.100.1, ::ffff:10.1.1.1", "198.51.100.1"}}) {
    EXPECT_EQ(FromList(text), address) << text;
  }
}

TEST(Forwarded, WhatIsNoAddressEndsTheWalkAtTheLastGoodOne) {
  for (const char* text :
       {"unknown", "localhost", "198.51.100.1:", "198.51.100.1:x", "198.51.100.1:123456", "[198.51.100.1]",
        "[2001:db8::7", "[2001:db8::7]x", "198.51.100.01", "0.0.0.0", "::", "\"198.51.100.1\"",
        "198.51.100.1 198.51.100.2", "fe80::1%eth0", "1e1.0.0.1"}) {
    EXPECT_EQ(FromList(std::string("203.0.113.1, ") + text), "10.0.0.1") << text;
    EXPECT_EQ(FromList(std::string("203.0.113.1, ") + text + ", 10.2.0.1"), "10.2.0.1") << text;
  }
}

TEST(Forwarded, EmptyElementsArePassedOver) {
  EXPECT_EQ(FromList("198.51.100.1, , 10.2.0.1,,"), "198.51.100.1");
  EXPECT_EQ(FromRfc(", for=198.51.100.1,, for=10.2.0.1,"), "198.51.100.1");
}

TEST(Forwarded, Rfc7239IsReadWithItsQuotesAndParameters) {
  EXPECT_EQ(FromRfc("For=\"[2001:db8:cafe::17]:4711\""), "2001:db8:cafe::17");
  EXPECT_EQ(FromRfc("for=\"198.51.100.1:4711\";by=203.0.113.43;proto=http"), "198.51.100.1");
  EXPECT_EQ(FromRfc("by=203.0.113.43;FOR=198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(FromRfc("for=198.51.100.1;host=\"a,b;c=\\\"d\\\\\";x=\"\""), "198.51.100.1");
  EXPECT_EQ(FromRfc("for=\"198.51.100.\\1\""), "198.51.100.1");
  EXPECT_EQ(FromRfc("for=\"198.51.100.1:_port\""), "198.51.100.1");
  EXPECT_EQ(FromRfc(";for=198.51.100.1;"), "198.51.100.1");
}

TEST(Forwarded, Rfc7239IsRefusedWhereItIsNotItsGrammar) {
  for (const char* text : {"for=unknown",
                           "for=_hidden",
                           "for=\"_gazonk\"",
                           "proto=https",
                           "for=",
                           "for",
                           "for=198.51.100.1 ;proto=http",
                           "for=198.51.100.1; proto=http",
                           "for =198.51.100.1",
                           "for= 198.51.100.1",
                           "for=[2001:db8::7]",
                           "for=2001:db8::7",
                           "for=\"2001:db8::7\"",
                           "for=198.51.100.1:80",
                           "for=198.51.100.1;for=198.51.100.2",
                           "for=\"198.51.100.1",
                           "for=198.51.100.1\"",
                           "for=198.51.100.1;proto=http;proto=https",
                           "=198.51.100.1",
                           "for=\"198.51.100.1\"x",
                           "for=\"198.51.100.1\\\"",
                           "198.51.100.1",
                           "for=\"::\""}) {
    EXPECT_EQ(FromRfc(std::string("for=203.0.113.1, ") + text + ", for=10.2.0.1"), "10.2.0.1") << text;
  }
}

TEST(Forwarded, AStrangersQuoteHidesNothing) {
  for (const char* stranger :
       {"for=203.0.113.1;by=\"", "for=\"", "\"", "\\\"", "x=\"\\\"", "\"\\\\", ",\",", "for=\"a,"}) {
    EXPECT_EQ(FromRfc(std::string(stranger) + ", for=198.51.100.1;host=\"a\\\"b\";proto=https, for=10.2.0.1"),
              "198.51.100.1")
        << stranger;
  }
}

TEST(Forwarded, OnlyABoundedNumberOfElementsIsRead) {
  std::string list = "198.51.100.1";
  for (size_t i = 1; i < kForwardedHopsMost; ++i) list += ",10.1.1.1";
  EXPECT_EQ(FromList(list), "198.51.100.1");
  EXPECT_EQ(FromList(list + ",10.1.1.1"), "10.1.1.1");
  EXPECT_EQ(FromList("198.51.100.1" + std::string(kForwardedHopsMost, ',')), "10.0.0.1");
}

TEST(Forwarded, OnlyElementsOfABoundedSizeAreRead) {
  const std::string element = "for=198.51.100.1;x=";
  const std::string fits = element + std::string(kForwardedElementMost - element.size(), 'x');
  EXPECT_EQ(FromRfc(fits), "198.51.100.1");
  EXPECT_EQ(FromRfc("for=203.0.113.1," + fits), "198.51.100.1");
  EXPECT_EQ(FromRfc(fits + "x"), "10.0.0.1");
  EXPECT_EQ(FromRfc("for=203.0.113.1," + fits + "x"), "10.0.0.1");
  EXPECT_EQ(FromRfc(std::string(100'000, '\\') + "\"\""), "10.0.0.1");
}

TEST(Forwarded, TheSchemeIsTakenFromATrustedPeer) {
  const auto scheme = [](std::initializer_list<NameAndValue> fields) {
    return WalkFrom(Ip("10.0.0.1"), ForwardedSource::kXForwardedFor, fields).https;
  };
  EXPECT_EQ(scheme({{"X-Forwarded-Proto", "https"}}), true);
  EXPECT_EQ(scheme({{"X-Forwarded-Proto", "HTTP"}}), false);
  EXPECT_EQ(scheme({{"X-Forwarded-Proto", "wss"}}), std::nullopt);
  EXPECT_EQ(scheme({{"X-Forwarded-Proto", "https, http"}}), std::nullopt);
  EXPECT_EQ(scheme({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "https"}}), std::nullopt);
  EXPECT_EQ(scheme({}), std::nullopt);
}

TEST(Forwarded, TheSchemeOfForwardedIsThatOfTheClientsElement) {
  EXPECT_EQ(WalkRfc("for=198.51.100.1;proto=https, for=10.2.0.1;proto=http").https, true);
  EXPECT_EQ(WalkRfc("for=203.0.113.1;proto=https, for=198.51.100.1").https, std::nullopt);
  EXPECT_EQ(WalkRfc("proto=https").https, std::nullopt);
}

TEST(Forwarded, APeerOnAUnixSocketIsTrustedByItsWord) {
  const auto client =
      WalkFrom(base::IpAddress(), ForwardedSource::kXForwardedFor, {{"X-Forwarded-For", "198.51.100.1"}});
  EXPECT_EQ(client.address, Ip("198.51.100.1"));
}

}  // namespace
}  // namespace gatebook::http
