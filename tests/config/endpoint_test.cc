#include "config/endpoint.h"

#include <gtest/gtest.h>

namespace gatebook::config {
namespace {

constexpr uint32_t kAll = kFormIp | kFormHostname | kFormUnix | kFormHttps;

TEST(Endpoint, AddressesNamesAndSocketsAreRead) {
  const auto v4 = ParseEndpoint("0.0.0.0:443", kAll);
  ASSERT_TRUE(v4.ok());
  EXPECT_EQ(v4->kind, Endpoint::Kind::kIp);
  EXPECT_EQ(v4->ip.ToText(), "0.0.0.0");
  EXPECT_EQ(v4->port, 443);
  EXPECT_EQ(v4->text, "0.0.0.0:443");

  const auto v6 = ParseEndpoint("[::1]:8443", kAll);
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->ip.ToText(), "::1");
  EXPECT_EQ(v6->port, 8443);

  const auto name = ParseEndpoint("App-1.Internal:80", kAll);
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(name->kind, Endpoint::Kind::kHostname);
  EXPECT_EQ(name->hostname, "app-1.internal");

  const auto socket = ParseEndpoint("unix:/run/app.sock", kAll);
  ASSERT_TRUE(socket.ok());
  EXPECT_EQ(socket->kind, Endpoint::Kind::kUnix);
  EXPECT_EQ(socket->path, "/run/app.sock");
}

TEST(Endpoint, BrokenOnesAreRefused) {
  for (const char* text : {"",
                           ":",
                           ":80",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1: 80",
                           "127.0.0.1:0",
                           "127.0.0.1:080000",
                           "::1:80",
                           "[::1]",
                           "[::1]80",
                           "[::1:80",
                           "[]:80",
                           "[127.0.0.1]:80",
                           "[app]:80",
                           "300.1.1.1:80",
                           "1.2.3.4.5:80",
                           "-app:80",
                           "app-:80",
                           "a..b:80",
                           ".app:80",
                           "app.:80",
                           "a b:80",
                           "a/b:80",
                           "unix:",
                           "unix:/",
                           "unix:run/x.sock",
                           "http://app:80",
                           "https://app",
                           "https://unix:/run/x.sock",
                           "https://https://app:80",
                           "https://app:0",
                           "HTTPS://app:80"}) {
    EXPECT_FALSE(ParseEndpoint(text, kAll).ok()) << text;
  }
}

TEST(Endpoint, HttpsIsTlsToAnAddressOrName) {
  const auto address = ParseEndpoint("https://10.0.0.5:8443", kAll);
  ASSERT_TRUE(address.ok());
  EXPECT_TRUE(address->tls);
  EXPECT_EQ(address->kind, Endpoint::Kind::kIp);
  EXPECT_EQ(address->port, 8443);
  EXPECT_EQ(address->text, "https://10.0.0.5:8443");
  const auto name = ParseEndpoint("https://App.internal:443", kAll);
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(name->hostname, "app.internal");
  EXPECT_FALSE(ParseEndpoint("app:80", kAll)->tls);
}

TEST(Endpoint, ASchemeIsRefusedWithWhatMayBeWritten) {
  EXPECT_EQ(ParseEndpoint("http://10.0.0.5:80", kFormIp | kFormHttps).error().message,
            "such a scheme is not written here: write \"address:port\" or \"https://name:port\"");
  EXPECT_FALSE(ParseEndpoint("https://10.0.0.5:8443", kFormIp | kFormHostname).ok());
}

TEST(Endpoint, OnlyTheAllowedFormsPass) {
  EXPECT_FALSE(ParseEndpoint("app:80", kFormIp | kFormUnix).ok());
  EXPECT_FALSE(ParseEndpoint("127.0.0.1:80", kFormHostname | kFormUnix).ok());
  EXPECT_FALSE(ParseEndpoint("unix:/run/x.sock", kFormIp | kFormHostname).ok());
  EXPECT_TRUE(ParseEndpoint("127.0.0.1:0", kFormIp | kFormPortZero).ok());
}

TEST(Endpoint, LengthsAreBounded) {
  EXPECT_TRUE(ParseEndpoint("unix:/" + std::string(106, 'x'), kAll).ok());
  EXPECT_FALSE(ParseEndpoint("unix:/" + std::string(107, 'x'), kAll).ok());
  EXPECT_TRUE(ParseEndpoint(std::string(63, 'x') + ":80", kAll).ok());
  EXPECT_FALSE(ParseEndpoint(std::string(64, 'x') + ":80", kAll).ok());
  std::string name;
  while (name.size() < 254) name += "abcdefg.";
  EXPECT_FALSE(ParseEndpoint(name + "a:80", kAll).ok());
}

}  // namespace
}  // namespace gatebook::config
