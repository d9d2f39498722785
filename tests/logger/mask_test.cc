#include "logger/mask.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "logger/personal.h"
#include "logger/visit.h"

namespace gatebook::logger {
namespace {

std::string Path(std::string_view raw) {
  char out[kMostPath];
  return std::string(MaskPath(raw, out));
}

std::string Query(std::string_view raw) {
  char out[kMostQuery];
  const std::array<std::string, 3> allow = {"q", "utm_source", "page"};
  return std::string(FilterQuery(raw, allow, out));
}

std::string Percent(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto octet = static_cast<uint8_t>(c);
    encoded += {'%', kDigits[octet >> 4], kDigits[octet & 15]};
  }
  return encoded;
}

TEST(MaskPath, LeavesOrdinaryPathsAlone) {
  for (const char* path : {"/",
                           "",
                           "*",
                           "/api/v1/users/12",
                           "/users/123456",
                           "/2026/11/23",
                           "/blog/2026-11-23",
                           "/assets/app.3f2a1b.js",
                           "/assets/app.3f2a1b9c.js",
                           "/a/../b",
                           "/how-to-configure-your-router-for-voip",
                           "/iphone-15-pro-max-256gb-vs-galaxy-s24-ultra",
                           "/@ann/posts",
                           "/npm/react@18.2.0/index.js",
                           "/MyVeryLongComponentName.html",
                           "/static/jquery-3.6.0.min.js",
                           "/wiki/J%C3%A4rvenp%C3%A4%C3%A4",
                           "/files/100%25",
                           "/internationalization",
                           "/schnellstra%C3%9Fenanschluss",
                           "/v/dQw4w9WgXcQ",
                           "/puhelinliittyman-avaaminen-ulkomailla",
                           "/.well-known/openid-configuration",
                           "/node_modules/@babel/runtime/helpers/esm/objectWithoutPropertiesLoose.js"}) {
    EXPECT_EQ(Path(path), path);
  }
}

TEST(MaskPath, TakesNumbersInEveryForm) {
  EXPECT_EQ(Path("/call/+358401234567"), "/call/{number}");
  EXPECT_EQ(Path("/call/%2B358401234567"), "/call/{number}");
  EXPECT_EQ(Path("/call/%2b358%20(0)40%20-%20123%204567/start"), "/call/{number}/start");
  EXPECT_EQ(Path("/call/00358-40-1234567"), "/call/{number}");
  EXPECT_EQ(Path("/call/040.123.4567"), "/call/{number}");
  EXPECT_EQ(Path("/call/(555)%20123-4567"), "/call/{number}");
  EXPECT_EQ(Path("/call/tel:+12025550123;ext=12"), "/call/tel:{number}%3Bext%3D12");
  EXPECT_EQ(Path("/call/1234567"), "/call/{number}");
  EXPECT_EQ(Path("/call/+12345"), "/call/{number}");
  EXPECT_EQ(Path("/call/030%2F1234567"), "/call/{number}");
  EXPECT_EQ(Path("/call/from-+358401234567-to-+4930123456.wav"), "/call/from-{number}-to-{number}.wav");
}

TEST(MaskPath, SeesThroughLayersOfEncoding) {
  std::string layered = "%2B358401234567";
  for (int layer = 0; layer < 30; ++layer) {
    EXPECT_EQ(Path("/call/" + layered), "/call/{number}") << layer;
    for (size_t at = layered.find('%'); at != std::string::npos; at = layered.find('%', at + 3)) {
      layered.replace(at, 1, "%25");
    }
  }
  EXPECT_EQ(Path("/c/" + Percent("0401234567")), "/c/{number}");
  EXPECT_EQ(Path("/c/" + Percent(Percent(Percent("ann@example.org")))), "/c/{email}");
  EXPECT_EQ(Path("/c/0401%3%3234567"), "/c/{number}");
  EXPECT_EQ(Path("/c/%u0030%u0034%u0030123456"), "/c/{number}");
  EXPECT_EQ(Path("/c/ann%u0040example.org"), "/c/{email}");
  EXPECT_EQ(Path("/c/ann%C1%80example.org"), "/c/{email}");
}

TEST(MaskPath, SeesThroughLookAlikes) {
  EXPECT_EQ(Path("/c/" + Percent("\uff0b\uff13\uff15\uff18\uff14\uff10\uff11\uff12")), "/c/{number}");
  EXPECT_EQ(Path("/c/" + Percent("\u0660\u0664\u0660\u0661\u0662\u0663\u0664\u0665")), "/c/{number}");
  EXPECT_EQ(Path("/c/040\u2011123\u00a04567"), "/c/{number}");
  EXPECT_EQ(Path("/c/0401\u200b23\u20604567"), "/c/{number}");
  EXPECT_EQ(Path("/c/ann\uff20example.org"), "/c/{email}");
}

TEST(MaskPath, TakesMailAddresses) {
  EXPECT_EQ(Path("/users/ann@example.org"), "/users/{email}");
  EXPECT_EQ(Path("/users/ann.smith+tag%40mail.example.org/edit"), "/users/{email}/edit");
  EXPECT_EQ(Path("/users/mailto:ann@example.org,bob@example.org"), "/users/mailto:{email},{email}");
  EXPECT_EQ(Path("/users/ann@localhost"), "/users/{email}");
  EXPECT_EQ(Path("/users/%22ann%20smith%22@example.org"), "/users/{email}");
  EXPECT_EQ(Path("/users/ann@[192.0.2.1]"), "/users/{email}");
  EXPECT_EQ(Path("/users/j\u00f6rg@b\u00fccher.example"), "/users/{email}");
}

TEST(MaskPath, TakesTokens) {
  EXPECT_EQ(Path("/reset/8f14e45fceea167a5a36dedd4bea2543"), "/reset/{token}");
  EXPECT_EQ(Path("/s/550e8400-e29b-41d4-a716-446655440000/x"), "/s/{token}/x");
  EXPECT_EQ(Path("/auth/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P/x"),
            "/auth/{token}/x");
  EXPECT_EQ(Path("/invite/kJ8x_2mPq-7RtYvW3nZbQ1"), "/invite/{token}");
  EXPECT_EQ(Path("/invite/kJ8x%2F2mPq%2B7RtYvW3nZbQ1%3D%3D"), "/invite/{token}");
  EXPECT_EQ(Path("/otp/JBSWY3DPEHPK3PXP"), "/otp/{token}");
  // Odd pairs scattered between hyphens: no stretch of them is long.
  EXPECT_EQ(Path("/t/Yrz38d_guli3dvBR"), "/t/{token}");
  EXPECT_EQ(Path("/t/gYwn_4Ksar3v-4sn"), "/t/{token}");
  EXPECT_EQ(Path("/t/E-MF669EJA_2tF-2"), "/t/{token}");
  EXPECT_EQ(Path("/d/" + std::string(1025, 'a')), "/d/{token}");
}

TEST(MaskPath, IsCleanAndCapped) {
  EXPECT_EQ(Path("/a\x1b[31m/\xff"), "/a\\x1b[31m/\\xff");
  const std::string out = Path("/" + std::string(500, 'a') + "/" + std::string(600, 'b') + "/0401234567");
  EXPECT_LE(out.size(), kMostPath);
  std::string path;
  while (path.size() < 8000) path += "/x/ann@example.org";
  EXPECT_LE(Path(path).size(), kMostPath);
  EXPECT_EQ(Path(path).find("ann"), std::string::npos);
  char small[8];
  EXPECT_EQ(MaskPath("/call/0401234567", small), "/call/");
}

TEST(FilterQuery, KeepsOnlyAllowedNames) {
  EXPECT_EQ(Query("q=telephone&password=secret&page=2"), "q=telephone&page=2");
  EXPECT_EQ(Query("%71=hidden&Q=x&qq=1&utm_source"), "utm_source");
  EXPECT_EQ(Query(""), "");
  EXPECT_EQ(Query("&&;=;q=1;page=2"), "q=1&page=2");
  char out[kMostQuery];
  EXPECT_EQ(FilterQuery("q=1", {}, out), "");
}

TEST(FilterQuery, MasksValues) {
  EXPECT_EQ(Query("q=call+0401234567+now"), "q=call+{number}+now");
  EXPECT_EQ(Query("q=%2B358401234567"), "q={number}");
  EXPECT_EQ(Query("q=ann%40example.org&page=8f14e45fceea167a5a36dedd4bea2543"), "q={email}&page={token}");
  EXPECT_EQ(Query("q=0401234567%26page%3D7"), "q={number}%26page%3D7");
}

TEST(FilterQuery, LeavesOutWhatDoesNotFit) {
  std::string words;
  while (words.size() < kMostQuery) words += "word.";
  EXPECT_EQ(Query("page=1&q=" + words + "&page=2"), "page=1");
}

TEST(MaskValue, MasksDecodedText) {
  char out[100];
  EXPECT_EQ(MaskValue("summer sale 2026", 100, out), "summer sale 2026");
  EXPECT_EQ(MaskValue("call 040 123 4567 now\n", 100, out), "call {number} now");
}

// Properties: whatever is made by these makers never stands in the result.
class Makers {
 public:
  std::string Number() {
    std::string digits;
    const size_t count = 7 + random_() % 9;
    for (size_t i = 0; i < count; ++i) digits += static_cast<char>('0' + random_() % 10);
    std::string number = random_() % 2 == 0 ? "+" : "";
    static constexpr std::array<const char*, 10> kSeparators = {"",  "",   "",   " ", "-",
                                                                ".", " (", ") ", "/", " - "};
    for (size_t i = 0; i < digits.size(); ++i) {
      if (i != 0 && random_() % 3 == 0) number += kSeparators[random_() % kSeparators.size()];
      number += digits[i];
    }
    return number;
  }
  std::string From(std::string_view alphabet, size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += alphabet[random_() % alphabet.size()];
    return text;
  }
  std::string Mail() {
    return From("abcdefghijklmnopqrstuvwxyz.+-_0123456789", 1 + random_() % 12) + "@" +
           From("abcdefghijklmnopqrstuvwxyz", 1 + random_() % 10) + "." +
           From("abcdefghijklmnopqrstuvwxyz", 2);
  }
  // Encodes every octet, some, or those that must be, up to three times.
  std::string Encode(std::string text) {
    const size_t layers = random_() % 4;
    for (size_t layer = 0; layer < std::max<size_t>(layers, 1); ++layer) {
      std::string next;
      for (const char c : text) {
        const bool must = layer == 0 && (c == ' ' || c == '/' || c == '?');
        next += must || (layers != 0 && random_() % 2 == 0) ? Percent({&c, 1}) : std::string(1, c);
      }
      text = next;
    }
    return text;
  }
  uint32_t Next() { return static_cast<uint32_t>(random_()); }

