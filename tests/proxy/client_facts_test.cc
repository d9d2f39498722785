#include "proxy/client_facts.h"

#include <gtest/gtest.h>

namespace gatebook::proxy {
namespace {

TEST(ClientFacts, ForwardingFieldsNameThePeerAndHowItCame) {
  EXPECT_EQ(MakeForwardingFields(*base::IpAddress::Parse("192.0.2.1"), true),
            "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nForwarded: for=192.0.2.1;proto=https");
  EXPECT_EQ(MakeForwardingFields(*base::IpAddress::Parse("::ffff:192.0.2.1"), false),
            "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nForwarded: for=192.0.2.1;proto=http");
}

TEST(ClientFacts, AVersion6AddressStandsInBracketsAndQuotesInForwarded) {
  EXPECT_EQ(MakeForwardingFields(*base::IpAddress::Parse("2001:DB8::1"), true),
            "X-Forwarded-For: 2001:db8::1\r\nX-Forwarded-Proto: https\r\n"
            "Forwarded: for=\"[2001:db8::1]\";proto=https");
}

TEST(ClientFacts, AUnixPeerIsUnknown) {
  EXPECT_EQ(MakeForwardingFields(base::IpAddress(), false),
            "X-Forwarded-For: unknown\r\nX-Forwarded-Proto: http\r\nForwarded: for=unknown;proto=http");
}

}  // namespace
}  // namespace gatebook::proxy
