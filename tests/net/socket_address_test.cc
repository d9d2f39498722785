#include "net/socket_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>

namespace gatebook::net {
namespace {

TEST(SocketAddress, Version4AndMappedVersion4AreAfInet) {
  for (const char* text : {"192.0.2.7", "::ffff:192.0.2.7"}) {
    const auto address = SocketAddress::FromIp(*base::IpAddress::Parse(text), 8443);
    EXPECT_EQ(address.family(), AF_INET);
    ASSERT_EQ(address.size(), sizeof(sockaddr_in));
    sockaddr_in in;
    std::memcpy(&in, address.get(), sizeof in);
    EXPECT_EQ(ntohs(in.sin_port), 8443);
    EXPECT_EQ(ntohl(in.sin_addr.s_addr), 0xc0000207U);
    EXPECT_EQ(base::IpAddress::FromSockaddr(*address.get()), base::IpAddress::Parse("192.0.2.7"));
  }
}

TEST(SocketAddress, Version6IsAfInet6) {
  const auto ip = *base::IpAddress::Parse("2001:db8::7");
  const auto address = SocketAddress::FromIp(ip, 65535);
  EXPECT_EQ(address.family(), AF_INET6);
  ASSERT_EQ(address.size(), sizeof(sockaddr_in6));
  sockaddr_in6 in6;
  std::memcpy(&in6, address.get(), sizeof in6);
  EXPECT_EQ(ntohs(in6.sin6_port), 65535);
  EXPECT_EQ(base::IpAddress::FromSockaddr(*address.get()), ip);
}

TEST(SocketAddress, AUnixPathIsWholeAndEndsWithItsNul) {
  const auto address = SocketAddress::FromUnixPath("/run/gatebook/admin.sock");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->family(), AF_UNIX);
  EXPECT_STREQ(reinterpret_cast<const sockaddr_un*>(address->get())->sun_path, "/run/gatebook/admin.sock");
  EXPECT_EQ(address->size(), offsetof(sockaddr_un, sun_path) + std::strlen("/run/gatebook/admin.sock") + 1);
}

TEST(SocketAddress, APathThatDoesNotFitIsNone) {
  EXPECT_TRUE(SocketAddress::FromUnixPath(std::string(107, 'a')));
  EXPECT_FALSE(SocketAddress::FromUnixPath(std::string(108, 'a')));
  EXPECT_FALSE(SocketAddress::FromUnixPath(""));
}

}  // namespace
}  // namespace gatebook::net