 private:
  std::mt19937 random_{42};
};

// Undoes all encoding, so that a leak that is only encoded is found too.
std::string Decoded(std::string_view text) {
  std::string out(text.size(), '\0');
  return std::string(Unfold(text, out));
}

std::string DigitsOf(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return digits;
}

TEST(MaskPath, NeverShowsANumber) {
  Makers make;
  for (int round = 0; round < 20000; ++round) {
    const std::string number = make.Number();
    const std::string raw = "/call/" + make.Encode(number) + "/x";
    EXPECT_EQ(DigitsOf(Decoded(Path(raw))), "") << raw << " " << Path(raw);
  }
}

TEST(MaskPath, NeverShowsAMailAddress) {
  Makers make;
  for (int round = 0; round < 20000; ++round) {
    const std::string mail = make.Mail();
    const std::string raw = "/users/" + make.Encode(mail);
    EXPECT_EQ(Decoded(Path(raw)).find('@'), std::string::npos) << raw << " " << Path(raw);
    EXPECT_EQ(Decoded(Query("q=" + make.Encode(mail))).find('@'), std::string::npos) << raw;
  }
}

TEST(MaskPath, NeverShowsALongToken) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  Makers make;
  int shown = 0;
  for (int round = 0; round < 20000; ++round) {
    for (const std::string& token :
         {make.From(kHex, 32), make.From(kHex, 64), make.From(kBase64Url, 32), make.From(kBase64Url, 43),
          make.From(kBase64Url.substr(0, 62), 32), make.From(kBase32, 32)}) {
      shown += Path("/t/" + token).find(token) != std::string::npos;
    }
  }
  EXPECT_EQ(shown, 0);
}

