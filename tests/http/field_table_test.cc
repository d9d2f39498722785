#include "http/field_table.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <utility>

#include "http/characters.h"

namespace gatebook::http {
namespace {

const std::pair<const char*, FieldId> kNames[] = {
    {"Host", FieldId::kHost},
    {"Connection", FieldId::kConnection},
    {"Content-Length", FieldId::kContentLength},
    {"Transfer-Encoding", FieldId::kTransferEncoding},
    {"TE", FieldId::kTe},
    {"Trailer", FieldId::kTrailer},
    {"Upgrade", FieldId::kUpgrade},
    {"Keep-Alive", FieldId::kKeepAlive},
    {"Proxy-Connection", FieldId::kProxyConnection},
    {"Proxy-Authenticate", FieldId::kProxyAuthenticate},
    {"Proxy-Authorization", FieldId::kProxyAuthorization},
    {"Expect", FieldId::kExpect},
    {"Cookie", FieldId::kCookie},
    {"Set-Cookie", FieldId::kSetCookie},
    {"Referer", FieldId::kReferer},
    {"User-Agent", FieldId::kUserAgent},
    {"Authorization", FieldId::kAuthorization},
    {"Forwarded", FieldId::kForwarded},
    {"X-Forwarded-For", FieldId::kXForwarded},
    {"X-Forwarded-Proto", FieldId::kXForwarded},
    {"X-Forwarded-Something-Quite-Long-And-New", FieldId::kXForwarded},
    {"X-Real-IP", FieldId::kXForwarded},
    {"X-Request-ID", FieldId::kXRequestId},
    {"X-Session-ID", FieldId::kXSessionId},
    {"Sec-WebSocket-Key", FieldId::kSecWebSocket},
    {"Sec-WebSocket-Extensions", FieldId::kSecWebSocket},
    {"Server", FieldId::kServer},
    {"Date", FieldId::kDate},
    {"Strict-Transport-Security", FieldId::kStrictTransportSecurity},
    {"HTTP2-Settings", FieldId::kHttp2Settings},
    {"Sec-GPC", FieldId::kSecGpc},
    {"DNT", FieldId::kDnt},
    {"Traceparent", FieldId::kTraceparent},
    {"Tracestate", FieldId::kTracestate},
    {"Via", FieldId::kVia},
    {"X-Gatebook-Objection", FieldId::kXGatebook},
};

TEST(FieldTable, KnowsEveryNameInAnyCase) {
  for (const auto& [name, id] : kNames) {
    std::string upper = name, lower = name;
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    for (char& c : lower) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(KindOf(name).id, id) << name;
    EXPECT_EQ(KindOf(upper).id, id) << name;
    EXPECT_EQ(KindOf(lower).id, id) << name;
  }
}

TEST(FieldTable, KnowsNoNameByHalf) {
  for (const auto& [name, id] : kNames) {
    const std::string text = name;
    EXPECT_EQ(KindOf(text.substr(1)).id, FieldId::kOther) << name;
    EXPECT_EQ(KindOf("x" + text).id, FieldId::kOther) << name;
    if (id != FieldId::kXForwarded && id != FieldId::kSecWebSocket && id != FieldId::kXGatebook) {
      EXPECT_EQ(KindOf(text + "x").id, FieldId::kOther) << name;
    }
  }
  for (const char* name :
       {"", "X-Forwarded-", "Sec-WebSocket-", "X-Forwarded", "Content_Length", "Content-Lengt\x8e"}) {
    EXPECT_EQ(KindOf(name).id, FieldId::kOther) << name;
  }
}

TEST(FieldTable, MarksWhatIsBetweenTwoNeighboursOnly) {
  for (const char* name : {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
                           "proxy", "proxy-connection", "proxy-authenticate", "proxy-authorization",
                           "proxy-whatever", "http2-settings", "content-length"}) {
    EXPECT_TRUE(KindOf(name).hop_by_hop) << name;
  }
  for (const char* name :
       {"host", "cookie", "date", "proxied", "sec-websocket-key", "authorization", "x-proxy"}) {
    EXPECT_FALSE(KindOf(name).hop_by_hop) << name;
  }
}

TEST(FindControl, FindsTheFirstControlByteWhereverItStands) {
  for (size_t size = 0; size < 40; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (const char c : {'\0', '\r', '\n', '\x1f', '\x7f'}) {
        std::string text(size, '\xff');
        for (size_t i = 0; i < size; i += 3) text[i] = '\t';
        text[at] = c;
        if (at + 1 < size) text[at + 1] = c;
        EXPECT_EQ(FindControl(text, 0), at);
        EXPECT_EQ(FindControl(text, at), at);
      }
    }
    EXPECT_EQ(FindControl(std::string(size, '\x80'), 0), size);
  }
}

TEST(ListElements, ComeTrimmedAndMayBeEmpty) {
  std::string_view list = " a ,\tb,, c";
  EXPECT_EQ(TakeListElement(list), "a");
  EXPECT_EQ(TakeListElement(list), "b");
  EXPECT_EQ(TakeListElement(list), "");
  EXPECT_EQ(TakeListElement(list), "c");
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace gatebook::http
