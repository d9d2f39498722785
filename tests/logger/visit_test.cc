#include "logger/visit.h"

#include <gtest/gtest.h>

namespace gatebook::logger {
namespace {

TEST(VisitTest, SessionIdsAre22CharactersAndComeBack) {
  SessionId session;
  for (size_t i = 0; i < session.bytes.size(); ++i) session.bytes[i] = static_cast<uint8_t>(255 - 7 * i);
  const std::string text = ToText(session);
  EXPECT_EQ(text.size(), 22u);
  ASSERT_TRUE(ParseSessionId(text));
  EXPECT_EQ(*ParseSessionId(text), session);
  EXPECT_FALSE(ParseSessionId(text.substr(1)));
  EXPECT_FALSE(ParseSessionId(text + "A"));
  EXPECT_FALSE(ParseSessionId(std::string(22, '_')));  // bits left over
}

TEST(VisitTest, VisitIdsComeBack) {
  const VisitId id{63, 1795471981042, 4294967295};
  const std::string text = ToText(id, "edge_1-b");
  EXPECT_EQ(text, "edge_1-b.63-1795471981042-4294967295");
  const auto named = ParseVisitId(text);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->edge, "edge_1-b");
  EXPECT_EQ(named->id, id);
}

TEST(VisitTest, RefusesVisitIdsThatAreNotCanonical) {
  for (const char* text :
       {"", ".", "edge", "edge.", "edge.0", "edge.0-1", "edge.0-1-", ".0-1-2", "edge.00-1-2", "edge.0-01-2",
        "edge.0-1-02", "edge.+0-1-2", "edge.0--1-2", "edge.0-1-2 ", " edge.0-1-2x", "edge.4294967296-1-2",
        "edge.0-18446744073709551616-2", "edge.0-1-4294967296", "edge.0-1-2-3"}) {
    EXPECT_FALSE(ParseVisitId(text)) << text;
  }
}

TEST(VisitTest, EnumeratorsAreNamedAndComeBack) {
  EXPECT_EQ(ToText(Channel::kReferral), "referral");
  EXPECT_EQ(ParseChannel("campaign"), Channel::kCampaign);
  EXPECT_EQ(ParseProtocol("ws"), Protocol::kWs);
  EXPECT_EQ(ParseDnsCheck("skipped"), DnsCheck::kSkipped);
  EXPECT_EQ(ToText(DnsCheck::kUnconfirmed), "unconfirmed");
  EXPECT_FALSE(ParseChannel("Direct"));
  EXPECT_FALSE(ParseProtocol(""));
}

}  // namespace
}  // namespace gatebook::logger
