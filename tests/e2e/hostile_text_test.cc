// Whatever visitors write into the book is harmless to who reads it.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

// True if `text` holds nothing that moves a cursor, changes a colour or turns text round.
bool IsInert(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 && byte != '\n') return false;
    if (byte == 0x7f) return false;
    // C1 controls and the bidirectional overrides, in UTF-8.
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
    if (text.compare(i, 2, "\xe2\x80") == 0 && i + 2 < text.size()) {
      const auto third = static_cast<unsigned char>(text[i + 2]);
      if (third >= 0xa8 && third <= 0xae) return false;
    }
  }
  return true;
}

class HostileTextTest : public EdgeTest {
 protected:
  // Visits with `fields` and returns the line of JSON and the table.
  std::pair<std::string, std::string> Printed(const std::string& path, const std::string& fields,
                                              const std::string& source = "127.0.0.1") {
    RawClient client(edge_->Tls(source));
    const auto answer = client.Get(path, fields);
    EXPECT_TRUE(answer);
    EXPECT_EQ(answer.value_or(HttpMessage{}).status(), 200);
    EXPECT_GE(edge_->WaitForVisits(1).size(), 1u);
    const auto json_lines = edge_->Command({"visits", "--since", "1h", "--json"});
    // A terminal of its own, so that it prints what people see.
    const auto table = support::Run(
        {"script", "-qec", std::string(GATEBOOK_BINARY) + " visits --since 1h -c " + edge_->config_path(),
         "/dev/null"});
    return {json_lines.output, table.output};
  }
};

TEST_F(HostileTextTest, EscapesInAUserAgentAreShownAndNotObeyed) {
  Start();
  // Obs-text is allowed in field values (RFC 9110 §5.5): C1 controls, overrides, and no UTF-8 at all.
  const auto [lines, table] =
      Printed("/", "User-Agent: \xc2\x9b[31m \xe2\x80\xae evil \xff\xfe \"><script>alert(1)</script>\\\r\n");
  EXPECT_TRUE(IsInert(lines)) << lines;
  const json visit = json::parse(lines.substr(0, lines.find('\n')), nullptr, false);
  ASSERT_FALSE(visit.is_discarded()) << lines;
  EXPECT_THAT(visit["user_agent"].get<std::string>(), testing::HasSubstr("<script>"));
  EXPECT_EQ(table.find("\xc2\x9b"), std::string::npos);
  EXPECT_EQ(table.find("\xe2\x80\xae"), std::string::npos);
}

TEST_F(HostileTextTest, AHostileNameNeverReachesTheBook) {
  WithNames();
  Start();
  const auto [lines, table] = Printed("/", "", "127.0.0.5");
  EXPECT_TRUE(IsInert(lines)) << lines;
  EXPECT_EQ(lines.find("red"), std::string::npos) << lines;
  EXPECT_EQ(table.find("red"), std::string::npos);
  EXPECT_THAT(lines, testing::HasSubstr("invalid"));
}

TEST_F(HostileTextTest, EncodedControlsInAPathStayEncoded) {
  Start();
  const auto [lines, table] =
      Printed("/%1b%5b31m/%0d%0aX:y/%00/%e2%80%ae?utm_source=%1b%5b2J%0a&utm_medium=%22%3e", "");
  EXPECT_TRUE(IsInert(lines)) << lines;
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1);
  EXPECT_EQ(table.find("\x1b[2J"), std::string::npos);
}

TEST_F(HostileTextTest, AHostileRefererLeavesItsOriginOrNothing) {
  Start();
  const auto [lines, table] = Printed("/", "Referer: javascript:alert(1)//\xe2\x80\xae\r\n");
  EXPECT_TRUE(IsInert(lines)) << lines;
  EXPECT_EQ(lines.find("alert"), std::string::npos) << lines;
}

TEST_F(HostileTextTest, LongTextsAreCutAtACharacter) {
  Start();
  std::string agent = "User-Agent: ";
  for (int i = 0; i < 2000; ++i) agent += "\xc3\xa4";
  const auto [lines, table] = Printed("/" + std::string(5000, 'p'), agent + "\r\n");
  const json visit = json::parse(lines.substr(0, lines.find('\n')), nullptr, false);
  ASSERT_FALSE(visit.is_discarded()) << lines;
  EXPECT_LE(visit["user_agent"].get<std::string>().size(), 512u);
  EXPECT_LE(visit["path"].get<std::string>().size(), 1024u);
}

}  // namespace
}  // namespace gatebook::e2e
