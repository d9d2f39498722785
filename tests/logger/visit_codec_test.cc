#include "logger/visit_codec.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>

namespace gatebook::logger {
namespace {

Visit FullVisit() {
  Visit visit;
  visit.arrival = base::WallTime(std::chrono::milliseconds(1795471981042));
  for (size_t i = 0; i < visit.session.bytes.size(); ++i)
    visit.session.bytes[i] = static_cast<uint8_t>(i + 1);
  visit.session_new = true;
  visit.open = true;
  visit.ip = *base::IpAddress::Parse("2001:db8::1");
  visit.channel = Channel::kReferral;
  visit.protocol = Protocol::kWs;
  visit.tls_version = 13;
  visit.purpose = kPurposeAdministrative;
  visit.status = 999;
  visit.bytes_in = std::numeric_limits<uint64_t>::max();
  visit.bytes_out = 127;
  visit.duration_us = 128;
  visit.upstream_us = 1ULL << 63;
  visit.request_id = 0xfedcba9876543210;
  visit.method = "GET";
  visit.host = "example.com";
  visit.path = "/a/{number}/\xc3\xa4";
  visit.query = "utm_source=x";
  visit.referrer = "https://search.example";
  visit.utm_source = "news";
  visit.utm_medium = "mail";
  visit.utm_campaign = "autumn";
  visit.user_agent = "Mozilla/5.0";
  visit.denied = "limit";
  visit.rule = "rule-1";
  visit.policy = "2025-09-01";
  return visit;
}

std::string Encode(const Visit& visit) {
  char out[kMostEncodedVisit];
  const size_t bound = EncodedVisitBound(visit);
  const char* const end = EncodeVisit(visit, out);
  EXPECT_LE(static_cast<size_t>(end - out), bound);
  return std::string(out, static_cast<size_t>(end - out));
}

void ExpectSame(const Visit& a, const Visit& b) {
  EXPECT_EQ(a.arrival, b.arrival);
  EXPECT_EQ(a.session, b.session);
  EXPECT_EQ(a.session_new, b.session_new);
  EXPECT_EQ(a.open, b.open);
  EXPECT_EQ(a.ip, b.ip);
  EXPECT_EQ(a.channel, b.channel);
  EXPECT_EQ(a.protocol, b.protocol);
  EXPECT_EQ(a.tls_version, b.tls_version);
  EXPECT_EQ(a.purpose, b.purpose);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.bytes_in, b.bytes_in);
  EXPECT_EQ(a.bytes_out, b.bytes_out);
  EXPECT_EQ(a.duration_us, b.duration_us);
  EXPECT_EQ(a.upstream_us, b.upstream_us);
  EXPECT_EQ(a.request_id, b.request_id);
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(a.host, b.host);
  EXPECT_EQ(a.path, b.path);
  EXPECT_EQ(a.query, b.query);
  EXPECT_EQ(a.referrer, b.referrer);
  EXPECT_EQ(a.utm_source, b.utm_source);
  EXPECT_EQ(a.utm_medium, b.utm_medium);
  EXPECT_EQ(a.utm_campaign, b.utm_campaign);
  EXPECT_EQ(a.user_agent, b.user_agent);
  EXPECT_EQ(a.denied, b.denied);
  EXPECT_EQ(a.rule, b.rule);
  EXPECT_EQ(a.policy, b.policy);
}

// Decodes from an allocation of exactly that size, so that a sanitizer sees any read beyond it.
bool DecodeExactly(std::string_view bytes, Visit* visit = nullptr) {
  const std::unique_ptr<char[]> copy(new char[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), copy.get());
  Visit ignored;
  return DecodeVisit({copy.get(), bytes.size()}, visit != nullptr ? visit : &ignored);
}

TEST(VisitCodecTest, EveryFieldComesBack) {
  const Visit visit = FullVisit();
  const std::string bytes = Encode(visit);
  Visit decoded;
  ASSERT_TRUE(DecodeVisit(bytes, &decoded));
  ExpectSame(visit, decoded);
}

TEST(VisitCodecTest, AnEmptyVisitComesBackAndIsSmall) {
  const std::string bytes = Encode(Visit{});
  Visit decoded = FullVisit();
  ASSERT_TRUE(DecodeVisit(bytes, &decoded));
  ExpectSame(Visit{}, decoded);
  EXPECT_LE(bytes.size(), 72u);
}

TEST(VisitCodecTest, TextsAreViewsIntoTheBytes) {
  const std::string bytes = Encode(FullVisit());
  Visit decoded;
  ASSERT_TRUE(DecodeVisit(bytes, &decoded));
  EXPECT_GE(decoded.user_agent.data(), bytes.data());
  EXPECT_LE(decoded.user_agent.data(), bytes.data() + bytes.size());
}

TEST(VisitCodecTest, AnIpv4AddressTakesFourBytes) {
  Visit visit;
  const size_t v6 = Encode(visit).size();
  visit.ip = *base::IpAddress::Parse("198.51.100.7");
  const std::string bytes = Encode(visit);
  EXPECT_EQ(bytes.size(), v6 - 12);
  Visit decoded;
  ASSERT_TRUE(DecodeVisit(bytes, &decoded));
  EXPECT_EQ(decoded.ip, visit.ip);
}

TEST(VisitCodecTest, TextsAtTheirCapsFitAndBeyondThemAreRefused) {
  struct Cap {
    std::string_view Visit::*text;
    size_t most;
  };
  const std::string longest(kMostPath + 1, 'x');
  Visit all;
  for (const Cap& cap :
       {Cap{&Visit::method, kMostMethod}, Cap{&Visit::host, kMostHost}, Cap{&Visit::path, kMostPath},
        Cap{&Visit::query, kMostQuery}, Cap{&Visit::referrer, kMostReferrer},
        Cap{&Visit::utm_source, kMostCampaignPart}, Cap{&Visit::utm_medium, kMostCampaignPart},
        Cap{&Visit::utm_campaign, kMostCampaignPart}, Cap{&Visit::user_agent, kMostUserAgent},
        Cap{&Visit::denied, kMostDenied}, Cap{&Visit::rule, kMostRule}, Cap{&Visit::policy, kMostPolicy}}) {
    Visit visit;
    visit.*cap.text = std::string_view(longest).substr(0, cap.most + 1);
    EXPECT_EQ(EncodedVisitBound(visit), 0u);
    visit.*cap.text = all.*cap.text = std::string_view(longest).substr(0, cap.most);
    EXPECT_GT(EncodedVisitBound(visit), 0u);
  }
  EXPECT_LE(EncodedVisitBound(all), kMostEncodedVisit);
  const std::string bytes = Encode(all);
  EXPECT_TRUE(DecodeExactly(bytes));
}

TEST(VisitCodecTest, RefusesEveryPrefixAndAnyByteMore) {
  const std::string bytes = Encode(FullVisit());
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(DecodeExactly(bytes.substr(0, size))) << size;
  EXPECT_FALSE(DecodeExactly(bytes + '\0'));
}

TEST(VisitCodecTest, WhatItAcceptsAfterAnyFlippedByteIsWithinItsBounds) {
  const std::string bytes = Encode(FullVisit());
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const int mask : {0x01, 0x20, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ mask);
      Visit decoded;
      if (!DecodeVisit(damaged, &decoded)) continue;
      EXPECT_GT(EncodedVisitBound(decoded), 0u);
      EXPECT_LT(static_cast<size_t>(decoded.channel), kChannels);
      EXPECT_LT(static_cast<size_t>(decoded.protocol), kProtocols);
      EXPECT_EQ(Encode(decoded), damaged);  // one value, one form
    }
  }
}

