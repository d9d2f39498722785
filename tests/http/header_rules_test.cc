#include "http/header_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace gatebook::http {
namespace {

TEST(HeaderRules, WithoutRulesNothingIsDoneToAField) {
  const HeaderRules rules;
  EXPECT_TRUE(rules.IsEmpty());
  EXPECT_FALSE(rules.Drops("Server"));
  EXPECT_FALSE(rules.Drops(""));
  EXPECT_EQ(rules.lines(), "");
  EXPECT_TRUE(rules.puts().empty());
}

TEST(HeaderRules, SetPutsAFieldInPlaceOfThoseReceived) {
  HeaderRules rules;
  rules.Set("X-Edge", "north");
  EXPECT_FALSE(rules.IsEmpty());
  EXPECT_TRUE(rules.Drops("x-edge"));
  EXPECT_TRUE(rules.Drops("X-EDGE"));
  EXPECT_FALSE(rules.Drops("X-Edgy"));
  EXPECT_EQ(rules.lines(), "X-Edge: north\r\n");
  ASSERT_EQ(rules.puts().size(), 1u);
  EXPECT_EQ(rules.puts()[0].lower_name, "x-edge");
  EXPECT_EQ(rules.puts()[0].value, "north");
}

TEST(HeaderRules, AddPutsAFieldBesideThoseReceived) {
  HeaderRules rules;
  rules.Add("Vary", "Cookie");
  rules.Add("Vary", "Origin");
  EXPECT_FALSE(rules.Drops("Vary"));
  EXPECT_EQ(rules.lines(), "Vary: Cookie\r\nVary: Origin\r\n");
}

TEST(HeaderRules, RemoveTakesAFieldAway) {
  HeaderRules rules;
  rules.Remove("Server");
  EXPECT_FALSE(rules.IsEmpty());
  EXPECT_TRUE(rules.Drops("server"));
  EXPECT_EQ(rules.lines(), "");
}

TEST(HeaderRules, LaterRulesReachWhatEarlierOnesPut) {
  HeaderRules rules;
  rules.Set("X-A", "1");
  rules.Add("x-a", "2");
  rules.Add("X-B", "3");
  EXPECT_EQ(rules.lines(), "X-A: 1\r\nx-a: 2\r\nX-B: 3\r\n");
  rules.Set("X-a", "4");
  EXPECT_EQ(rules.lines(), "X-B: 3\r\nX-a: 4\r\n");
  rules.Remove("x-b");
  EXPECT_EQ(rules.lines(), "X-a: 4\r\n");
  EXPECT_TRUE(rules.Drops("X-B"));
}

TEST(HeaderRules, NamesOfAnyLengthAreTold) {
  for (const size_t length : {1u, 63u, 64u, 65u, 128u}) {
    HeaderRules rules;
    rules.Remove(std::string(length, 'x'));
    EXPECT_TRUE(rules.Drops(std::string(length, 'X')));
    EXPECT_FALSE(rules.Drops(std::string(length + 1, 'x')));
    EXPECT_FALSE(rules.Drops(std::string(length + 64, 'x')));
    EXPECT_FALSE(rules.Drops(std::string(length, 'y')));
  }
}

TEST(HeaderRulesDeathTest, WhatCouldReframeAMessageIsABugOfTheCaller) {
  HeaderRules rules;
  EXPECT_DEATH(rules.Set("Content-Length", "5"), "does not hold");
  EXPECT_DEATH(rules.Remove("Transfer-Encoding"), "does not hold");
  EXPECT_DEATH(rules.Add("Host", "x"), "does not hold");
  EXPECT_DEATH(rules.Set("Connection", "close"), "does not hold");
  EXPECT_DEATH(rules.Set("X Y", "z"), "does not hold");
  EXPECT_DEATH(rules.Set("", "z"), "does not hold");
  EXPECT_DEATH(rules.Set("X", "a\r\nY: b"), "does not hold");
}

}  // namespace
}  // namespace gatebook::http
