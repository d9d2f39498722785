#include "config/header_rule.h"

#include <gtest/gtest.h>

namespace gatebook::config {
namespace {

using Action = HeaderRule::Action;

TEST(HeaderRule, SetsAddsAndRemoves) {
  EXPECT_EQ(ParseHeaderRule("set X-Edge: north"), (HeaderRule{Action::kSet, "X-Edge", "north"}));
  EXPECT_EQ(ParseHeaderRule("add Vary:Cookie, Origin "),
            (HeaderRule{Action::kAdd, "Vary", "Cookie, Origin"}));
  EXPECT_EQ(ParseHeaderRule("set A:  b: c "), (HeaderRule{Action::kSet, "A", "b: c"}));
  EXPECT_EQ(ParseHeaderRule("remove Server"), (HeaderRule{Action::kRemove, "Server", ""}));
}

TEST(HeaderRule, IsWrittenAsItIsRead) {
  for (const char* text : {"set X-Edge: north", "add Vary: Cookie", "remove Server"}) {
    EXPECT_EQ(CheckRequestRule(text), nullptr) << text;
    EXPECT_EQ(FormatHeaderRule(ParseHeaderRule(text)), text);
  }
}

TEST(HeaderRule, OtherTextIsRefused) {
  for (const char* text : {"",
                           "set",
                           "set ",
                           "set X",
                           "SET X: y",
                           "set: X: y",
                           " set X: y",
                           "set  X: y",
                           "set X : y",
                           "set : y",
                           "set X Y: z",
                           "set X:",
                           "set X:  ",
                           "set X_Y: z",
                           "set X: \x7f",
                           "set X: a\tb",
                           "set X: \xc3\xbc",
                           "remove",
                           "remove ",
                           "remove X: y",
                           "remove X ",
                           "remove X_Y",
                           "replace X: y",
                           "set :path: /",
                           "set X\r\nY: z",
                           "set X: y\r\nZ: 1"}) {
    EXPECT_NE(CheckRequestRule(text), nullptr) << text;
    EXPECT_NE(CheckResponseRule(text), nullptr) << text;
  }
}

TEST(HeaderRule, FieldsOfOursAreRefusedInAnyCase) {
  for (const char* name : {"Host",
                           "hOST",
                           "Connection",
                           "Content-Length",
                           "Transfer-Encoding",
                           "TE",
                           "Trailer",
                           "Upgrade",
                           "Keep-Alive",
                           "Proxy",
                           "Proxy-Connection",
                           "Proxy-Authorization",
                           "Expect",
                           "Forwarded",
                           "X-Forwarded-For",
                           "X-Forwarded-Anything",
                           "X-Real-IP",
                           "Via",
                           "X-Request-ID",
                           "X-Session-ID",
                           "X-Gatebook-Objection",
                           "Sec-WebSocket-Key",
                           "HTTP2-Settings",
                           "Traceparent",
                           "Tracestate"}) {
    for (const std::string& rule : {std::string("set ") + name + ": x", std::string("add ") + name + ": x",
                                    std::string("remove ") + name}) {
      EXPECT_NE(CheckRequestRule(rule), nullptr) << rule;
      EXPECT_NE(CheckResponseRule(rule), nullptr) << rule;
    }
  }
}

TEST(HeaderRule, NamesThatOnlyBeginAlikeAreFree) {
  for (const char* rule :
       {"set Hostname: x", "set Via-2: x", "set X-Forwarded: x", "remove Expect-CT",
        "set Content-Type: text/plain", "set Content-Security-Policy: default-src 'self'"}) {
    EXPECT_EQ(CheckRequestRule(rule), nullptr) << rule;
    EXPECT_EQ(CheckResponseRule(rule), nullptr) << rule;
  }
}

TEST(HeaderRule, CredentialsAndCookiesCanOnlyBeRemoved) {
  for (const char* name : {"Authorization", "Cookie", "Set-Cookie"}) {
    EXPECT_NE(CheckRequestRule(std::string("set ") + name + ": x"), nullptr) << name;
    EXPECT_NE(CheckResponseRule(std::string("add ") + name + ": x"), nullptr) << name;
    EXPECT_EQ(CheckRequestRule(std::string("remove ") + name), nullptr) << name;
    EXPECT_EQ(CheckResponseRule(std::string("remove ") + name), nullptr) << name;
  }
}

TEST(HeaderRule, HstsOfAResponseIsSaidInOnePlace) {
  EXPECT_NE(CheckResponseRule("set strict-transport-security: max-age=1"), nullptr);
  EXPECT_EQ(CheckResponseRule("remove Strict-Transport-Security"), nullptr);
}

TEST(HeaderRule, NamesAndValuesAreBounded) {
  EXPECT_EQ(CheckRequestRule("set " + std::string(64, 'x') + ": y"), nullptr);
  EXPECT_NE(CheckRequestRule("set " + std::string(65, 'x') + ": y"), nullptr);
  EXPECT_EQ(CheckRequestRule("set X: " + std::string(4096, 'y')), nullptr);
  EXPECT_NE(CheckRequestRule("set X: " + std::string(4097, 'y')), nullptr);
}

}  // namespace
}  // namespace gatebook::config
