#include "logger/source.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace gatebook::logger {
namespace {

struct Told {
  Channel channel;
  std::string referrer;
};
Told Tell(std::string_view referer, std::string_view query = "") {
  SourceBuffer buffer;
  const Source source = ClassifySource(referer, "Shop.example:8443", query, buffer);
  return {source.channel, std::string(source.referrer)};
}

TEST(Source, IsDirectWithoutAnOrigin) {
  for (const char* referer :
       {"", "about:blank", "/path", "javascript:alert(1)", "https://", "https:///x", "https://a b/",
        "https://\x1b[31m/", "http://[zz]/", "https://h:123456/", "https://h:8x/", "ftp://example.org/"}) {
    EXPECT_EQ(Tell(referer).channel, Channel::kDirect) << referer;
    EXPECT_EQ(Tell(referer).referrer, "") << referer;
  }
}

TEST(Source, KeepsTheOriginOnly) {
  EXPECT_EQ(Tell("https://Example.ORG/secret?token=1#x").referrer, "https://example.org");
  EXPECT_EQ(Tell("HTTP://ann:pw@example.org:80/").referrer, "http://example.org");
  EXPECT_EQ(Tell("http://example.org:8080").referrer, "http://example.org:8080");
  EXPECT_EQ(Tell("https://example.org.:443?x").referrer, "https://example.org");
  EXPECT_EQ(Tell("https://[2001:DB8::1]:9/").referrer, "https://[2001:db8::1]:9");
  EXPECT_EQ(Tell("https://a@b@example.org\\@evil").referrer, "https://example.org");
  EXPECT_EQ(Tell("https://" + std::string(300, 'a')).referrer, "");
}

TEST(Source, KnowsItsOwnHost) {
  EXPECT_EQ(Tell("https://shop.example/x").channel, Channel::kInternal);
  EXPECT_EQ(Tell("https://SHOP.example:8443/x").channel, Channel::kInternal);
  EXPECT_EQ(Tell("https://www.shop.example/x").channel, Channel::kReferral);
}

TEST(Source, KnowsSearchEngines) {
  for (const char* host :
       {"www.google.com", "google.fi", "www.google.co.uk", "google.com.br", "www.bing.com", "duckduckgo.com",
        "fi.search.yahoo.com", "yandex.ru", "search.brave.com", "ecosia.org"}) {
    EXPECT_EQ(Tell(std::string("https://") + host + "/").channel, Channel::kSearch) << host;
  }
  EXPECT_EQ(Tell("android-app://com.example.app").channel, Channel::kReferral);
}

TEST(Source, KnowsSocialNetworks) {
  for (const char* host : {"l.facebook.com", "t.co", "x.com", "www.linkedin.com", "old.reddit.com",
                           "youtu.be", "pinterest.co.uk", "news.ycombinator.com"}) {
    EXPECT_EQ(Tell(std::string("https://") + host + "/").channel, Channel::kSocial) << host;
  }
}

TEST(Source, IsNotFooledByNamesThatOnlyLookAlike) {
  for (const char* host :
       {"notgoogle.com", "google.com.evil.example", "google.evil", "mail.google.com", "brave.com",
        "docs.google.com", "ft.co.example", "google", "x.com.example", "google.example.com"}) {
    EXPECT_EQ(Tell(std::string("https://") + host + "/").channel, Channel::kReferral) << host;
  }
}

TEST(Source, CampaignComesFirst) {
  SourceBuffer buffer;
  const Source source =
      ClassifySource("https://www.google.com/", "shop.example",
                     "a=1&utm_source=news%6Cetter&utm_medium=e%2Dmail&utm_campaign=Summer+sale&x", buffer);
  EXPECT_EQ(source.channel, Channel::kCampaign);
  EXPECT_EQ(source.referrer, "https://www.google.com");
  EXPECT_EQ(source.utm_source, "newsletter");
  EXPECT_EQ(source.utm_medium, "e-mail");
  EXPECT_EQ(source.utm_campaign, "Summer sale");
  EXPECT_EQ(Tell("", "utm_source=").channel, Channel::kDirect);
  EXPECT_EQ(Tell("", "xutm_source=a").channel, Channel::kDirect);
  EXPECT_EQ(Tell("", "utm_term=a").channel, Channel::kDirect);
}

TEST(Source, MasksAndCleansCampaigns) {
  SourceBuffer buffer;
  const Source source = ClassifySource(
      "", "h", "utm_source=ann%40example.org&utm_medium=%1b[31m&utm_campaign=" + std::string(999, 'a'),
      buffer);
  EXPECT_EQ(source.utm_source, "{email}");
  EXPECT_EQ(source.utm_medium, "\\x1b[31m");
  EXPECT_LE(source.utm_campaign.size(), kMostCampaignPart);
}

TEST(Source, TakesAnyBytes) {
  std::mt19937 random(3);
  const std::string alphabet = "https://utm_source=&;%40@[]:.\\?#x \x01\xff";
  for (int round = 0; round < 20000; ++round) {
    std::string referer = round % 2 == 0 ? "https://" : "";
    std::string query;
    for (size_t i = random() % 60; i > 0; --i) referer += alphabet[random() % alphabet.size()];
    for (size_t i = random() % 60; i > 0; --i) query += alphabet[random() % alphabet.size()];
    SourceBuffer buffer;
    const Source source = ClassifySource(referer, referer, query, buffer);
    for (const char c : source.referrer) ASSERT_TRUE(c > 0x20 && c < 0x7f);
  }
}

}  // namespace
}  // namespace gatebook::logger