TEST(VisitCodecTest, RefusesControlCharactersInTexts) {
  for (const char* text : {"\x1b[31m", "a\nb", "a\x7f", "\t"}) {
    Visit visit;
    visit.user_agent = text;
    EXPECT_FALSE(DecodeExactly(Encode(visit)));
  }
  Visit visit;
  visit.path = std::string_view("a\0b", 3);
  EXPECT_FALSE(DecodeExactly(Encode(visit)));
}

TEST(VisitCodecTest, FindsAControlCharacterAtAnyPlaceAndOnlyThose) {
  for (size_t at = 0; at < 20; ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text(20, '~');
      text[at] = static_cast<char>(byte);
      Visit visit;
      visit.path = text;
      EXPECT_EQ(DecodeExactly(Encode(visit)), byte >= 0x20 && byte != 0x7f) << byte << " at " << at;
    }
  }
}

TEST(VisitCodecTest, ClosingsComeBack) {
  const Closing closing{
      {5, 1795471981042, 4294967295}, 101, std::numeric_limits<uint64_t>::max(), 0, 127, 128};
  char out[kMostEncodedClosing];
  const char* const end = EncodeClosing(closing, out);
  const std::string_view bytes(out, static_cast<size_t>(end - out));
  Closing decoded;
  ASSERT_TRUE(DecodeClosing(bytes, 5, &decoded));
  EXPECT_EQ(decoded.of, closing.of);
  EXPECT_EQ(decoded.status, closing.status);
  EXPECT_EQ(decoded.bytes_in, closing.bytes_in);
  EXPECT_EQ(decoded.bytes_out, closing.bytes_out);
  EXPECT_EQ(decoded.duration_us, closing.duration_us);
  EXPECT_EQ(decoded.upstream_us, closing.upstream_us);
  EXPECT_EQ(decoded.denied, "");
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(DecodeClosing(bytes.substr(0, size), 5, &decoded));
}

TEST(VisitCodecTest, AClosingSaysWhyItWasMade) {
  const Closing plain{.of = {5, 1795471981042, 1}, .status = 101};
  Closing denied = plain;
  denied.denied = "tunnel_idle";
  char out[kMostEncodedClosing];
  const size_t plain_size = static_cast<size_t>(EncodeClosing(plain, out) - out);
  const std::string bytes(out, EncodeClosing(denied, out));
  Closing decoded;
  ASSERT_TRUE(DecodeClosing(bytes, 5, &decoded));
  EXPECT_EQ(decoded.denied, "tunnel_idle");
  // Cut where the reason begins it is the plain one, whole; anywhere else it is damage.
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeClosing(std::string_view(bytes).substr(0, size), 5, &decoded), size == plain_size)
        << size;
  }
  EXPECT_FALSE(DecodeClosing(bytes + "x", 5, &decoded));
  EXPECT_FALSE(DecodeClosing(bytes.substr(0, plain_size) + '\0', 5, &decoded))
      << "empty is written as nothing";
  EXPECT_FALSE(DecodeClosing(bytes.substr(0, plain_size) + "\1\n", 5, &decoded));
}

TEST(VisitCodecTest, TheLongestClosingFits) {
  const uint64_t most = std::numeric_limits<uint64_t>::max();
  const std::string reason(2 * kMostDenied, 'r');  // cut
  const Closing closing{{0, most, std::numeric_limits<uint32_t>::max()}, 999, most, most, most, most, reason};
  char out[kMostEncodedClosing];
  EXPECT_LE(static_cast<size_t>(EncodeClosing(closing, out) - out), kMostEncodedClosing);
}

}  // namespace
}  // namespace gatebook::logger