TEST(MaskPath, SeldomShowsATokenOf128Bits) {
  constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  Makers make;
  int shown = 0;
  int shown16 = 0;
  for (int round = 0; round < 100000; ++round) {
    const std::string token = make.From(kBase64Url, 22);
    shown += Path("/t/" + token).find(token) != std::string::npos;
    shown16 += Path("/t/" + token.substr(0, 16)).find(token.substr(0, 16)) != std::string::npos;
  }
  RecordProperty("shown_per_100000", shown);
  RecordProperty("shown_16_per_100000", shown16);
  EXPECT_LT(shown, 60);
  EXPECT_LT(shown16, 300);
}

// Words as paths have them, in every way that people join them.
TEST(MaskPath, LeavesWordsAloneHoweverTheyAreJoined) {
  constexpr std::array<std::string_view, 64> kWords = {
      "account",   "voicemail",    "settings", "profile",   "customer",  "support",    "phone",
      "numbers",   "how",          "to",       "call",      "abroad",    "from",       "your",
      "router",    "download",     "invoice",  "puhelu",    "historia",  "asetukset",  "kirjaudu",
      "tilaus",    "yhteystiedot", "liittyma", "rechnung",  "kunden",    "verbindung", "einstellungen",
      "schnell",   "uebersicht",   "strasse",  "anschluss", "api",       "v2",         "index",
      "search",    "results",      "contact",  "privacy",   "policy",    "terms",      "of",
      "service",   "release",      "notes",    "2026",      "q3",        "http3",      "conference",
      "recording", "callback",     "queue",    "agents",    "dashboard", "wallboard",  "export",
      "iphone",    "15",           "pro",      "desktop",   "headset",   "quality",    "bandwidth",
      "test"};
  Makers make;
  for (int round = 0; round < 20000; ++round) {
    std::string kebab, snake, camel;
    const size_t words = 3 + make.Next() % 5;
    size_t figures = 0;
    for (size_t i = 0; i < words; ++i) {
      std::string_view word = kWords[make.Next() % kWords.size()];
      for (const char c : word) figures += c >= '0' && c <= '9';
      if (figures > 4) word = "and";  // more would be a number
      kebab += (i == 0 ? "" : "-") + std::string(word);
      snake += (i == 0 ? "" : "_") + std::string(word);
      // Forty letters without a break are a token, whatever they say.
      if (word.front() < 'a' || word.back() < 'a' || camel.size() + word.size() > 40) continue;
      camel += std::string(word);
      char& first = camel[camel.size() - word.size()];
      first = static_cast<char>(first - 'a' + 'A');
    }
    EXPECT_EQ(Path("/" + kebab), "/" + kebab);
    EXPECT_EQ(Path("/" + snake), "/" + snake);
    EXPECT_EQ(Path("/" + kebab + ".html"), "/" + kebab + ".html");
    EXPECT_EQ(Path("/" + camel), "/" + camel);
  }
}

