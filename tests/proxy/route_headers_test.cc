#include "proxy/route_headers.h"

#include <gtest/gtest.h>

#include <string>

#include "http/field_table.h"

namespace gatebook::proxy {
namespace {

using config::HeaderRule;
using http::FieldId;

TEST(RouteHeaders, AreMadeInTheirOrder) {
  const auto rules = MakeHeaderRules({{HeaderRule::Action::kAdd, "X-A", "1"},
                                      {HeaderRule::Action::kSet, "X-B", "2"},
                                      {HeaderRule::Action::kRemove, "X-A", ""}});
  EXPECT_EQ(rules.lines(), "X-B: 2\r\n");
  EXPECT_TRUE(rules.Drops("x-a"));
  EXPECT_TRUE(rules.Drops("x-b"));
}

// The configuration has a table of its own of what no rule may touch. It must hold every field
// that the codec keeps to itself and every one that we write from what we know.
TEST(RouteHeaders, TheConfigurationRefusesWhateverIsNotForRules) {
  for (const char* name : {"Host",
                           "Connection",
                           "Content-Length",
                           "Transfer-Encoding",
                           "TE",
                           "Trailer",
                           "Upgrade",
                           "Keep-Alive",
                           "Proxy",
                           "Proxy-Connection",
                           "Proxy-Authenticate",
                           "Proxy-Authorization",
                           "Proxy-Anything",
                           "Expect",
                           "Forwarded",
                           "X-Forwarded-For",
                           "X-Forwarded-Host",
                           "X-Real-IP",
                           "X-Request-ID",
                           "X-Session-ID",
                           "Via",
                           "Sec-WebSocket-Accept",
                           "HTTP2-Settings",
                           "Traceparent",
                           "Tracestate"}) {
    const http::FieldKind kind = http::KindOf(name);
    EXPECT_TRUE(kind.hop_by_hop || kind.id != FieldId::kOther) << name;
    EXPECT_NE(config::CheckRequestRule(std::string("remove ") + name), nullptr) << name;
    EXPECT_NE(config::CheckResponseRule(std::string("set ") + name + ": x"), nullptr) << name;
  }
}

TEST(RouteHeaders, WhateverTheConfigurationTakesCanBeMade) {
  for (const char* text : {"remove Authorization", "remove Cookie", "remove Set-Cookie", "set Server: x",
                           "set Date: x", "set Referer: x", "set User-Agent: x", "set DNT: 1",
                           "set Sec-GPC: 1", "remove Strict-Transport-Security", "add !#$%&'*+-.^`|~: ~ !"}) {
    ASSERT_EQ(config::CheckResponseRule(text), nullptr) << text;
    EXPECT_FALSE(MakeHeaderRules({config::ParseHeaderRule(text)}).IsEmpty()) << text;
  }
}

}  // namespace
}  // namespace gatebook::proxy
