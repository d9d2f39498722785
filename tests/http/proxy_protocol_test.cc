#include "http/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace gatebook::http {
namespace {

using namespace std::string_literals;
using Fault = ProxyHeaderFault;
using Status = ProxyHeader::Status;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

base::IpAddress Ip(std::string_view text) { return *base::IpAddress::Parse(text); }

// The outcome of `data` whole; every beginning of it must say the same or ask for more.
ProxyHeader Parse(std::string_view data) {
  const ProxyHeader whole = ParseProxyHeader(data);
  for (size_t size = 0; size < data.size(); ++size) {
    const ProxyHeader part = ParseProxyHeader(std::string(data.substr(0, size)));
    if (part.status == Status::kNeedMore) continue;
    EXPECT_EQ(part.status, whole.status) << size;
    EXPECT_EQ(part.fault, whole.fault) << size;
    EXPECT_EQ(part.size, whole.size) << size;
    EXPECT_EQ(part.addresses, whole.addresses) << size;
  }
  return whole;
}

// What is refused stays refused with bytes behind it.
Fault FaultOf(const std::string& data) {
  const ProxyHeader header = Parse(data);
  EXPECT_EQ(header.status == Status::kRefused, header.fault != Fault::kNone);
  EXPECT_EQ(Parse(data + "GET / HTTP/1.1\r\n\r\n").fault, header.fault);
  return header.fault;
}

std::string Version2(int command, int family, std::string_view payload) {
  std::string header(kSignature);
  header += static_cast<char>(command);
  header += static_cast<char>(family);
  header += static_cast<char>(payload.size() >> 8);
  header += static_cast<char>(payload.size() & 0xff);
  return header.append(payload);
}

const std::string kTcp4Block = "\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb"s;

TEST(ProxyProtocol, Version1TellsBothEnds) {
  const std::string line = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";
  const auto header = Parse(line + "GET / HTTP/1.1\r\n");
  ASSERT_EQ(header.status, Status::kDone);
  EXPECT_EQ(header.size, line.size());
  EXPECT_EQ(header.addresses, (ProxiedAddresses{Ip("192.0.2.1"), Ip("198.51.100.2"), 56324, 443}));
}

TEST(ProxyProtocol, Version1SpeaksIpv6) {
  const auto header = Parse("PROXY TCP6 2001:DB8::1 ::1 0 65535\r\n");
  ASSERT_EQ(header.status, Status::kDone);
  EXPECT_EQ(header.addresses, (ProxiedAddresses{Ip("2001:db8::1"), Ip("::1"), 0, 65535}));
  const auto mapped = Parse("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c000:202 1 2\r\n");
  ASSERT_EQ(mapped.status, Status::kDone);
  EXPECT_EQ(mapped.addresses->source, Ip("192.0.2.1"));
  EXPECT_EQ(mapped.addresses->destination, Ip("192.0.2.2"));
}

TEST(ProxyProtocol, Version1UnknownIgnoresTheRestOfItsLine) {
  const std::string longest =
      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
      "65535\r\n";
  ASSERT_EQ(longest.size(), 107u);
  for (const std::string& line : {"PROXY UNKNOWN\r\n"s, "PROXY UNKNOWN  any thing \x01\r\n"s, longest}) {
    const auto header = Parse(line + "x");
    EXPECT_EQ(header.status, Status::kDone) << line;
    EXPECT_EQ(header.size, line.size());
    EXPECT_FALSE(header.addresses);
  }
}

TEST(ProxyProtocol, Version1IsItsExactTextOrRefused) {
  for (const char* line : {
           "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r \n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 56324  443\r\n",
           "PROXY  TCP4 192.0.2.1 198.51.100.2 56324 443\r\n",
           "PROXY TCP4\t192.0.2.1 198.51.100.2 56324 443\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 56324 0443\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 +5 443\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 -5 443\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 0x50 443\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n",
           "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 1\r\n",
           "PROXY TCP4 192.0.2.01 198.51.100.2 56324 443\r\n",
           "PROXY TCP4 192.0.2 198.51.100.2 56324 443\r\n",
           "PROXY TCP4 192.0.2.256 198.51.100.2 56324 443\r\n",
           "PROXY TCP4 ::1 ::1 56324 443\r\n",
           "PROXY TCP4 ::ffff:192.0.2.1 198.51.100.2 56324 443\r\n",
           "PROXY TCP6 192.0.2.1 198.51.100.2 56324 443\r\n",
           "PROXY TCP6 [::1] [::1] 56324 443\r\n",
           "PROXY TCP6 fe80::1%eth0 ::1 56324 443\r\n",
           "PROXY UDP4 192.0.2.1 198.51.100.2 56324 443\r\n",
           "PROXY tcp4 192.0.2.1 198.51.100.2 56324 443\r\n",
           "PROXY UNKNOWNX\r\n",
           "PROXY UNKNOWN\n",
           "PROXY \r\n",
       }) {
    EXPECT_EQ(FaultOf(line), Fault::kBadLine) << line;
  }
  EXPECT_EQ(FaultOf("PROXY TCP4 192.0.2.1 198.51.100.2 1 2\0\r\n"s), Fault::kBadLine);
}

TEST(ProxyProtocol, Version1EndsWithin107Bytes) {
  const std::string begin = "PROXY UNKNOWN ";
  const std::string fits = begin + std::string(107 - begin.size() - 2, 'x') + "\r\n";
  EXPECT_EQ(Parse(fits).status, Status::kDone);
  EXPECT_EQ(FaultOf(begin + std::string(107 - begin.size() - 1, 'x') + "\r\n"), Fault::kBadLine);
  EXPECT_EQ(FaultOf(begin + std::string(107 - begin.size(), 'x')), Fault::kBadLine);
  EXPECT_EQ(ParseProxyHeader(begin + std::string(106 - begin.size(), 'x')).status, Status::kNeedMore);
}

TEST(ProxyProtocol, Version2TellsBothEnds) {
  const std::string bytes = Version2(0x21, 0x11, kTcp4Block);
  const auto header = Parse(bytes + "\x16\x03\x01");
  ASSERT_EQ(header.status, Status::kDone);
  EXPECT_EQ(header.size, 28u);
  EXPECT_EQ(header.addresses, (ProxiedAddresses{Ip("192.0.2.1"), Ip("198.51.100.2"), 56324, 443}));
}

TEST(ProxyProtocol, Version2SpeaksIpv6) {
  const std::string block = "\x20\x01\x0d\xb8" + std::string(11, '\0') + "\x01" + std::string(10, '\0') +
                            "\xff\xff\xc0\x00\x02\x07"s + "\x00\x01\xff\xff"s;
  const auto header = Parse(Version2(0x21, 0x21, block));
  ASSERT_EQ(header.status, Status::kDone);
  EXPECT_EQ(header.size, 52u);
  EXPECT_EQ(header.addresses, (ProxiedAddresses{Ip("2001:db8::1"), Ip("192.0.2.7"), 1, 65535}));
}

TEST(ProxyProtocol, Version2WithoutAddressesOfOursIsTheConnectionsOwn) {
  const std::string local = Version2(0x20, 0x00, "");
  const std::string local_with_block = Version2(0x20, 0xff, kTcp4Block + "\x03\x00\x00"s);
  const std::string unspecified = Version2(0x21, 0x00, "\x03 any");
  const std::string unix_stream = Version2(0x21, 0x31, std::string(216, 'u'));
  const std::string datagram = Version2(0x21, 0x12, kTcp4Block);
  const std::string no_protocol = Version2(0x21, 0x10, kTcp4Block);
  for (const std::string& bytes :
       {local, local_with_block, unspecified, unix_stream, datagram, no_protocol}) {
    const auto header = Parse(bytes + "more");
    EXPECT_EQ(header.status, Status::kDone);
    EXPECT_EQ(header.size, bytes.size());
    EXPECT_FALSE(header.addresses);
  }
}

TEST(ProxyProtocol, Version2SkipsWhatElseIsTold) {
  const std::string alpn = "\x01\x00\x02h2"s;
  const std::string empty = "\x04\x00\x00"s;
  const auto header = Parse(Version2(0x21, 0x11, kTcp4Block + alpn + empty + "\xea\x00\x01z"s) + "x");
  ASSERT_EQ(header.status, Status::kDone);
  EXPECT_EQ(header.size, 28u + 5 + 3 + 4);
  EXPECT_TRUE(header.addresses);
}

TEST(ProxyProtocol, Version2OfAnotherNumberOrCommandIsRefused) {
  for (const int command : {0x11, 0x31, 0x01, 0x22, 0x2f, 0x00, 0xff}) {
    EXPECT_EQ(FaultOf(Version2(command, 0x11, kTcp4Block)), Fault::kBadCommand) << command;
  }
}

TEST(ProxyProtocol, Version2OfAnUnassignedFamilyOrProtocolIsRefused) {
  for (const int family : {0x41, 0xf1, 0x13, 0x1f, 0x40}) {
    EXPECT_EQ(FaultOf(Version2(0x21, family, kTcp4Block)), Fault::kBadFamily) << family;
  }
}

TEST(ProxyProtocol, Version2IsAsLongAsItsAddressesAndWithinTheLimit) {
  EXPECT_EQ(FaultOf(Version2(0x21, 0x11, kTcp4Block.substr(1))), Fault::kBadLength);
  EXPECT_EQ(FaultOf(Version2(0x21, 0x21, std::string(35, '\0'))), Fault::kBadLength);
  EXPECT_EQ(FaultOf(Version2(0x21, 0x31, std::string(215, '\0'))), Fault::kBadLength);
  EXPECT_EQ(Parse(Version2(0x20, 0x00, std::string(kProxyHeaderMost - 16, 'x'))).status, Status::kDone);
  EXPECT_EQ(FaultOf(Version2(0x20, 0x00, std::string(kProxyHeaderMost - 15, 'x'))), Fault::kBadLength);
}

TEST(ProxyProtocol, Version2EndsWhereItsLastTlvDoes) {
  for (const std::string& tlvs :
       {"\x01"s, "\x01\x00"s, "\x01\x00\x01"s, "\x01\xff\xff"s, "\x01\x00\x01zz"s}) {
    EXPECT_EQ(FaultOf(Version2(0x21, 0x11, kTcp4Block + tlvs)), Fault::kBadTlv);
  }
}

TEST(ProxyProtocol, AChecksumThatIsThereMustFit) {
  const std::string sum = "\x20\xec\x95\x49";  // reckoned apart from this code
  const auto with = [](const std::string& checksum) { return Version2(0x21, 0x11, kTcp4Block + checksum); };
  EXPECT_EQ(Parse(with("\x03\x00\x04"s + sum)).fault, Fault::kNone);
  EXPECT_EQ(FaultOf(with("\x03\x00\x04\x20\xec\x95\x48"s)), Fault::kBadChecksum);
  EXPECT_EQ(FaultOf(with("\x03\x00\x03\x20\xec\x95"s)), Fault::kBadTlv);
  EXPECT_EQ(FaultOf(with("\x03\x00\x04"s + sum + "\x03\x00\x04"s + sum)), Fault::kBadTlv);
}

TEST(ProxyProtocol, NobodyIsFromNowhere) {
  EXPECT_EQ(FaultOf("PROXY TCP6 :: ::1 1 2\r\n"), Fault::kBadAddress);
  EXPECT_EQ(FaultOf("PROXY TCP4 0.0.0.0 192.0.2.1 1 2\r\n"), Fault::kBadAddress);
  EXPECT_EQ(FaultOf(Version2(0x21, 0x21, std::string(36, '\0'))), Fault::kBadAddress);
}

TEST(ProxyProtocol, OtherBytesAreRefusedAtTheFirstThatDiffers) {
  for (const std::string& bytes : {"GET / HTTP/1.1\r\n"s, "\x16\x03\x01\x02\x00"s, "PROXX"s, "PROXY\r\n"s,
                                   "proxy "s, "\r\n\r\n\0\r\nQUIX"s, "\r\nGET"s, "\0"s, " PROXY TCP4"s}) {
    EXPECT_EQ(FaultOf(bytes), Fault::kNoHeader) << bytes;
  }
  EXPECT_EQ(ParseProxyHeader("").status, Status::kNeedMore);
  EXPECT_EQ(ParseProxyHeader("PROXY").status, Status::kNeedMore);
  EXPECT_EQ(ParseProxyHeader("\r\n\r\n").status, Status::kNeedMore);
}

TEST(ProxyProtocol, WhatIsMadeIsReadAgain) {
  const ProxiedAddresses v4{Ip("192.0.2.1"), Ip("198.51.100.2"), 56324, 443};
  EXPECT_EQ(MakeProxyHeader(v4), Version2(0x21, 0x11, kTcp4Block));
  const ProxiedAddresses v6{Ip("2001:db8::1"), Ip("::1"), 1, 2};
  const ProxiedAddresses mixed{Ip("2001:db8::1"), Ip("192.0.2.1"), 1, 65535};
  for (const ProxiedAddresses& addresses : {v4, v6, mixed}) {
    const std::string bytes = MakeProxyHeader(addresses);
    const auto header = Parse(bytes);
    ASSERT_EQ(header.status, Status::kDone);
    EXPECT_EQ(header.size, bytes.size());
    EXPECT_EQ(header.addresses, addresses);
  }
}

TEST(ProxyProtocol, WithoutAddressesTheConnectionIsSaidToBeLocal) {
  EXPECT_EQ(MakeProxyHeader(std::nullopt), Version2(0x20, 0x00, ""));
}

}  // namespace
}  // namespace gatebook::http