TEST(Unfold, IsLinearHoweverDeepTheNesting) {
  std::string deep = "%";
  for (int layer = 0; layer < 100000; ++layer) deep += "25";
  std::string out(deep.size(), '\0');
  EXPECT_EQ(Unfold(deep, out), "%");
}

std::string Agent(std::string_view raw) {
  std::array<char, kMostUserAgent> out;
  return std::string(MaskAgent(raw, kMostUserAgent, out));
}

TEST(MaskAgent, LeavesBrowsersAndTheirVersionsAsTheyAre) {
  for (const char* agent :
       {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/120.0.6099.109 "
        "Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.1.2 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "curl/7.88.1", ""}) {
    EXPECT_EQ(Agent(agent), agent);
  }
}

TEST(MaskAgent, MasksWhomItMayCall) {
  EXPECT_EQ(Agent("Phone/2.1 +358 40 123 4567"), "Phone/2.1{number}");
  EXPECT_EQ(Agent("Phone 0401234567 (Linux)"), "Phone {number} (Linux)");
  EXPECT_EQ(Agent("bot/1.0 (ann@example.org)"), "bot/1.0 ({email})");
  EXPECT_EQ(Agent("app/3 8f14e45fceea167a5a36dedd4bea2543"), "app/3 {token}");
  EXPECT_EQ(Agent("Chrome/120.0.6099.109 0401234567"), "Chrome/120.0.6099.109{number}");
}

TEST(MaskPath, TakesIdentifiersOfAllFormsForTokens) {
  for (const char* id :
       {"123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000",
        "%7B123e4567-e89b-12d3-a456-426614174000%7D", "urn:uuid:123e4567-e89b-12d3-a456-426614174000",
        "123e4567e89b12d3a456426614174000", "00000000-0000-4000-8000-000000000000",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479.json"}) {
    const std::string masked = Path(std::string("/calls/") + id);
    EXPECT_EQ(masked.find("000"), std::string::npos) << masked;
    EXPECT_EQ(masked.find("e4567"), std::string::npos) << masked;
    EXPECT_EQ(masked.find("ac10b"), std::string::npos) << masked;
    EXPECT_TRUE(masked.find("{token}") != std::string::npos || masked.find("{number}") != std::string::npos)
        << masked;
  }
}

TEST(MaskPath, KnowsHowNumbersAreWrittenAtHome) {
  for (const char* number :
       {"09%20315%2081%20088", "(09)%2031581088", "040-1234567", "0400%20123%20456", "089%2F1234567",
        "0151%2023456789", "020%207946%200958", "(555)%20123-4567", "555.123.4567", "08-123%20456%2078",
        "01%2023%2045%2067%2089", "8%20(495)%20123-45-67", "112233445566"}) {
    EXPECT_EQ(Path(std::string("/to/") + number), "/to/{number}") << number;
  }
}

}  // namespace
}  // namespace gatebook::logger
