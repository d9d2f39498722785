// The parts that show the policy, keep its versions, and know regions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "proxy/declared_regions.h"
#include "proxy/html.h"
#include "proxy/markdown.h"
#include "proxy/own_paths.h"
#include "proxy/policy_document.h"
#include "proxy/policy_log.h"
#include "proxy/what_we_record.h"
#include "tests/support/temp_directory.h"

namespace gatebook::proxy {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const base::WallTime kNow{std::chrono::milliseconds(1'800'000'000'000)};

TEST(Markdown, BecomesHtmlWithItsFirstHeadingAsTitle) {
  const Markdown made = RenderMarkdown("# Privacy *policy*\n\nText & more.\n\n- one\n- two\n");
  EXPECT_EQ(made.title, "Privacy policy");
  EXPECT_THAT(made.html, HasSubstr("<h1>Privacy <em>policy</em></h1>"));
  EXPECT_THAT(made.html, HasSubstr("<li>two</li>"));
  EXPECT_THAT(made.html, HasSubstr("Text &amp; more."));
}

TEST(Markdown, LetsNothingThroughThatActs) {
  const Markdown made = RenderMarkdown(
      "<script>alert(1)</script>\n\nHi <img src=x onerror=alert(1)> [a](javascript:alert(1)) "
      "![b](vbscript:x)\n\n<iframe src=\"https://evil.example\"></iframe>\n");
  for (const char* acting : {"<script", "<img src=x", "onerror=", "javascript:", "vbscript:", "<iframe"}) {
    EXPECT_THAT(made.html, Not(HasSubstr(acting)));
  }
}

TEST(Markdown, TakesAnyBytes) {
  EXPECT_THAT(RenderMarkdown("# \xff\xfe x").html, HasSubstr("\xef\xbf\xbd"));
  EXPECT_EQ(RenderMarkdown("").title, "");
  EXPECT_EQ(RenderMarkdown(std::string_view("a\0b", 3)).html.find('\0'), std::string::npos);
}

class PolicyDocumentTest : public testing::Test {
 protected:
  PolicyDocument Load(const std::string& name, const std::string& text) {
    policy_.file = directory_.Write(name, text);
    return LoadPolicyDocument(policy_).value();
  }
  support::TempDirectory directory_;
  config::Policy policy_;
};

TEST_F(PolicyDocumentTest, AMarkdownFileGetsOurPageAroundIt) {
  const PolicyDocument document = Load("p.md", "# Our \\<policy\\>\n");
  EXPECT_EQ(document.title, "Our <policy>");
  EXPECT_THAT(document.html, HasSubstr("<title>Our &lt;policy&gt;</title>"));
  EXPECT_THAT(document.html, HasSubstr("href=\"/privacy/feed.atom\""));
  EXPECT_THAT(document.html, HasSubstr("href=\"/privacy/what-we-record\""));
}

TEST_F(PolicyDocumentTest, AWholeHtmlFileStaysAsItIs) {
  const std::string html =
      "<!doctype html><HTML><head><title> A\n <b>title</b> </title></head><body>x</body></HTML>";
  const PolicyDocument document = Load("p.html", html);
  EXPECT_EQ(document.html, html);
  EXPECT_EQ(document.title, "A title");
  EXPECT_THAT(Load("q.html", "<h1>Part</h1>").html, HasSubstr("<title>Part</title>"));
  EXPECT_EQ(Load("r.html", "text").title, "Privacy policy");
}

TEST_F(PolicyDocumentTest, AFileThatCannotBeShownSaysWhy) {
  policy_.file = directory_.Path("none.md");
  EXPECT_THAT(LoadPolicyDocument(policy_).error().message, HasSubstr("none.md: No such file"));
  policy_.file = directory_.Write("empty.md", "");
  EXPECT_THAT(LoadPolicyDocument(policy_).error().message, HasSubstr("is empty"));
  policy_.file = directory_.Write("large.md", std::string(PolicyDocument::kMostSize + 1, 'x'));
  EXPECT_THAT(LoadPolicyDocument(policy_).error().message, HasSubstr("larger than 1 MiB"));
  policy_.file = directory_.path();
  EXPECT_FALSE(LoadPolicyDocument(policy_).ok());
}

TEST_F(PolicyDocumentTest, TheFeedHasAnEntryWhoseNameChangesWithTheVersionAlone) {
  policy_.date = "2025-09-01";
  const PolicyDocument document = Load("p.md", "# A & B\n");
  const std::string one = PolicyFeed(policy_, document, "1");
  EXPECT_THAT(one, HasSubstr("<title>A &amp; B, version 1</title>"));
  EXPECT_THAT(one, HasSubstr("<updated>2025-09-01T00:00:00.000Z</updated>"));
  EXPECT_EQ(one, PolicyFeed(policy_, document, "1"));
  const std::string two = PolicyFeed(policy_, document, "2");
  const auto id = [](const std::string& feed, size_t which) {
    size_t at = feed.find("<id>");
    if (which == 1) at = feed.find("<id>", at + 1);
    return feed.substr(at, feed.find("</id>", at) - at);
  };
  EXPECT_EQ(id(one, 0), id(two, 0)) << "the feed's own";
  EXPECT_NE(id(one, 1), id(two, 1)) << "the entry's";
  EXPECT_THAT(id(one, 0),
              testing::MatchesRegex(
                  "<id>urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
}

TEST(PolicyLog, KnowsAChangeFromABeginningAndFromAReturn) {
  support::TempDirectory directory;
  const PolicyLog log(directory.path());
  EXPECT_FALSE(log.Enter("1", true, kNow)->is_new) << "the first there ever was";
  EXPECT_FALSE(log.Enter("1", true, kNow + 1h)->is_new);
  const auto change = log.Enter("2", true, kNow + 2h);
  EXPECT_TRUE(change->is_new);
  EXPECT_EQ(change->before, "1");
  EXPECT_FALSE(log.Enter("1", true, kNow + 3h)->is_new) << "it was there before";
  EXPECT_FALSE(log.Enter("2", true, kNow + 4h)->is_new);
  const auto entries = *log.Read();
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[0].since, kNow);
  EXPECT_EQ(entries[1].command, "begun");
  EXPECT_EQ(entries[2].command, "-");
  ASSERT_TRUE(log.SetCommand("2", "exit:0").ok());
  EXPECT_EQ((*log.Read())[1].command, "exit:0");
}

TEST(PolicyLog, IsBoundedAndReadsWhatItCan) {
  support::TempDirectory directory;
  const PolicyLog log(directory.path());
  for (size_t i = 0; i < PolicyLog::kMost + 5; ++i)
    ASSERT_TRUE(log.Enter(std::to_string(i), false, kNow).ok());
  EXPECT_EQ(log.Read()->size(), PolicyLog::kMost);
  std::ofstream(directory.Path("policy"), std::ios::app) << "x\n1 -\nz - 3\n\n";
  EXPECT_EQ(log.Read()->size(), PolicyLog::kMost);
  EXPECT_EQ(PolicyLog(directory.Path("nowhere")).Enter("1", true, kNow).error().exit_code,
            base::ExitCode::kCannotCreate);
}

TEST(WhatWeRecord, SaysWhatTheConfigSays) {
  config::Config config;
  config.visit.fields = {"path", "dns"};
  config.visit.retention = 7 * 24h;
  config.dns.enabled = false;
  const std::string page = WhatWeRecordPage(config);
  EXPECT_THAT(page, HasSubstr("<code>path</code>"));
  EXPECT_THAT(page, HasSubstr("<code>ip</code>"));
  EXPECT_THAT(page, HasSubstr("7 days"));
  EXPECT_THAT(page, HasSubstr("it lives 1 day at most"));
  EXPECT_THAT(page, Not(HasSubstr("<code>dns</code>"))) << "nobody asks for names";
  EXPECT_THAT(page, Not(HasSubstr("<code>user_agent</code>")));
  config.dns.enabled = true;
  config.visit.truncate_address = config::TruncateAddress::kAlways;
  EXPECT_THAT(WhatWeRecordText(config), Not(HasSubstr("dns ")));
  EXPECT_THAT(WhatWeRecordText(config), HasSubstr("without its end"));
  EXPECT_THAT(WhatWeRecordJson(config), HasSubstr("\"retention_seconds\": 604800"));
}

TEST(DeclaredRegions, KnowTheUnionAndTheArea) {
  EXPECT_TRUE(IsInRegions("FI", {"EU"}));
  EXPECT_TRUE(IsInRegions("NO", {"EEA"}));
  EXPECT_FALSE(IsInRegions("NO", {"EU"}));
  EXPECT_FALSE(IsInRegions("US", {"EEA", "CH"}));
  EXPECT_TRUE(IsInRegions("CH", {"EEA", "CH"}));
  EXPECT_FALSE(IsInRegions("", {"EU"}));
}

TEST(DeclaredRegions, OnesOwnHouseIsNoPublicNetwork) {
  for (const char* own :
       {"127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "::1", "fd00::1", "fe80::1", "100.64.0.1"}) {
    EXPECT_TRUE(IsOwnNetwork(*base::IpAddress::Parse(own))) << own;
  }
  for (const char* strange : {"8.8.8.8", "172.32.0.1", "2001:db8::1", "192.0.2.1"}) {
    EXPECT_FALSE(IsOwnNetwork(*base::IpAddress::Parse(strange))) << strange;
  }
}

class Nothing final : public OwnResource {
 public:
  std::string_view allow() const override { return "GET, HEAD, POST"; }
  OwnReply Answer(const OwnRequest&) const override { return {}; }
};

TEST(OwnPaths, AreFoundExactlyAndNothingElseIs) {
  OwnPaths paths;
  EXPECT_EQ(paths.Find("/a"), nullptr);
  paths.Add("/a", std::make_unique<Nothing>());
  paths.Add("/privacy", std::make_unique<Nothing>());
  EXPECT_NE(paths.Find("/a"), nullptr);
  EXPECT_NE(paths.Find("/privacy"), nullptr);
  EXPECT_NE(paths.Find("/a"), paths.Find("/privacy"));
  for (const std::string& other : {std::string("/b"), std::string("/A"), std::string(""),
                                   std::string("/privacx"), "/a" + std::string(64, 'x')}) {
    EXPECT_EQ(paths.Find(other), nullptr) << other;
  }
}

TEST(OwnPaths, AMethodIsTakenAsItIsWritten) {
  EXPECT_TRUE(Allows("GET, HEAD, POST", "HEAD"));
  for (const char* method : {"get", "POS", "POSTS", "", ","})
    EXPECT_FALSE(Allows("GET, HEAD, POST", method)) << method;
}

}  // namespace
}  // namespace gatebook::proxy
